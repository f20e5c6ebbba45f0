"""Files to import, and importing them as the worker does."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from leads.importing import running, starting
from leads.models.imports import Import, ImportPiece
from tenants.models import Job, Tenant
from tenants.scope import tenant_scope

PEOPLE = [
    ["E-Mail", "First name", "Last name", "Company", "Title"],
    ["amara@contoso.example", "Amara", "Okafor", "Contoso GmbH", "Head of IT"],
    ["jonas@contoso.example", "Jonas", "Lindqvist", "Contoso", "CEO"],
    ["wei@gmail.com", "Wei", "Chen", "Fabrikam", "Buyer"],
]


def as_csv(rows: Sequence[Sequence[Any]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """The rows as a program would write them."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def as_workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """The rows as an Excel workbook."""
    from openpyxl import Workbook

    workbook, content = Workbook(), io.BytesIO()
    for row in rows:
        workbook.worksheets[0].append(list(row))
    workbook.save(content)
    return content.getvalue()


def begin(
    tenant: Tenant,
    content: bytes,
    columns: dict[str, str] | None = None,
    *,
    entity: str = "contact",
    name: str = "people.csv",
    **options: Any,
) -> Import:
    """An import with its columns mapped, as guessed or as given by name."""
    with tenant_scope(tenant):
        batch = starting.begin(io.BytesIO(content), name, entity, tenant, by=None)
        mapping = batch.mapping if columns is None else starting.named(batch.headers, columns)
        starting.map_columns(batch, mapping, by=None)
        starting.set_options(batch, options)
        return batch


def go(tenant: Tenant, batch: Import, kind: str = running.RUN) -> Job:
    """Do an import (or its trial) to the end; the job tells what it came to."""
    with tenant_scope(tenant):
        job = running.order(batch, kind, None)
    assert running.run(tenant.pk, job)
    with tenant_scope(tenant):
        job.refresh_from_db()
        batch.refresh_from_db()
    return job


def imported(tenant: Tenant, content: bytes, columns: dict[str, str] | None = None, **more: Any) -> dict[str, int]:
    """Import a file; the counts, whose sum is checked."""
    job = go(tenant, begin(tenant, content, columns, **more))
    assert job.state == Job.State.DONE, job.error
    return sums(job)


def tried(tenant: Tenant, content: bytes, columns: dict[str, str] | None = None, **more: Any) -> dict[str, int]:
    """Try a file; the counts."""
    job = go(tenant, begin(tenant, content, columns, **more), running.TRIAL)
    assert job.state == Job.State.DONE, job.error
    return sums(job)


def sums(job: Job) -> dict[str, int]:
    """The counts of a job, each row in exactly one of them."""
    counts = job.result["counts"]
    assert counts["rows"] == sum(counts[name] for name in ("new", "changed", "matched", "refused")), counts
    return counts


def refusals(tenant: Tenant, batch: Import | None = None) -> list[tuple[int, str]]:
    """(line, reason) of the refused rows."""
    with tenant_scope(tenant):
        pieces = ImportPiece.objects.order_by("batch", "position")
        pieces = pieces.filter(batch=batch) if batch else pieces
        return [(line, why) for piece in pieces for line, why, _cells in piece.refused]
