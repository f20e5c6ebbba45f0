from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from contacts import timeline
from contacts.models import Contact, Interaction
from journeys import engine, entering, figures, publishing, waiting
from journeys.models import Journey, Participant, Visit
from messaging.models import Message
from segments.models import Segment, SegmentMember
from tenants.models import Member
from tenants.scope import tenant_scope
from tests.journeys.world import Step, World

pytestmark = pytest.mark.django_db(transaction=True)
WAIT: Step = ("wait", {"how": "for", "amount": 3, "unit": "days"})
IF_CLICKED = {"event": "email.clicked", "amount": 2, "unit": "days"}


def place(world: World, journey: Journey) -> list[tuple[str, str]]:
    """(state, tile's number) of everybody."""
    tiles = world.tiles(journey)
    return [(person.state, str(tiles.index(person.tile))) for person in world.people(journey)]


def test_the_audience_enters_gets_mailed_waits_and_reaches_the_end(world: World, email_step: Step) -> None:
    world.contacts(3)
    journey = world.journey(email_step, WAIT)
    world.run()
    assert place(world, journey) == [("active", "2")] * 3
    with tenant_scope(world.tenant):
        assert Message.objects.filter(journey_id=journey.pk).count() == 3
    world.pass_time(days=2)
    assert place(world, journey) == [("active", "2")] * 3
    world.pass_time(days=1, hours=1)
    assert place(world, journey) == [("done", "2")] * 3
    with tenant_scope(world.tenant):
        assert Interaction.objects.filter(kind="journey.left").count() == 3
        assert Visit.objects.count() == 9


def test_who_comes_to_a_wait_rests_until_its_end_in_her_own_zone_without_another_look(
    world: World, email_step: Step
) -> None:
    zones = {"Asia/Tokyo": world.contacts(1, time_zone="Asia/Tokyo"), "Europe/Berlin": world.contacts(2)}
    journey = world.journey(email_step, WAIT, time_zone="Europe/Berlin")
    with tenant_scope(world.tenant):
        journey.refresh_from_db()
        entering.enrol_chunk(journey, journey.versions.get().tiles)
    assert [engine.run_batch(world.tenant.pk, journey.pk) for _look in range(3)] == [3, 3, 0]
    for person in world.people(journey):
        [zone] = [zone for zone, contacts in zones.items() if person.contact_id in contacts]
        assert person.due_at == person.deadline_at == waiting.later(person.arrived_at, 3, "days", ZoneInfo(zone))


def test_a_wait_until_a_date_that_is_over_lets_go_at_the_next_look(world: World) -> None:
    world.contacts(1)
    journey = world.journey(("wait", {"how": "until", "until": "2020-01-01T09:00"}))
    world.run()
    assert place(world, journey) == [("done", "1")]


def test_the_sums_of_every_tile_close(world: World, email_step: Step) -> None:
    first, *_rest = world.contacts(4)
    journey = world.journey(email_step, WAIT, ("split", {"shares": [50]}), WAIT)
    world.run()
    with tenant_scope(world.tenant):
        Contact.objects.filter(pk=first).update(is_active=False)
    world.pass_time(days=4)
    with tenant_scope(world.tenant):
        found = figures.of_journey(journey)
        assert all(figure.is_closed for figure in found.values()), found
        assert found[world.tiles(journey)[2]].stopped == 1
        figures.fold()


def test_nobody_enters_twice_when_the_audience_is_enrolled_again(world: World) -> None:
    world.contacts(2)
    journey = world.journey(WAIT)
    world.run()
    with tenant_scope(world.tenant):
        Journey.objects.update(enrolled_to=0)
        timeline.wakeups.announce("journeys")
    world.run()
    assert len(world.people(journey)) == 2


def enter_segment(world: World, contact_id: int) -> None:
    with tenant_scope(world.tenant):
        SegmentMember.objects.get_or_create(segment=world.segment, contact_id=contact_id)
        timeline.record("segment.entered", contact=contact_id, object_id=world.segment.pk)
    world.run()


