"""The refused rows of an import as a file: with the reason, ready to be mended and imported again."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from contacts.exporting import as_csv
from leads.models.imports import Import, ImportPiece
from tenants.models import Job
from tenants.scope import tenant_scope

REASON = "Why refused"


def lines(job: Job) -> Iterator[str]:
    """The file's lines, a scope per piece; the columns are the import's, and the reason behind them."""
    with tenant_scope(job.tenant_id, read_only=True):
        batch = Import.objects.get(pk=job.arguments["import"])
        is_trial = job.pk == batch.trial_id
        rows = ImportPiece.objects.filter(batch=batch, is_trial=is_trial).exclude(refused=[])
        positions = list(rows.order_by("position").values_list("position", flat=True))
    yield from as_csv([[*batch.headers, REASON]])
    width = len(batch.headers)
    for position in positions:
        with tenant_scope(job.tenant_id, read_only=True):
            found = ImportPiece.objects.get(batch=batch, is_trial=is_trial, position=position)
        # Cells that a row has too many are kept behind the reason: a person must see them to mend it.
        yield from as_csv([*_to(width, cells), why, *cells[width:]] for _line, why, cells in found.refused)


def _to(width: int, cells: Sequence[str]) -> list[str]:
    return [*cells[:width], *[""] * (width - len(cells))]


def by_reason(pieces: Iterable[ImportPiece], count: int = 8) -> list[tuple[str, int, list[Any]]]:
    """(what is wrong, how often, an example) of refused rows, the most frequent first."""
    found: dict[str, tuple[int, list[Any]]] = {}
    for piece in pieces:
        for row in piece.refused:
            what = _kind(row[1])
            times, first = found.get(what, (0, row))
            found[what] = (times + 1, first)
    ordered = sorted(found.items(), key=lambda item: -item[1][0])
    return [(what, times, first) for what, (times, first) in ordered[:count]]


def _kind(why: str) -> str:
    """A reason without the value that it is about."""
    column, _quote, rest = why.partition(": “")
    return f"{column}: {rest.rpartition('– ')[2]}" if rest else column or _("other")
