"""The reactor: everything automatic is a reader of the timeline, run in one fixed order.

A pass takes each reader in turn; a later reader never passes an earlier one's cursor, so that "score ≥ 50?" is never
answered from yesterday. What a pass records is read by the next pass at once. A reader's work and its cursor commit
together; rows become readable when every transaction that could have come before them has ended.
"""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import connection
from django.utils import timezone

from contacts.models import ReaderCursor
from contacts.models.timeline import Lane
from contacts.timeline import MAX_DEPTH, REACTOR, TABLE
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome, queue

ORDER = ("identity", "consent", "capture", "facts", "segments", "scores", "stages", "journeys", "out")
# What comes in live waits for the pass of a bulk batch that has begun: so that is the smaller one.
BATCH = {Lane.LIVE: 2_000, Lane.BULK: 1_000}
# recorded_at is taken at the start of a transaction that may commit later: look back this far (prunes partitions).
LOOK_BACK = timedelta(hours=1)
EPOCH = datetime(2000, 1, 1, tzinfo=timezone.get_fixed_timezone(0))


class RestoredIntoYoungerCluster(RuntimeError):
    """A cursor lies beyond every transaction of this cluster: `manage.py restore` renumbers the timeline."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of the timeline, as readers get it."""

    id: int
    kind: str
    contact_id: int | None
    account_id: int | None
    lead_id: int | None
    object_id: int | None
    link_id: int | None
    journey_id: int | None
    message_id: int | None
    cause_id: int | None
    depth: int
    occurred_at: datetime
    recorded_at: datetime
    xid: int
    detail: dict


@dataclass
class Batch:
    """The unread rows that a reader gets, in order."""

    lane: str
    rows: list[Fact]

    @cached_property
    def contact_ids(self) -> list[int]:
        return sorted({row.contact_id for row in self.rows if row.contact_id})

    @cached_property
    def lead_ids(self) -> list[int]:
        return sorted({row.lead_id for row in self.rows if row.lead_id})

    @cached_property
    def account_ids(self) -> list[int]:
        return sorted({row.account_id for row in self.rows if row.account_id})

    @cached_property
    def kinds(self) -> set[str]:
        return {row.kind for row in self.rows}

    def of(self, *kinds: str) -> list[Fact]:
        """The rows of these kinds."""
        return [row for row in self.rows if row.kind in kinds]


@dataclass(frozen=True)
class Reader:
    """One automatic reaction.

    `run(batch)` is called in the scope, in the transaction that moves the cursor. `due(now, deadline)` does what the
    clock asks for, opening scopes itself, and returns its next due moment. `kinds` (None: all) are what `run` gets.
    """

    name: str
    run: Callable[[Batch], None] | None = None
    due: Callable[[int, datetime, float], datetime | None] | None = None
    kinds: frozenset[str] | None = None


@dataclass(frozen=True, order=True)
class Position:
    """A place in the timeline: transaction id, then row id."""

    xid: int = 0
    id: int = 0
    recorded_at: datetime = field(default=EPOCH, compare=False)


_readers: dict[str, Reader] = {}


def register(reader: Reader) -> None:
    """Register a reader under one of the names in ORDER; apps do so in `ready()`."""
    if reader.name not in ORDER:
        raise ValueError(f"{reader.name} is not in the reactor's order {ORDER}")
    _readers[reader.name] = reader


def readers() -> list[Reader]:
    return [_readers[name] for name in ORDER if name in _readers]


@queue(REACTOR)
def react(tenant_id: int, deadline: float) -> Outcome:
    """Run all readers until nothing is unread or the deadline has come; the live lane first, bulk by what is left."""
    while True:
        next_due = _run_clocks(tenant_id, deadline)
        moved = _run_lane(tenant_id, Lane.LIVE, deadline)
        if not moved:
            moved = _run_lane(tenant_id, Lane.BULK, deadline)
        if not moved:
            return Outcome(next_due=next_due)
        if time.monotonic() >= deadline:
            return Outcome(next_due=next_due, has_more=True)


def _run_clocks(tenant_id: int, deadline: float) -> datetime | None:
    """Let each reader do what is due by the clock; the earliest next moment."""
    now = timezone.now()
    moments = [reader.due(tenant_id, now, deadline) for reader in readers() if reader.due]
    return min((moment for moment in moments if moment), default=None)


def _run_lane(tenant_id: int, lane: str, deadline: float) -> bool:
    """One pass of all readers over a lane; True if any cursor moved."""
    with tenant_scope(tenant_id, read_only=True):
        if not _may_have_unread(lane):
            return False
    moved, limit = False, None
    for reader in readers():
        if reader.run is None:
            continue
        with tenant_scope(tenant_id):
            has_moved, limit = _step(reader, lane, limit)
        moved = moved or has_moved
    return moved


