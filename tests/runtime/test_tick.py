"""`manage.py tick`: everything that is due, in one process."""

import threading

import pytest
from django.core.management import call_command

from tenants import wakeups
from tenants.management.commands import tick
from tenants.models import Heartbeat
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome


@pytest.fixture
def worked(monkeypatch):
    """A queue named "probe" that notes for whom it was called."""
    calls: list[int] = []
    monkeypatch.setattr(wakeups, "_queues", dict(wakeups._queues))

    @wakeups.queue("probe")
    def work(tenant_id: int, deadline: float) -> Outcome:
        calls.append(tenant_id)
        return Outcome()

    yield calls
    wakeups._exclusive.discard("probe")


@pytest.mark.django_db(transaction=True)
def test_a_tick_works_off_what_is_due_and_only_that(acme, rival, worked):
    with tenant_scope(acme):
        wakeups.announce("probe")
    call_command("tick")
    assert worked == [acme.pk]
    call_command("tick")
    assert worked == [acme.pk]


@pytest.mark.django_db(transaction=True)
def test_the_loop_gives_signs_of_life_and_stops_when_asked(acme, worked, monkeypatch):
    stopped = threading.Event()
    rounds = []

    def one_round(budget: float) -> None:
        rounds.append(budget)
        if len(rounds) == 3:
            stopped.set()

    monkeypatch.setattr(tick, "PAUSE", 0)
    monkeypatch.setattr(wakeups, "run_due", one_round)
    tick.loop(stopped)
    assert rounds == [tick.ROUND] * 3
    assert set(Heartbeat.objects.filter(name__in=["beat", "worker", "caller"]).values_list("name", flat=True)) == {
        "beat",
        "worker",
        "caller",
    }
