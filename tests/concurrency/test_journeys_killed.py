"""Workers die at every step of a journey, and at random moments: nobody is lost, no step is done twice."""

import random
import time
from collections import Counter

import pytest

from journeys import figures
from journeys.models import Journey, Participant, Visit
from messaging.models import Message
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope
from tests.concurrency import processes, travel
from tests.journeys.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
MODULE = "tests.concurrency.travel"
PEOPLE, KILLS = 2_000, 20
SPLIT = ("split", {"shares": [50]})


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


def settle(seconds: float = 30) -> None:
    """Let this process do what is left, as the surviving worker."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and Wakeup.objects.filter(queue__in=travel.QUEUES).exists():
        travel.run_due()
        time.sleep(0.05)


@pytest.mark.parametrize(
    "point",
    [
        "journeys.entering.enrol_chunk:after",
        "journeys.claiming.claim:after",
        "messaging.outbox.order_select:after",
        "journeys.moving.apply:before",
        "journeys.figures.append:after",
        "journeys.engine.run_batch:after",
        "journeys.engine.work:after",
    ],
)
def test_a_worker_killed_at_any_step_leaves_work_that_another_finishes(world: World, point: str) -> None:
    journey = journey_of(world, 50)
    worker = processes.start(MODULE, point)
    with processes.running(worker):
        assert worker.wait(30) == -9, "it died where it should"
    settle()
    check(world, journey, 50)


def test_workers_killed_at_random_lose_nobody_and_do_nothing_twice(
    world: World,
) -> None:
    journey = journey_of(world, PEOPLE)
    workers = processes.killed_in_turns(
        lambda _: processes.start(MODULE), workers=2, rounds=KILLS, rng=random.Random(3), between=(0.3, 0.9)
    )
    with processes.running(*workers):
        time.sleep(1)
    settle()
    check(world, journey, PEOPLE)


def test_two_workers_at_one_tile_move_everybody_once(world: World) -> None:
    journey = journey_of(world, PEOPLE)
    workers = [processes.start(MODULE) for _ in range(2)]
    with processes.running(*workers):
        wait_for_the_end(world)
    settle()
    check(world, journey, PEOPLE)


def test_control_without_the_lock_steps_are_done_twice(world: World) -> None:
    journey_of(world, PEOPLE)
    workers = [processes.start(MODULE, "without-lock") for _ in range(3)]
    with processes.running(*workers):
        wait_for_the_end(world)
    with tenant_scope(world.tenant):
        steps = Counter(Visit.objects.values_list("participant_id", "tile"))
        assert max(steps.values()) > 1, "the claim's lock is what keeps a step from being done twice"


def test_control_a_wakeup_deleted_before_its_work_loses_the_work(world: World) -> None:
    journey = journey_of(world, 20)
    worker = processes.start(MODULE, "without-keeping-wakeups")
    with processes.running(worker):
        worker.wait(30)
    settle(2)
    with tenant_scope(world.tenant):
        assert not Participant.objects.filter(journey=journey, state="done").exists()


def wait_for_the_end(world: World, seconds: float = 30) -> None:
    """Until nobody is under way any more."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with tenant_scope(world.tenant, read_only=True):
            states = Counter(Participant.objects.values_list("state", flat=True))
        if states and not states["active"]:
            return
        time.sleep(0.1)
