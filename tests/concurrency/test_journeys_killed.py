"""Workers die at every step of a journey, and at random moments: nobody is lost, no step is done twice."""

import signal
from collections import Counter

import pytest

from journeys import figures
from journeys.models import Journey, Participant, Visit
from messaging.models import Message
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope
from tests.concurrency import processes, travel
from tests.concurrency.processes import Pause
from tests.journeys.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
PEOPLE, ROUNDS = 1_000, 20
SPLIT = ("split", {"shares": [50]})
CLAIMED = "journeys.claiming.claim:after"


@pytest.fixture
def world(acme: Tenant) -> World:
    return World(acme)


def journey_of(world: World, people: int) -> Journey:
    """Audience, e-mail, split, and two more e-mails for half of them: everything at once, nothing waits."""
    world.crowd(people)
    email = ("email", {"email": world.email.pk, "expires_at": None})
    return world.journey(email, SPLIT, email, email)


def check(world: World, journey: Journey, people: int) -> None:
    """Everybody has reached an end, by one visit and one message per step; the sums close."""
    with tenant_scope(world.tenant):
        assert Counter(Participant.objects.values_list("state", flat=True)) == {"done": people}
        steps = Counter(Visit.objects.values_list("participant_id", "tile"))
        assert set(steps.values()) == {1}, "no step twice"
        half = Visit.objects.filter(outcome="a").count()
        assert len(steps) == 3 * people + 2 * half
        assert Message.objects.filter(journey_id=journey.pk).count() == people + 2 * half
        found = figures.of_journey(journey)
        assert all(figure.is_closed for figure in found.values()), found
    assert not Wakeup.objects.filter(tenant=world.tenant, queue="journeys").exists()


def settle() -> None:
    """Let this process do what is left, as the surviving worker."""

    def is_done() -> bool:
        travel.run_due()
        return not Wakeup.objects.filter(queue__in=travel.QUEUES).exists()

    processes.until(is_done, "the surviving worker's end")


@pytest.mark.parametrize(
    "point",
    [
        "journeys.entering.enrol_chunk:after",
        CLAIMED,
        "messaging.outbox.order_select:after",
        "journeys.moving.apply:before",
        "journeys.figures.append:after",
        "journeys.engine.run_batch:after",
        "journeys.engine.work:after",
    ],
)
def test_workers_killed_at_any_step_leave_work_that_another_finishes(world: World, point: str) -> None:
    journey = journey_of(world, 200)
    for _ in range(ROUNDS):
        assert processes.end_of(processes.start(travel.work, dies_at=point)) == -9, "it died where it should"
    settle()
    check(world, journey, 200)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_workers_stopped_at_random_lose_nobody_and_do_nothing_twice(world: World, signum: int) -> None:
    journey = journey_of(world, PEOPLE)
    workers = processes.killed_in_turns(
        lambda: processes.start(travel.work),
        workers=2,
        rounds=ROUNDS,
        progress=lambda: visits(world),
        steps=(20, 120),
        total=3 * PEOPLE,
        signum=signum,
    )
    with processes.running(*workers):
        processes.until(lambda: everybody_is_done(world), "everybody's end")
    settle()
    check(world, journey, PEOPLE)


def test_every_click_around_an_arrival_is_heeded_however_often_workers_are_killed(world: World) -> None:
    people = 400
    world.crowd(people)
    world.go_live(world.branch("email.clicked"))
    clicking = processes.start(travel.click, world.tenant.pk, 1)
    with processes.running(clicking):
        workers = processes.killed_in_turns(
            lambda: processes.start(travel.work),
            workers=2,
            rounds=ROUNDS,
            progress=lambda: decided(world)["yes"],
            steps=(1, 12),
            total=people,
        )
        with processes.running(*workers):
            processes.until(lambda: decided(world).total() == people, "everybody's decision")
    assert decided(world) == {"yes": people}


def decided(world: World) -> Counter[str]:
    """How many went which way at the branch."""
    with tenant_scope(world.tenant, read_only=True):
        return Counter(Visit.objects.filter(outcome__in=["yes", "no"]).values_list("outcome", flat=True))


def claimed_by_two(world: World, guard: str = "") -> Journey:
    """One worker has claimed people and not moved them yet when another one comes and does all there is to do."""
    journey = journey_of(world, 15)
    pause = Pause()
    first = processes.start(
        travel.work, guard=guard, pauses_at=CLAIMED, pause=pause.there, dies_at="journeys.engine.run_batch:after"
    )
    with processes.running(first):
        pause.is_reached()
        travel.run_due()
        pause.is_over()
        assert processes.end_of(first) == -9
    settle()
    return journey


def test_whom_one_worker_has_claimed_another_passes_over(world: World) -> None:
    journey = claimed_by_two(world)
    check(world, journey, 15)


def test_control_without_the_lock_steps_are_done_twice(world: World) -> None:
    claimed_by_two(world, "without-lock")
    with tenant_scope(world.tenant):
        steps = Counter(Visit.objects.values_list("participant_id", "tile"))
    assert max(steps.values()) > 1, "the claim's lock is what keeps a step from being done twice"


def test_control_a_wakeup_deleted_before_its_work_loses_the_work(world: World) -> None:
    journey = journey_of(world, 20)
    worker = processes.start(travel.work, guard="without-keeping-wakeups", dies_at="journeys.engine._keep_dates:before")
    assert processes.end_of(worker) == -9
    settle()
    with tenant_scope(world.tenant):
        assert not Participant.objects.filter(journey=journey, state="done").exists()


def visits(world: World) -> int:
    """How many steps have been taken."""
    with tenant_scope(world.tenant, read_only=True):
        return Visit.objects.count()


def everybody_is_done(world: World) -> bool:
    """Whether all have entered and nobody is under way any more."""
    with tenant_scope(world.tenant, read_only=True):
        is_enrolling = Journey.objects.filter(enrolled_to__isnull=False).exists()
        states = set(Participant.objects.values_list("state", flat=True))
    return not is_enrolling and bool(states) and "active" not in states
