"""Writers commit out of order while workers are stopped at every step and at random: every fact is read, each once."""

import signal

import pytest
from django.db.models.functions import Now

from contacts import reactor
from contacts.models import Interaction, Received
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope
from tests.concurrency import hammer, processes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
WRITERS, ROUNDS = 3, 20
# More facts than are ever recorded: writers write until they are stopped.
ENDLESS = 10**9


@pytest.fixture(autouse=True)
def surviving_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process reads as the workers do."""
    monkeypatch.setattr(reactor, "_readers", {"segments": hammer.READER})


def happened(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        hammer.happen()


def settle(tenant: Tenant) -> None:
    """Let this process do what is left, as the surviving worker."""

    def is_done() -> bool:
        hammer.run_due()
        return not Wakeup.objects.filter(tenant=tenant, due_at__lte=Now()).exists()

    processes.until(is_done, "the surviving worker's end")


def counts(tenant: Tenant) -> tuple[int, int, int]:
    """(recorded, read, read twice)."""
    with tenant_scope(tenant):
        recorded = Interaction.objects.filter(kind="hammer.happened").count()
        read = Received.objects.filter(source=hammer.READ).count()
        return recorded, read, Received.objects.filter(source=hammer.TWICE).count()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_every_fact_is_read_once_however_often_workers_are_stopped(acme: Tenant, signum: int) -> None:
    writers = [processes.start(hammer.write, acme.pk, seed) for seed in range(WRITERS)]
    with processes.running(*writers):
        workers = processes.killed_in_turns(
            lambda: processes.start(hammer.work),
            workers=2,
            rounds=ROUNDS,
            progress=lambda: counts(acme)[1],
            steps=(1, 40),
            total=ENDLESS,
            signum=signum,
        )
    with processes.running(*workers):
        processes.until(lambda: counts(acme)[0] == counts(acme)[1], "everything being read")
    settle(acme)
    recorded, read, twice = counts(acme)
    assert recorded > ROUNDS
    assert (read, twice) == (recorded, 0)


@pytest.mark.parametrize(
    "point",
    [
        "tenants.wakeups.due:after",
        "tenants.wakeups.work:before",
        "contacts.reactor.react:before",
        "contacts.reactor._lock:after",
        "contacts.reactor._unread:after",
        "contacts.reactor._step:after",
        "contacts.reactor._run_lane:after",
        "contacts.reactor.react:after",
        "tenants.wakeups._look_again:before",
        "tenants.wakeups.work:after",
    ],
)
def test_a_worker_killed_between_any_two_steps_leaves_work_that_another_finishes(acme: Tenant, point: str) -> None:
    for _ in range(ROUNDS):
        happened(acme)
        assert processes.end_of(processes.start(hammer.work, dies_at=point)) == -9, "it died where it should"
    settle(acme)
    assert counts(acme) == (ROUNDS, ROUNDS, 0)


@pytest.mark.parametrize(
    ("point", "recorded"),
    [("contacts.timeline.record:after", 0), ("tenants.wakeups.announce:after", 0), ("tenants.wakeups._poke:before", 1)],
)
def test_a_writer_killed_between_any_two_steps_has_recorded_and_announced_or_neither(
    acme: Tenant, point: str, recorded: int
) -> None:
    for seed in range(ROUNDS):
        assert processes.end_of(processes.start(hammer.write, acme.pk, seed, dies_at=point)) == -9
    settle(acme)
    assert counts(acme) == (ROUNDS * recorded, ROUNDS * recorded, 0)