@pytest.mark.parametrize(
    ("policy", "while_inside", "after_leaving"),
    [("never", 1, 1), ("after_leaving", 1, 2), ("each_time", 2, 3), ("after_days", 1, 1)],
)
def test_each_policy_of_reentry(world: World, policy: str, while_inside: int, after_leaving: int) -> None:
    (contact,) = world.contacts(1)
    journey = world.journey(WAIT, reentry=policy, reentry_days=30)
    world.run()
    enter_segment(world, contact)
    assert len(world.people(journey)) == while_inside
    world.pass_time(days=4)
    enter_segment(world, contact)
    assert len(world.people(journey)) == after_leaving


def test_a_loop_stops_after_ten_entries_and_says_so(world: World) -> None:
    (contact,) = world.contacts(1)
    journey = world.journey(("split", {"shares": [50]}), reentry="after_leaving")
    world.run()
    for _turn in range(14):
        enter_segment(world, contact)
    people = world.people(journey)
    assert len(people) == 11
    assert [person.reason for person in people if person.state == "stopped"] == ["loop"]


def test_who_may_not_take_part_does_not_enter(world: World) -> None:
    inactive, low, excluded, fine = world.contacts(4)
    with tenant_scope(world.tenant):
        Contact.objects.filter(pk=inactive).update(is_active=False)
        Contact.objects.filter(pk=low).update(consent_level=1)
        segment = Segment.objects.create(name="Customers", kind="static", state="live")
        SegmentMember.objects.create(segment=segment, contact_id=excluded)
    journey = world.journey(WAIT, minimum_consent=2, exclusion_segment_id=segment.pk)
    world.run()
    assert [person.contact_id for person in world.people(journey)] == [fine]


@pytest.mark.parametrize("why", ["inactive", "consent", "excluded"])
def test_who_may_no_longer_take_part_is_stopped_at_once(world: World, why: str) -> None:
    contact, _other = world.contacts(2)
    with tenant_scope(world.tenant):
        segment = Segment.objects.create(name="Customers", kind="static", state="live")
    journey = world.journey(WAIT, minimum_consent=2, exclusion_segment_id=segment.pk)
    world.run()
    with tenant_scope(world.tenant):
        if why == "inactive":
            Contact.objects.filter(pk=contact).update(is_active=False)
            timeline.record("contact.changed", contact=contact)
        elif why == "consent":
            Contact.objects.filter(pk=contact).update(consent_level=0)
            timeline.record("consent.refused", contact=contact)
        else:
            SegmentMember.objects.create(segment=segment, contact_id=contact)
            timeline.record("segment.entered", contact=contact, object_id=segment.pk)
    world.run()
    assert [(p.state, p.reason) for p in world.people(journey)] == [("stopped", why), ("active", "")]


def clicked(world: World, journey: Journey) -> Journey:
    """The journey with its last tile asking about its e-mail, live."""
    with tenant_scope(world.tenant):
        version = journey.versions.get()
        email, branch = world.tiles(journey)[1:3]
        version.tiles["tiles"][branch]["settings"]["email_tile"] = email
        version.save()
    world.go_live(journey)
    world.run()
    world.look_soon()
    return journey


def outcomes(world: World, journey: Journey) -> list[str]:
    tile = world.tiles(journey)[-1]
    with tenant_scope(world.tenant):
        return list(Visit.objects.filter(tile=tile).order_by("id").values_list("outcome", flat=True))


def test_a_click_decides_at_once_and_the_deadline_for_the_others(
    world: World, email_step: Step, click: Callable
) -> None:
    first, _second = world.contacts(2)
    journey = clicked(world, world.journey(email_step, ("if_then", dict(IF_CLICKED)), live=False))
    assert [p.state for p in world.people(journey)] == ["active", "active"]
    fact = click(first)
    world.run()
    assert [p.state for p in world.people(journey)] == ["done", "active"]
    world.pass_time(days=2)
    assert outcomes(world, journey) == ["yes", "no"]
    with tenant_scope(world.tenant):
        branched = Interaction.objects.filter(kind="journey.branched").order_by("id")
        assert [row.detail["branch"] for row in branched] == ["Yes", "No"]
        assert branched[0].cause_id == fact
        assert Visit.objects.get(outcome="yes").cause_id == fact


