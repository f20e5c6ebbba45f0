"""Lists as CSV files, written while they are read: by key, a batch per scope, so that no memory and no transaction
grows with the list."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from django.db.models import QuerySet

from contacts.cells import neutral
from tenants.scope import tenant_scope

BATCH = 2_000


class Sheet(Protocol):
    """How records become lines of cells: a `RecordResource`, or whatever else has these."""

    def head(self) -> list[str]: ...

    def rows(self, records: QuerySet[Any], /) -> QuerySet[Any]: ...

    def lines(self, rows: Sequence[Any], /) -> Iterator[list[str]]: ...


def lines(tenant_id: int, resource: Callable[[], Sheet], rows: Callable[[], QuerySet[Any]]) -> Iterator[str]:
    """The lines of the file; `rows()` gives the records within the tenant's scope, in any order."""
    last = 0
    with tenant_scope(tenant_id, read_only=True):
        yield from as_csv([resource().head()])
    while True:
        with tenant_scope(tenant_id, read_only=True):
            batch = list(resource().rows(rows().filter(pk__gt=last)).order_by("pk")[:BATCH])
            text = list(as_csv(resource().lines(batch)))
        yield from text
        if len(batch) < BATCH:
            return
        last = batch[-1].pk


def as_csv(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Rows as lines of CSV, neutral in spreadsheets."""
    for row in rows:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerow([neutral(str(cell)) for cell in row])
        yield text.getvalue()
