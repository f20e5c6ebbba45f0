"""The processes of test_reactor_killed: writers that record, workers that read.

The one reader writes each row's id into `Received`, whose unique constraint refuses a second reading.
"""

import os
import random
import time
from datetime import datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from contacts import reactor, timeline  # noqa: E402
from contacts.models import Received  # noqa: E402
from contacts.reactor import Batch, Reader  # noqa: E402
from contacts.timeline import Kind  # noqa: E402
from tenants import wakeups  # noqa: E402
from tenants.scope import tenant_scope  # noqa: E402
from tests.concurrency import points  # noqa: E402

READ, TWICE = "hammer.read", "hammer.twice"
timeline.register(Kind("hammer.happened", title="Happened", icon="bolt", sentence="happened"))


def read(batch: Batch) -> None:
    """Note every row; a row that was noted before is noted as read twice."""
    seen = set(Received.objects.filter(source=READ).values_list("external_id", flat=True))
    for row in batch.of("hammer.happened"):
        source = TWICE if str(row.id) in seen else READ
        Received.objects.create(source=source, external_id=str(row.id))


def look_tomorrow(tenant_id: int, now: datetime, deadline: float) -> datetime:
    """The reader's clock has something to do later, as most readers' have."""
    return now + timedelta(days=1)


READER = Reader("segments", run=read, due=look_tomorrow)


def happen() -> None:
    timeline.record("hammer.happened")


def write(tenant_id: int, seed: int, *, dies_at: str = "") -> None:
    """Record facts for ever, in transactions of random length, so that they commit out of order."""
    if dies_at:
        points.act_at(dies_at, points.die)
    rng = random.Random(seed)
    while True:
        with tenant_scope(tenant_id):
            happen()
            time.sleep(rng.choice((0, 0, 0.001, 0.02)))


def work(*, dies_at: str = "") -> None:
    """Read for ever, the way a worker does."""
    reactor._readers.clear()
    reactor.register(READER)
    if dies_at:
        points.act_at(dies_at, points.die)
    while True:
        run_due()
        time.sleep(0.005)


def run_due() -> None:
    for tenant_id, name in wakeups.due():
        wakeups.work(tenant_id, name, budget=1)