def test_a_click_on_the_message_counts_although_the_person_is_not_at_the_branch_yet(
    world: World, email_step: Step, click: Callable
) -> None:
    (contact,) = world.contacts(1)
    journey = world.journey(email_step, WAIT, ("if_then", dict(IF_CLICKED)), live=False)
    with tenant_scope(world.tenant):
        version = journey.versions.get()
        tiles = world.tiles(journey)
        version.tiles["tiles"][tiles[3]]["settings"]["email_tile"] = tiles[1]
        version.save()
    world.go_live(journey)
    world.run()
    click(contact)
    world.run()
    world.pass_time(days=3, hours=1)
    assert outcomes(world, journey) == ["yes"]


def test_a_click_after_the_deadline_is_noted_and_changes_nothing(
    world: World, email_step: Step, click: Callable
) -> None:
    (contact,) = world.contacts(1)
    journey = clicked(world, world.journey(email_step, ("if_then", dict(IF_CLICKED)), live=False))
    world.pass_time(days=3)
    assert outcomes(world, journey) == ["no"]
    late = click(contact)
    world.run()
    assert outcomes(world, journey) == ["no", "late"]
    with tenant_scope(world.tenant):
        assert Visit.objects.get(outcome="late").cause_id == late
        assert Participant.objects.get().state == "done"
        assert all(figure.is_closed for figure in figures.of_journey(journey).values())


def test_the_first_of_several_links_decides(world: World, email_step: Step, click: Callable) -> None:
    world.contacts(3)
    step = ("which_of", {"links": [link.pk for link in world.links[:2]], "amount": 2, "unit": "days"})
    journey = clicked(world, world.journey(email_step, step, live=False))
    contacts = [person.contact_id for person in world.people(journey)]
    click(contacts[0], link=1)
    click(contacts[0], link=0)
    click(contacts[1], link=2)
    world.run()
    world.pass_time(days=2)
    first = world.links[1].pk
    assert sorted(outcomes(world, journey)) == [f"link-{first}", "none", "none"]


def test_a_click_in_another_journeys_message_does_not_count(world: World, email_step: Step, click: Callable) -> None:
    (contact,) = world.contacts(1)
    journey = clicked(world, world.journey(email_step, ("if_then", dict(IF_CLICKED)), live=False))
    world.journey(email_step, name="Another")
    world.run()
    click(contact)
    world.run()
    assert [p.state for p in world.people(journey)] == ["active"]


def test_pausing_holds_people_and_messages_and_resuming_lets_them_go(
    world: World, email_step: Step, max_: Member
) -> None:
    world.contacts(2)
    journey = world.journey(WAIT, email_step, WAIT)
    world.run()
    with tenant_scope(world.tenant):
        publishing.pause(journey, max_)
    world.pass_time(days=4)
    assert place(world, journey) == [("active", "1")] * 2
    with tenant_scope(world.tenant):
        publishing.resume(journey, publishing.Resume.NOW, max_)
    world.run()
    assert place(world, journey) == [("active", "3")] * 2


def test_resuming_can_shift_the_waits_or_skip_who_is_overdue(world: World, max_: Member) -> None:
    world.contacts(1)
    journeys = [world.journey(WAIT, name=mode) for mode in ("shift", "skip")]
    world.run()
    for journey in journeys:
        with tenant_scope(world.tenant):
            publishing.pause(journey, max_)
            Journey.objects.filter(pk=journey.pk).update(paused_at=journey.created_at - timedelta(days=10))
    world.pass_time(days=4)
    for journey in journeys:
        with tenant_scope(world.tenant):
            publishing.resume(journey, journey.name, max_)
    world.run()
    assert [p.state for journey in journeys for p in world.people(journey)] == ["active", "exited"]


