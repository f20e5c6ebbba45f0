"""Writers commit out of order while workers are killed at random moments: every fact is read, each once."""

import random
import time

import pytest

from contacts.models import Interaction, Received
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope
from tests.concurrency import hammer, processes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
WRITERS, EACH, KILLS = 3, 250, 20


def hammered(tenant: Tenant, guard: str = "", kills: int = KILLS) -> tuple[int, int, int]:
    """(recorded, read, read twice) after writers and killed workers have done their worst."""
    writers = [processes.start("tests.concurrency.hammer", "write", tenant.pk, EACH, n) for n in range(WRITERS)]
    with processes.running(*writers):
        workers = processes.killed_in_turns(
            lambda _: processes.start("tests.concurrency.hammer", "work", guard),
            workers=2,
            rounds=kills,
            rng=random.Random(7),
            between=(0.7, 1.2),
        )
        with processes.running(*workers):
            for writer in writers:
                writer.wait(60)
            _settle(tenant)
    with tenant_scope(tenant):
        recorded = Interaction.objects.filter(kind="hammer.happened").count()
        read = Received.objects.filter(source=hammer.READ).count()
        return recorded, read, Received.objects.filter(source=hammer.TWICE).count()


def _settle(tenant: Tenant) -> None:
    """Wait until no announcement is left, or nothing changes any more."""
    for _ in range(100):
        if not Wakeup.objects.filter(tenant=tenant).exists():
            return
        time.sleep(0.1)


def test_every_fact_is_read_once_however_often_workers_are_killed(acme: Tenant) -> None:
    recorded, read, twice = hammered(acme)
    assert (recorded, read, twice) == (WRITERS * EACH, WRITERS * EACH, 0)
    assert not Wakeup.objects.filter(tenant=acme).exists()


def test_control_without_the_horizon_late_commits_are_skipped(acme: Tenant) -> None:
    recorded, read, _ = hammered(acme, "without-horizon", kills=2)
    assert recorded == WRITERS * EACH
    assert read < recorded, "the guard is what keeps late commits from being skipped"