def _may_have_unread(lane: str) -> bool:
    """Whether any reader may find something: one look behind the last of them, instead of a transaction for each.

    In the order of interaction_unread, so that no plan reads what has been read.
    """
    names = {reader.name for reader in readers() if reader.run is not None}
    rows = list(ReaderCursor.objects.filter(reader__in=names, lane=lane))
    if len(rows) < len(names):
        return True
    hindmost = min(Position(row.xid, row.last_id) for row in rows)
    since = min(row.recorded_at for row in rows)
    horizon, next_xid = _horizon()
    if max(row.xid for row in rows) >= next_xid:
        return True  # which the readers say more about
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT FROM {TABLE}
                WHERE lane = %s AND recorded_at >= %s AND recorded_xid < %s::text::xid8
                  AND recorded_xid >= %s::text::xid8 AND (recorded_xid > %s::text::xid8 OR id > %s)
                ORDER BY recorded_xid, id LIMIT 1""",
            [lane, since - LOOK_BACK, horizon, hindmost.xid, hindmost.xid, hindmost.id],
        )
        return cursor.rowcount > 0


def _step(reader: Reader, lane: str, limit: Position | None) -> tuple[bool, Position]:
    """Let a reader read one batch up to `limit` (the reader's before it); returns whether and where it moved."""
    cursor_row = _lock(reader.name, lane)
    start = Position(cursor_row.xid, cursor_row.last_id, cursor_row.recorded_at)
    rows = _unread(lane, start, limit)
    if not rows:
        return False, start
    last = rows[-1]
    shown = [row for row in rows if (reader.kinds is None or row.kind in reader.kinds) and row.depth <= MAX_DEPTH]
    if shown and reader.run:
        reader.run(Batch(lane, shown))
    position = Position(last.xid, last.id, max(start.recorded_at, last.recorded_at))
    ReaderCursor.objects.filter(pk=cursor_row.pk).update(
        xid=position.xid, last_id=position.id, recorded_at=position.recorded_at
    )
    return True, position


def _lock(reader: str, lane: str) -> ReaderCursor:
    """The reader's cursor, locked: two workers never run one reader at once."""
    found = ReaderCursor.objects.select_for_update().filter(reader=reader, lane=lane).first()
    if found is None:
        ReaderCursor.objects.bulk_create(
            [ReaderCursor(reader=reader, lane=lane, xid=0, last_id=0, recorded_at=EPOCH)], ignore_conflicts=True
        )
        found = ReaderCursor.objects.select_for_update().get(reader=reader, lane=lane)
    return found


def _unread(lane: str, start: Position, limit: Position | None) -> list[Fact]:
    """The next rows behind `start` that nothing can precede any more.

    Index: interaction_unread (tenant, recorded_xid, id), merged over the partitions that `recorded_at` leaves.
    """
    horizon, next_xid = _horizon()
    if start.xid >= next_xid:
        raise RestoredIntoYoungerCluster(f"cursor at {start.xid}, next transaction {next_xid}: run manage.py restore")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT id, kind, contact_id, account_id, lead_id, object_id, link_id, journey_id, message_id, cause_id,
                       depth, occurred_at, recorded_at, recorded_xid::text::bigint, detail
                FROM {TABLE}
                WHERE lane = %(lane)s AND recorded_at >= %(since)s
                  AND recorded_xid >= %(xid)s::text::xid8 AND (recorded_xid > %(xid)s::text::xid8 OR id > %(id)s)
                  AND recorded_xid < %(horizon)s::text::xid8
                  AND (%(limit_xid)s::bigint IS NULL OR recorded_xid < %(limit_xid)s::text::xid8
                       OR (recorded_xid = %(limit_xid)s::text::xid8 AND id <= %(limit_id)s))
                ORDER BY recorded_xid, id LIMIT %(count)s""",
            {
                "lane": lane,
                "since": start.recorded_at - LOOK_BACK,
                "xid": start.xid,
                "id": start.id,
                "horizon": horizon,
                "limit_xid": limit.xid if limit else None,
                "limit_id": limit.id if limit else None,
                "count": BATCH[Lane(lane)],
            },
        )
        # Django leaves the jsonb of raw cursors undecoded.
        rows: list[Any] = cursor.fetchall()
        return [Fact(*(*row[:-1], json.loads(row[-1]))) for row in rows]


def _horizon() -> tuple[int, int]:
    """(id below which all transactions have ended, id of the next one to begin)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() s")
        horizon, next_xid = cursor.fetchone()
        return int(horizon), int(next_xid)


def lag(names: Iterable[str] | None = None) -> timedelta:
    """How old the oldest unread row of the scope's tenant is (zero when all is read), for the health page."""
    oldest = timezone.now()
    for reader in readers():
        if reader.run is None or (names is not None and reader.name not in names):
            continue
        for lane in Lane.values:
            row = ReaderCursor.objects.filter(reader=reader.name, lane=lane).first()
            start = Position(row.xid, row.last_id, row.recorded_at) if row else Position()
            with connection.cursor() as cursor:
                cursor.execute(
                    f"""SELECT min(recorded_at) FROM {TABLE} WHERE lane = %s AND recorded_at >= %s
                        AND (recorded_xid > %s::text::xid8 OR (recorded_xid = %s::text::xid8 AND id > %s))""",
                    [lane, start.recorded_at - LOOK_BACK, start.xid, start.xid, start.id],
                )
                if found := cursor.fetchone()[0]:
                    oldest = min(oldest, found)
    return timezone.now() - oldest