@pytest.mark.parametrize(("at_end", "state"), [("stop", "stopped"), ("finish", "active")])
def test_an_end_stops_everybody_or_lets_them_finish(world: World, max_: Member, at_end: str, state: str) -> None:
    world.contacts(2)
    journey = world.journey(WAIT)
    world.run()
    with tenant_scope(world.tenant):
        publishing.end(journey, at_end, max_)
    world.run()
    assert [p.state for p in world.people(journey)] == [state] * 2
    (newcomer,) = world.contacts(1)
    enter_segment(world, newcomer)
    world.pass_time(days=4)
    with tenant_scope(world.tenant):
        assert Journey.objects.get().state == "ended"
        assert Participant.objects.count() == 2


def test_a_failing_tile_keeps_its_people_and_says_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from journeys.tiles import registry

    world.contacts(2)
    journey = world.journey(WAIT, ("split", {"shares": [50]}))
    world.run()
    monkeypatch.setattr(registry._kinds["wait"], "run", lambda due: 1 / 0)
    world.pass_time(days=4)
    assert {(p.state, p.reason) for p in world.people(journey)} == {
        ("active", "error: ZeroDivisionError: division by zero")
    }
    monkeypatch.undo()
    world.pass_time(minutes=6)
    assert {p.state for p in world.people(journey)} == {"done"}


def test_a_lead_is_made_once_and_the_activity_is_about_it(world: World, max_: Member) -> None:
    from leads.models import Activity, Lead

    world.contacts(2)
    journey = world.journey(
        ("create_lead", {"topic": "Demo", "source": "journey", "match": "match", "assign": ""}),
        ("create_lead", {"topic": "Again", "source": "journey", "match": "match", "assign": ""}),
        ("activity", {"kind": "call", "subject": "Ring", "notes": "", "owner": "journey", "amount": 1, "unit": "days"}),
        ("update_record", {"field": "city", "value": "Bonn"}),
        owner=max_,
    )
    world.run()
    with tenant_scope(world.tenant):
        assert sorted(Lead.objects.values_list("topic", flat=True)) == ["Demo", "Demo"]
        assert set(Activity.objects.values_list("lead_id", flat=True)) == set(Lead.objects.values_list("pk", flat=True))
        assert set(Activity.objects.values_list("owner_id", flat=True)) == {max_.pk}
        assert set(Contact.objects.values_list("city", flat=True)) == {"Bonn"}
    assert {p.state for p in world.people(journey)} == {"done"}


def test_a_new_version_maps_people_by_their_tiles(world: World, max_: Member) -> None:
    from journeys import tree
    from journeys.models import JourneyVersion

    world.contacts(2)
    journey = world.journey(WAIT)
    world.run()
    gone = world.tiles(journey)[1]
    with tenant_scope(world.tenant):
        shape = journey.versions.get().tiles
        new = tree.insert(shape, "wait", gone, "next", {"how": "for", "amount": 5, "unit": "days"})
        tree.delete(shape, gone)
        JourneyVersion.objects.create(journey=journey, number=2, tiles=shape)
    world.go_live(journey, moves={gone: new})
    world.run()
    assert place(world, journey) == [("active", "1")] * 2
    with tenant_scope(world.tenant):
        assert all(figure.is_closed for figure in figures.of_journey(journey).values())
        shape = journey.versions.get(state="live").tiles
        tree.insert(shape, "wait", shape["root"], "next", {"how": "for", "amount": 1, "unit": "days"})
        tree.delete(shape, new)
        JourneyVersion.objects.create(journey=journey, number=3, tiles=shape)
    world.go_live(journey)
    world.run()
    assert {(p.state, p.reason) for p in world.people(journey)} == {("exited", "tile_removed")}


def test_of_two_merged_contacts_the_further_participation_goes_on(world: World, max_: Member) -> None:
    from contacts import merging

    survivor, merged = world.contacts(2)
    journey = world.journey(WAIT, WAIT)
    world.run()
    with tenant_scope(world.tenant):
        from journeys import people

        people.move_on(Participant.objects.get(contact_id=merged), "next", max_)
        merging.merge(Contact.objects.get(pk=survivor), Contact.objects.get(pk=merged), by=max_)
    world.run()
    rows = [(person.contact_id, person.state, person.reason) for person in world.people(journey)]
    assert rows == [(survivor, "stopped", "merged"), (survivor, "active", "")]
    assert place(world, journey)[1] == ("active", "2")
