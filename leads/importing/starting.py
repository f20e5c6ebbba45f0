"""Beginning an import: the file is looked at and kept, and its columns are mapped as well as can be guessed."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from leads.importing import columns, reading
from leads.importing.options import Options
from leads.models.imports import Import
from tenants import audit, files, jobs
from tenants.models import Member, Tenant

# Rows that are looked at to guess by, and those that are kept to be shown.
LOOKED_AT, SAMPLES = 200, 8


def begin(file: IO[bytes], name: str, entity: str, tenant: Tenant, *, by: Member | None) -> Import:
    """Keep a file as an import that has not started. Raises reading.Unusable."""
    table = reading.open_table(file)
    rows = [row.cells for row in itertools.islice(table.rows, LOOKED_AT)]
    file.seek(0)
    kept = files.store(name, _content(file), by=by)
    options = Options(
        is_day_first=columns.guess_day_first(rows, tenant.country), default_country=tenant.country, source=name[:60]
    )
    if found := columns.remembered(entity, table.headers):
        options = Options.read({**options.kept(), **found.options, "source": options.source})
    return Import.objects.create(
        name=name[-200:],
        entity=entity,
        file=kept,
        fingerprint=kept.sha256,
        headers=table.headers,
        samples=[[cell[:200] for cell in cells] for cells in rows[:SAMPLES]],
        mapping=columns.propose(entity, table.headers),
        options=options.kept(),
        created_by=by,
    )


def map_columns(batch: Import, mapping: Sequence[str], *, by: Member | None) -> None:
    """Say where the columns go, making the own fields that are asked for; a trial by other columns is forgotten.

    Raises ValidationError.
    """
    columns.check(mapping, columns.offered(batch.entity), batch.entity)
    batch.mapping = columns.make_fields(mapping, batch.headers, by=by)
    if any(key.startswith("lead.") for key in batch.mapping):
        batch.options = {**batch.options, "makes_leads": True}
    if batch.trial and by:
        jobs.cancel(batch.trial, by=by)
    batch.pieces.filter(is_trial=True).delete()
    batch.trial = None
    batch.save(update_fields=["mapping", "options", "trial"])


def set_options(batch: Import, answers: Mapping[str, Any]) -> None:
    """Say what is to be done with the rows; unknown answers raise TypeError."""
    batch.options = Options.read({**batch.options, **answers}).kept()
    batch.save(update_fields=["options"])
    columns.remember(batch)


def _content(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(files.PIECE), b"")


def named(headers: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    """A mapping by names of columns as one by their places; names that no column has are KeyErrors."""
    missing = [name for name in mapping if name not in headers]
    if missing:
        raise KeyError(missing[0])
    return [mapping.get(name, "") for name in headers]


def decide(batch: Import, decided: Mapping[str, str]) -> None:
    """Note what somebody decided about single rows, by line."""
    batch.options = {**batch.options, "decided": dict(decided)}
    batch.save(update_fields=["options"])


def discard(batch: Import, *, by: Member | None) -> None:
    """Forget an import that has not started: its file, its rows, its trial."""
    kept = [file for file in (batch.file, batch.rows) if file]
    files.empty(file.pk for file in kept)
    audit.write("import.discarded", batch, by=by)
    batch.delete()
    for file in kept:
        file.delete()
