"""Two transactions that cross: what a branch decides does not depend on who commits first."""

import threading
from collections.abc import Callable

import pytest
from django.utils import timezone

from contacts.timeline import REACTOR
from journeys import claiming, engine, moving, reader
from journeys.models import Journey, Participant, Visit
from tenants import wakeups
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.concurrency import processes
from tests.concurrency.threads import Gate, beside
from tests.journeys.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(acme: Tenant) -> World:
    return World(acme)


def branch_of(world: World) -> tuple[Journey, int]:
    """A journey with one person, mailed and not yet looked at in her branch (clicked within a day?)."""
    (contact,) = world.contacts(1)
    journey = world.branch("email.clicked")
    world.go_live(journey)
    engine._keep_dates(world.tenant.pk)
    for _ in range(2):
        engine.run_batch(world.tenant.pk, journey.pk)
    return journey, contact


def late_click(world: World, contact: int, gate: Gate) -> Callable[[], None]:
    """A click in a transaction that stays open until the gate is opened."""

    def do() -> None:
        with tenant_scope(world.tenant):
            world.click(contact)
            gate.wait_here()

    return do


def outcomes(world: World) -> list[str]:
    with tenant_scope(world.tenant):
        return list(Visit.objects.filter(outcome__in=["yes", "no"]).values_list("outcome", flat=True))


def race_of_arrival(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The engine looks at the branch without seeing the click; the click commits and is read before that look does."""
    journey, contact = branch_of(world)
    clicking, looking = Gate(), Gate()
    apply = moving.apply

    def slow(due: moving.Due, *args: int) -> None:
        looking.wait_here()
        apply(due, *args)

    monkeypatch.setattr(moving, "apply", slow)
    with beside(late_click(world, contact, clicking)):
        clicking.is_reached()
        with beside(lambda: engine.run_batch(world.tenant.pk, journey.pk)):
            looking.is_reached()
            clicking.open()
            with beside(lambda: read_click(world)) as reading:
                # Without the guard the reader has done its work by now; with it, it waits for the person's lock.
                processes.until(lambda: not reading.is_alive() or processes.somebody_waits(), "the reader")
                looking.open()
    monkeypatch.setattr(moving, "apply", apply)
    world.run()
    return outcomes(world)


def read_click(world: World) -> None:
    """Let the readers read the click as soon as it is readable."""
    processes.until(lambda: (world.tenant.pk, REACTOR) in wakeups.due(), "the click's commit")
    wakeups.work(world.tenant.pk, REACTOR)


def test_a_click_racing_the_look_at_its_branch_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert race_of_arrival(world, monkeypatch) == ["yes"]


def test_control_a_wakeup_only_for_those_who_seem_to_wait_loses_the_click(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "WHO", "person.state = 'active' AND person.due_at > now()")
    assert race_of_arrival(world, monkeypatch) == []


def race_of_deadline(world: World) -> list[str]:
    """A click from before the deadline commits after the engine has looked at it."""
    journey, contact = branch_of(world)
    engine.run_batch(world.tenant.pk, journey.pk)
    gate = Gate()
    with beside(late_click(world, contact, gate)):
        gate.is_reached()
        with tenant_scope(world.tenant):
            now = timezone.now()
            Participant.objects.update(due_at=now, deadline_at=now)
        for _ in range(2):
            engine.run_batch(world.tenant.pk, journey.pk)
            with tenant_scope(world.tenant):
                Participant.objects.filter(state="active").update(due_at=timezone.now())
        gate.open()
    engine.run_batch(world.tenant.pk, journey.pk)
    return outcomes(world)


def test_a_click_before_the_deadline_counts_although_it_commits_later(world: World) -> None:
    assert race_of_deadline(world) == ["yes"]


def test_control_a_deadline_that_waits_for_nobody_ignores_the_click(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "horizon", lambda: (2**62, 1, timezone.now()))
    assert race_of_deadline(world) == ["no"]


def test_pausing_waits_for_the_batch_under_way_and_nothing_moves_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from journeys import publishing
    from tenants.models import Member
    from tests.cast import join

    journey, _contact = branch_of(world)
    owner = join(world.tenant, "Ana", Member.Role.OWNER)
    looking, paused = Gate(), threading.Event()
    claim = claiming.claim

    def slow(*args: object, **kwargs: object) -> object:
        found = claim(*args, **kwargs)  # type: ignore[arg-type]
        looking.wait_here()
        return found

    monkeypatch.setattr(claiming, "claim", slow)

    def pause() -> None:
        with tenant_scope(world.tenant):
            publishing.pause(journey, owner)
        paused.set()

    with beside(lambda: engine.run_batch(world.tenant.pk, journey.pk)):
        looking.is_reached()
        with beside(pause):
            processes.until(lambda: paused.is_set() or processes.somebody_waits(), "pausing")
            assert not paused.is_set(), "it waits for the batch"
            looking.open()
    monkeypatch.setattr(claiming, "claim", claim)
    assert paused.is_set()
    assert engine.run_batch(world.tenant.pk, journey.pk) == 0
