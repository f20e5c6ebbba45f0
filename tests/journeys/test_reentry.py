"""Who comes into a journey a second time, and when."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from contacts import timeline
from journeys import drafting, publishing
from journeys.models import Journey, Participant
from pages.models import Form
from segments.models import SegmentMember
from tenants.models import Member, Wakeup
from tenants.scope import tenant_scope
from tests.journeys.world import Step, World

pytestmark = pytest.mark.django_db(transaction=True)
WAIT: Step = ("wait", {"how": "for", "amount": 3, "unit": "days"})
AGAIN: dict[str, Any] = {"reentry": "after_days", "reentry_days": 30}


def days_pass(world: World, days: int) -> None:
    """As the sample company's clock does it: everything is older, and what was to come is nearer."""
    by = timedelta(days=days)
    with tenant_scope(world.tenant):
        Participant.objects.update(**{name: F(name) - by for name in ("entered_at", "arrived_at", "left_at")})
    Wakeup.objects.update(due_at=F("due_at") - by)
    world.pass_time(days=days)


def entries(world: World, journey: Journey) -> dict[int, int]:
    """By contact: how often she has entered."""
    counts: dict[int, int] = {}
    for person in world.people(journey):
        counts[person.contact_id] = counts.get(person.contact_id, 0) + 1
    return counts


def test_members_of_the_audience_enter_again_when_their_days_have_passed(world: World) -> None:
    staying, gone, unwilling = world.contacts(3)
    journey = world.journey(WAIT, minimum_consent=2, **AGAIN)
    world.run()
    days_pass(world, 4)
    assert [person.state for person in world.people(journey)] == ["done"] * 3
    with tenant_scope(world.tenant):
        SegmentMember.objects.filter(contact_id=gone).delete()
        type(world.people(journey)[0].contact).objects.filter(pk=unwilling).update(consent_level=1)
    days_pass(world, 29)
    assert entries(world, journey) == {staying: 1, gone: 1, unwilling: 1}, "29 days after the end"
    days_pass(world, 2)
    assert entries(world, journey) == {staying: 2, gone: 1, unwilling: 1}
    days_pass(world, 4)
    days_pass(world, 31)
    assert entries(world, journey)[staying] == 3, "and again, 30 days after the second end"


def test_who_is_still_inside_does_not_enter_again(world: World) -> None:
    (contact,) = world.contacts(1)
    journey = world.journey(("wait", {"how": "for", "amount": 90, "unit": "days"}), **AGAIN)
    world.run()
    days_pass(world, 60)
    assert entries(world, journey) == {contact: 1}


def test_nobody_enters_again_while_the_journey_is_paused_or_over(world: World, max_: Member) -> None:
    (contact,) = world.contacts(1)
    journey = world.journey(WAIT, **AGAIN)
    world.run()
    days_pass(world, 4)
    with tenant_scope(world.tenant):
        publishing.pause(journey, max_)
    days_pass(world, 40)
    assert entries(world, journey) == {contact: 1}
    with tenant_scope(world.tenant):
        publishing.resume(journey, "now", max_)
    world.run()
    assert entries(world, journey) == {contact: 2}, "the resumed journey catches up"
    days_pass(world, 4)
    with tenant_scope(world.tenant):
        publishing.end(journey, "finish", max_)
    days_pass(world, 40)
    assert entries(world, journey) == {contact: 2}


def test_a_journey_that_gets_the_policy_later_looks_back(world: World, max_: Member) -> None:
    (contact,) = world.contacts(1)
    journey = world.journey(WAIT)
    world.run()
    days_pass(world, 4)
    days_pass(world, 40)
    with tenant_scope(world.tenant):
        journey.refresh_from_db()
        journey.reentry, journey.reentry_days = "after_days", 30
        drafting.save_settings(journey, ["reentry"], max_)
    world.run()
    assert entries(world, journey) == {contact: 2}


def test_a_form_lets_somebody_in_again_only_after_the_days(world: World) -> None:
    (contact,) = world.contacts(1)
    with tenant_scope(world.tenant):
        form = Form.objects.create(name="Guide")
    journey = world.journey(WAIT, live=False, **AGAIN)
    with tenant_scope(world.tenant):
        version = journey.versions.get()
        version.tiles["tiles"][version.tiles["root"]]["settings"] = {"source": "form", "forms": [form.pk]}
        version.save()
    world.go_live(journey)

    def submit() -> int:
        with tenant_scope(world.tenant):
            timeline.record("form.submitted", contact=contact, object_id=form.pk, detail={"submission": 0})
        world.run()
        return entries(world, journey)[contact]

    assert submit() == 1
    days_pass(world, 4)
    assert submit() == 1
    days_pass(world, 31)
    assert entries(world, journey) == {contact: 1}, "time alone lets nobody in"
    assert submit() == 2


def test_a_tenant_without_such_a_journey_is_not_looked_at(world: World) -> None:
    world.contacts(1)
    world.journey(WAIT)
    world.run()
    assert not Wakeup.objects.filter(queue="reentry").exists()
    world.journey(WAIT, name="Again", **AGAIN)
    world.run()
    (wakeup,) = Wakeup.objects.filter(queue="reentry")
    assert wakeup.due_at <= timezone.now() + timedelta(hours=1)
