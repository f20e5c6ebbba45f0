"""Who has something to do: one append-only table, no lock, nothing lost.

Whoever records or schedules inserts a row (`announce`). The dispatcher takes rows that are due and *readable*:
once a row's transaction id lies below the horizon, whatever it announces is readable too. A worker notes the ids
it saw, works, and deletes exactly these after its work has committed. Killed anywhere, the rows stay and the work
is looked at again.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from tenants.fields import Horizon
from tenants.models import Wakeup
from tenants.scope import current_tenant_id

logger = logging.getLogger(__name__)

# Seconds that one task may work for one (tenant, queue) before it gives way to the next.
BUDGET = 20.0


@dataclass(frozen=True)
class Outcome:
    """What a queue's work left: when to look again, and whether there is more right now."""

    next_due: datetime | None = None
    has_more: bool = False


Work = Callable[[int, float], Outcome]
_queues: dict[str, Work] = {}
_exclusive: set[str] = set()
# Queues whose work waits for others' servers: a slow one must not keep a worker from what people wait for.
_calling: set[str] = set()


def queue(name: str, *, is_exclusive: bool = True, calls_out: bool = False) -> Callable[[Work], Work]:
    """Register `work(tenant_id, deadline) -> Outcome` as the worker of a queue.

    It is called outside any scope and opens one per batch; `deadline` is in `time.monotonic()` seconds. An
    exclusive queue has at most one worker per tenant at a time; one that calls out is worked by processes of its own.
    """

    def register(work: Work) -> Work:
        _queues[name] = work
        if is_exclusive:
            _exclusive.add(name)
        if calls_out:
            _calling.add(name)
        return work

    return register


def calls_out(name: str) -> bool:
    """Whether a queue's work waits for others' servers."""
    return name in _calling


def announce(name: str, due_at: datetime | None = None, tenant_id: int | None = None) -> None:
    """Say that the scope's tenant has work in a queue, now or at `due_at`; pokes a worker on commit."""
    tenant_id = tenant_id or current_tenant_id()
    Wakeup.objects.create(tenant_id=tenant_id, queue=name, **({"due_at": due_at} if due_at else {}))
    if due_at is None:
        transaction.on_commit(lambda: _poke(tenant_id, name), robust=True)


def _poke(tenant_id: int, name: str) -> None:
    from tenants import tasks  # which imports this module

    tasks.poke(tenant_id, name)


def due() -> list[tuple[int, str]]:
    """The (tenant, queue) pairs with due and readable wakeups, longest waiting first.

    One range scan of `wakeup_due`; costs nothing for tenants without due work.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT tenant_id, queue FROM tenants_wakeup
               WHERE due_at <= now() AND xid < pg_snapshot_xmin(pg_current_snapshot())
               GROUP BY 1, 2 ORDER BY min(due_at)"""
        )
        return [(tenant_id, name) for tenant_id, name in cursor.fetchall() if name in _queues]


def work(tenant_id: int, name: str, budget: float = BUDGET) -> bool:
    """Do a queue's work for one tenant; True if there is more right now. Returns False if another worker is at it."""
    with _alone(tenant_id, name) as is_alone:
        if not is_alone:
            return False
        seen = list(
            Wakeup.objects.filter(tenant_id=tenant_id, queue=name, due_at__lte=Now(), xid__lt=Horizon()).values_list(
                "pk", flat=True
            )
        )
        if not seen:
            return False
        outcome = _queues[name](tenant_id, time.monotonic() + budget)
        with transaction.atomic():
            Wakeup.objects.filter(pk__in=seen).delete()
            if outcome.has_more:
                Wakeup.objects.create(tenant_id=tenant_id, queue=name)
            if outcome.next_due:
                _look_again(tenant_id, name, outcome.next_due)
        return outcome.has_more


def _look_again(tenant_id: int, name: str, at: datetime) -> None:
    """Leave one wakeup for the next due moment, unless one stands at or before it."""
    later = Wakeup.objects.filter(tenant_id=tenant_id, queue=name, due_at__gt=Now())
    if not later.filter(due_at__lte=at).exists():
        Wakeup.objects.create(tenant_id=tenant_id, queue=name, due_at=at)


@contextmanager
def _alone(tenant_id: int, name: str) -> Iterator[bool]:
    """Hold the session's advisory lock of an exclusive queue; a killed worker's lock goes with its connection."""
    if name not in _exclusive:
        yield True
        return
    key = f"wakeup:{tenant_id}:{name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        got = cursor.fetchone()[0]
    try:
        yield got
    finally:
        if got and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def run_due(budget: float = BUDGET) -> int:
    """Work off everything that is due now, in this process (one-process mode and tests); returns the tasks run.

    Repeats until nothing due is left or `budget` seconds are over.
    """
    until, count = time.monotonic() + budget, 0
    while time.monotonic() < until:
        pairs = due()
        if not pairs:
            break
        for tenant_id, name in pairs:
            try:
                work(tenant_id, name, max(0.1, until - time.monotonic()))
            except Exception:
                set_back(tenant_id, name)
            count += 1
    return count


def set_back(tenant_id: int, name: str, seconds: int = 5) -> None:
    """After an exception (logged here): look at the queue again a little later, so that a fault does not spin.

    The connection may have died with the work (a time-out ends it, a server restarts); another one is opened then.
    If the database is away altogether the wakeups stay as they are, due at once.
    """
    logger.exception("Queue %s of tenant %s failed; it is looked at again", name, tenant_id)
    connection.close_if_unusable_or_obsolete()
    with suppress(OperationalError), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_wakeup SET due_at = now() + make_interval(secs => %s),"
            " failed_since = coalesce(failed_since, now())"
            " WHERE tenant_id = %s AND queue = %s AND due_at <= now()",
            [seconds, tenant_id, name],
        )
