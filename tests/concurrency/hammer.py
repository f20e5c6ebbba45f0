"""The processes of test_reactor_killed: writers that record, workers that read; `python -m tests.concurrency.hammer`.

The one reader writes each row's id into `Received`, whose unique constraint refuses a second reading.
"""

import os
import random
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402

from contacts import reactor, timeline  # noqa: E402
from contacts.models import Received  # noqa: E402
from contacts.reactor import Batch, Reader  # noqa: E402
from contacts.timeline import Kind  # noqa: E402
from tenants import wakeups  # noqa: E402
from tenants.scope import tenant_scope  # noqa: E402

READ, TWICE = "hammer.read", "hammer.twice"
timeline.register(Kind("hammer.happened", title="Happened", icon="bolt", sentence="happened"))


def read(batch: Batch) -> None:
    """Note every row; a row that was noted before is noted as read twice."""
    seen = set(Received.objects.filter(source=READ).values_list("external_id", flat=True))
    for row in batch.of("hammer.happened"):
        source = TWICE if str(row.id) in seen else READ
        Received.objects.create(source=source, external_id=str(row.id))


def write(tenant_id: int, count: int, seed: int) -> None:
    """Record `count` facts in transactions of random length, so that they commit out of order."""
    rng = random.Random(seed)
    for _ in range(count):
        with tenant_scope(tenant_id):
            timeline.record("hammer.happened")
            time.sleep(rng.choice((0, 0, 0.001, 0.02)))


def work(guard: str) -> None:
    """Read for ever, the way a worker does; `guard` names the protection to leave out."""
    reactor._readers.clear()
    reactor.register(Reader("segments", run=read))
    if guard == "without-horizon":
        _ignore_horizon()
    while True:
        for tenant_id, name in wakeups.due():
            wakeups.work(tenant_id, name, budget=1)
        time.sleep(0.005)


def _ignore_horizon() -> None:
    """Read whatever is visible, as if no transaction could commit late."""
    unguarded = reactor._unread.__code__.co_consts
    replaced = tuple(
        const.replace("AND recorded_xid < %(horizon)s::text::xid8", "") if isinstance(const, str) else const
        for const in unguarded
    )
    assert replaced != unguarded, "the guard is where this control expects it"
    reactor._unread.__code__ = reactor._unread.__code__.replace(co_consts=replaced)


if __name__ == "__main__":
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '30s'")
    if sys.argv[1] == "write":
        write(*map(int, sys.argv[2:5]))
    else:
        work(sys.argv[2] if len(sys.argv) > 2 else "")
