"""Monthly partitions: made ahead, so that no row ever finds its month missing."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.apps import apps
from django.db import connection, models

from tenants.postgres.base import PROTECT, partition_key

MONTHS_AHEAD = 3
# `/healthz/all` warns when fewer months than this stand ready.
MONTHS_AHEAD_MINIMUM = 2


def partitioned_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if partition_key(model)]


def ensure(since: date | None = None) -> None:
    """Make every partitioned table's partitions from `since` (default: last month) to three months ahead.

    Idempotent. Partitions are tables of their own: each gets the policy too.
    """
    today = datetime.now(UTC).date()
    first = since or _next_month(today, -1)
    for model in partitioned_models():
        for month in _months(first, _next_month(today, MONTHS_AHEAD)):
            _make(model._meta.db_table, month)


def months_ahead() -> int:
    """How many whole months after this one have a partition in every partitioned table."""
    today = datetime.now(UTC).date()
    counts = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
        existing = {name for (name,) in cursor.fetchall()}
    for model in partitioned_models():
        ahead = 0
        while _name(model._meta.db_table, _next_month(today, ahead + 1)) in existing:
            ahead += 1
        counts.append(ahead)
    return min(counts)


def _make(table: str, month: date) -> None:
    name = _name(table, month)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0]:
            return
        bounds = f"FROM ('{month:%Y-%m-%d} 00:00+00') TO ('{_next_month(month):%Y-%m-%d} 00:00+00')"
        cursor.execute(f'CREATE TABLE IF NOT EXISTS "{name}" PARTITION OF "{table}" FOR VALUES {bounds}')
        for statement in PROTECT:
            cursor.execute(statement.format(table=name))


def _name(table: str, month: date) -> str:
    return f"{table}_{month:%Y_%m}"


def _next_month(day: date, step: int = 1) -> date:
    """The first day of the month `step` months after the day's."""
    months = day.year * 12 + day.month - 1 + step
    return date(months // 12, months % 12 + 1, 1)


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _next_month(month)


def ensure_back_to(moment: datetime) -> None:
    """Make room for rows as old as `moment` (back-fill, the sample company's clock)."""
    ensure((moment.astimezone(UTC) - timedelta(days=1)).date())
