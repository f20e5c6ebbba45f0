"""If/then by what is true of people: one rule asked of all who arrive, explained, checked, and safe when it breaks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import custom
from contacts.models import Contact, Field, Interaction
from journeys import figures, publishing
from journeys.models import Journey, JourneyVersion, Participant, Visit
from leads.models import Lead
from segments.models import Segment, SegmentMember
from tenants.models import Member
from tenants.scope import tenant_scope
from tests.journeys.world import Step, World

pytestmark = pytest.mark.django_db(transaction=True)
WAIT: Step = ("wait", {"how": "for", "amount": 3, "unit": "days"})
HEADS = {"all": [{"field": "contact.job_title", "op": "contains", "value": "Head"}]}


def outcomes(world: World, journey: Journey) -> dict[int, str]:
    """By contact: the way that she took at the second tile."""
    with tenant_scope(world.tenant):
        return dict(Visit.objects.filter(tile=world.tiles(journey)[1]).values_list("contact_id", "outcome"))


def test_people_part_at_once_by_what_is_true_of_them_and_the_visit_says_why(world: World) -> None:
    head, other = world.contacts(2)
    with tenant_scope(world.tenant):
        Contact.objects.filter(pk=head).update(job_title="Head of Sales")
    journey = world.journey(("if_then", {"rule": HEADS}), WAIT)
    world.run()
    assert outcomes(world, journey) == {head: "yes", other: "no"}
    with tenant_scope(world.tenant):
        why = dict(Visit.objects.filter(tile=world.tiles(journey)[1]).values_list("contact_id", "detail__because"))
        assert why == {head: "Job title contains “Head”", other: "not true: Job title contains “Head”"}
        told = Interaction.objects.filter(kind="journey.branched").values_list("contact_id", "detail__because")
        assert dict(told) == why
        assert all(figure.is_closed for figure in figures.of_journey(journey).values())


@pytest.mark.parametrize(
    ("field", "value"), [("score", 50), ("grade", "A"), ("stage", "mql")], ids=["score", "grade", "stage"]
)
def test_score_grade_and_stage_of_the_lead_decide(field: str, value: Any, world: World) -> None:
    ready, cold, without = world.contacts(3)
    with tenant_scope(world.tenant):
        Lead.objects.create(topic="Ready", contact_id=ready, stage="mql", score=60, grade="A", origin_key="1")
        Lead.objects.create(topic="Cold", contact_id=cold, stage="inquiry", score=5, grade="D", origin_key="2")
    op = "gte" if field == "score" else "is"
    journey = world.journey(("if_then", {"rule": {"all": [{"field": f"lead.{field}", "op": op, "value": value}]}}))
    world.run()
    assert outcomes(world, journey) == {ready: "yes", cold: "no", without: "no"}


def test_membership_decides(world: World) -> None:
    member, other = world.contacts(2)
    with tenant_scope(world.tenant):
        vips = Segment.objects.create(name="VIPs", kind="static", state="live")
        SegmentMember.objects.create(segment=vips, contact_id=member)
    journey = world.journey(("if_then", {"rule": {"member_of": vips.pk}}))
    world.run()
    assert outcomes(world, journey) == {member: "yes", other: "no"}


def test_one_statement_decides_for_any_number_of_people(world: World) -> None:
    from journeys import engine

    def statements(people: int) -> int:
        world.contacts(people)
        journey = world.journey(("if_then", {"rule": HEADS}), name=f"For {people}")
        with tenant_scope(world.tenant):
            engine.entering.enrol_chunk(Journey.objects.get(pk=journey.pk), journey.versions.get().tiles)
        engine.run_batch(world.tenant.pk, journey.pk)  # the audience
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert engine.run_batch(world.tenant.pk, journey.pk) >= people
        asked = [query for query in queries if "contacts_contact" in query["sql"] and "job_title" in query["sql"]]
        assert len(asked) == 1
        return len(queries)

    assert statements(2) == statements(40)


def unusable(world: World) -> Field:
    with tenant_scope(world.tenant):
        return Field.objects.create(entity="contact", key="tier", label="Tier")


TIER = {"any": [HEADS, {"field": "contact.custom.tier", "op": "is", "value": "gold"}]}


def test_a_rule_that_names_what_is_gone_cannot_go_live_and_says_which_condition(world: World) -> None:
    field = unusable(world)
    journey = world.journey(("if_then", {"rule": TIER}), live=False)
    with tenant_scope(world.tenant):
        draft = JourneyVersion.objects.select_related("journey").get()
        assert publishing.check(draft) == []
        Field.objects.filter(pk=field.pk).update(retired_at=timezone.now())
        (issue,) = publishing.check(draft)
        assert issue.tile == world.tiles(journey)[1]
        assert str(issue.message).startswith("Condition 2: The field “Tier” was retired.")
        with pytest.raises(publishing.NotPossible, match="Tier"):
            publishing.go_live(journey, None)
        Field.objects.all().delete()
        assert "Condition 2: The field “tier” no longer exists." in str(publishing.check(draft)[0].message)


def test_a_segment_that_is_not_live_is_named(world: World) -> None:
    with tenant_scope(world.tenant):
        idle = Segment.objects.create(name="Some day", rule=HEADS)
    world.journey(("if_then", {"rule": {"member_of": idle.pk}}), live=False)
    with tenant_scope(world.tenant):
        draft = JourneyVersion.objects.select_related("journey").get()
        assert [str(issue.message) for issue in publishing.check(draft)] == ["The segment “Some day” is not live."]
        draft.tiles["tiles"][world.tiles(draft.journey)[1]]["settings"] = {"rule": {"member_of": idle.pk + 1}}
        assert "This segment no longer exists." in str(publishing.check(draft)[0].message)


def test_a_rule_that_breaks_on_a_live_journey_holds_people_visibly_and_lets_them_go_when_it_is_mended(
    world: World, max_: Member, client_of: Callable
) -> None:
    (contact,) = world.contacts(1)
    field = unusable(world)
    journey = world.journey(WAIT, ("if_then", {"rule": TIER}))
    world.run()
    with tenant_scope(world.tenant):
        custom.retire(field, by=max_)
    world.pass_time(days=4)
    with tenant_scope(world.tenant):
        person = Participant.objects.get(contact_id=contact)
        assert person.state == "active"
        assert not Visit.objects.filter(outcome__in=("yes", "no")).exists(), "nobody is guessed about"
    client = client_of(max_)
    said = "The field “Tier” was retired."
    assert said in client.get(f"/journeys/people/{person.pk}/").content.decode()
    assert said in client.get(f"/journeys/{journey.pk}/people/").content.decode()
    assert said in client.get(f"/journeys/{journey.pk}/").content.decode()
    with tenant_scope(world.tenant):
        custom.restore(field, by=max_)
    world.pass_time(minutes=10)
    with tenant_scope(world.tenant):
        assert Visit.objects.get(outcome="no").contact_id == contact


def test_who_uses_a_segment_or_a_field_is_known(world: World, max_: Member, client_of: Callable) -> None:
    field, client = unusable(world), client_of(max_)
    with tenant_scope(world.tenant):
        asked, excluded, elsewhere = (
            Segment.objects.create(name=name, kind="static", state="live") for name in ("Asked", "Excluded", "Other")
        )
    rule = {"all": [{"member_of": asked.pk}, {"not": TIER}]}
    journey = world.journey(("if_then", {"rule": rule}), exclusion_segment=excluded)
    said = "Journey: Nurture"
    assert said not in client.get(f"/segments/{elsewhere.pk}/").content.decode()
    for segment in (world.segment, asked, excluded):
        page = client.get(f"/segments/{segment.pk}/").content.decode()
        assert said in page
        assert f"/t/acme/journeys/{journey.pk}/" in page
        client.post(f"/segments/{segment.pk}/archive/")
        with tenant_scope(world.tenant):
            assert Segment.objects.get(pk=segment.pk).state == "live"
    with tenant_scope(world.tenant):
        assert custom.used_by(field) == [said]
        Journey.objects.update(state="ended")
        assert custom.used_by(field) == []
    client.post(f"/segments/{asked.pk}/archive/")
    with tenant_scope(world.tenant):
        assert Segment.objects.get(pk=asked.pk).state == "archived"


def test_a_marketer_asks_by_the_rule_builder(world: World, max_: Member, client_of: Callable) -> None:
    journey = world.journey(("if_then", {}), live=False)
    tile = f"/journeys/{journey.pk}/tiles/{world.tiles(journey)[1]}/"
    client = client_of(max_)
    assert 'name="rule.r.mode"' in client.get(tile).content.decode()
    rows = {
        "rule.node": ["r", "r-0"],
        "rule.r.mode": "all",
        "rule.r-0.about": "field:contact.job_title",
        "rule.r-0.was": "field:contact.job_title",
        "rule.r-0.op": "contains",
        "rule.r-0.value": "",
    }
    refused = client.post(tile, {"revision": 0, "about": "is", **rows})
    assert refused.status_code == 422
    assert "is-wrong" in refused.content.decode()
    assert client.post(tile, {"revision": 0, "about": "is"}).status_code == 422
    rows["rule.r-0.value"] = "Head"
    assert client.post(tile, {"revision": 0, "about": "is", **rows}).status_code == 302
    with tenant_scope(world.tenant):
        settings = JourneyVersion.objects.get().tiles["tiles"][world.tiles(journey)[1]]["settings"]
        assert settings == {"rule": HEADS}
    assert "Job title contains “Head”?" in client.get(f"/journeys/{journey.pk}/").content.decode()
    does = {"revision": 1, "about": "does", "event": "page.visited", "amount": 2, "unit": "days"}
    assert client.post(tile, {**does, **rows}).status_code == 302
    with tenant_scope(world.tenant):
        settings = JourneyVersion.objects.get().tiles["tiles"][world.tiles(journey)[1]]["settings"]
        assert settings == {"event": "page.visited", "amount": 2, "unit": "days"}
