"""The journey tile that calls a webhook, on a real engine and a real receiver."""

from collections.abc import Callable
from typing import Any

import pytest

from contacts.models import Account, Contact
from integrations.models import Delivery
from integrations.webhooks import endpoints
from journeys import entering, people, publishing
from journeys.models import Journey, JourneyVersion, Participant, Visit
from journeys.publishing import NotPossible
from leads.models import Lead
from tenants.models import Member
from tenants.scope import tenant_scope
from tests.integrations.world import World
from tests.journeys.world import World as Journeys
from tests.standins.receiver import Say

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = ("wait", {"how": "for", "amount": 3, "unit": "days"})


@pytest.fixture
def journeys(world: World) -> Journeys:
    return Journeys(world.tenant)


def call(world: World, **settings: Any) -> tuple[str, dict[str, Any]]:
    """A step that calls Acme's endpoint and waits for 15 minutes."""
    given = {"endpoint": world.endpoint.pk, "url": "", "contact_fields": [], "lead_fields": []}
    return "webhook", {**given, "expects": "answer", "amount": 15, "unit": "minutes", **settings}


def run(world: World, journeys: Journeys) -> None:
    """The engine, the sender, and the engine again."""
    journeys.run()
    journeys.look_soon()


def outcomes(world: World) -> list[tuple[str, str]]:
    """(outcome, why) of the visits at the webhook's tile."""
    with tenant_scope(world.tenant):
        found = Visit.objects.exclude(outcome="next").exclude(outcome="stopped").order_by("participant_id")
        return [(visit.outcome, visit.detail.get("because", "")) for visit in found]


def test_the_chosen_fields_are_sent_and_the_contact_goes_on_when_the_receiver_has_taken_it(
    world: World, journeys: Journeys
) -> None:
    (amara,) = journeys.contacts(1)
    with tenant_scope(world.tenant):
        account = Account.objects.create(name="Nordwind", name_key="nordwind", domain="nordwind.example")
        Contact.objects.filter(pk=amara).update(account=account)
    fields = {"contact_fields": ["email", "account_name"], "lead_fields": ["topic", "stage"]}
    lead = ("create_lead", {"topic": "Demo", "source": "journey", "match": "new", "assign": ""})
    journey = journeys.journey(lead, call(world, **fields), WAIT)
    run(world, journeys)
    (received,) = world.receiver.taken()
    with tenant_scope(world.tenant):
        made = Lead.objects.get()
    assert received.json["type"] == "journey.webhook"
    assert received.json["data"] == {
        "version": 1,
        "journey": {"id": journey.pk, "name": "Nurture"},
        "contact": {"id": amara, "email": "p0@example.org", "account_name": "Nordwind"},
        "lead": {"id": made.pk, "topic": "Demo", "stage": "inquiry"},
    }
    assert "webhook-signature" in received.headers
    assert outcomes(world) == [("ok", "the receiver took it")]
    assert journeys.people(journey)[0].tile == journeys.tiles(journey)[3]


def test_who_is_refused_goes_by_failed(world: World, journeys: Journeys) -> None:
    journeys.contacts(1)
    world.receiver.script = [Say(422)]
    journeys.journey(call(world), WAIT)
    run(world, journeys)
    assert outcomes(world) == [("failed", "the receiver does not take it")]


def test_while_the_receiver_is_tried_again_the_contact_waits(world: World, journeys: Journeys) -> None:
    journeys.contacts(1)
    world.receiver.script = [Say(500)]
    journey = journeys.journey(call(world), WAIT)
    run(world, journeys)
    assert outcomes(world) == []
    assert journeys.people(journey)[0].tile == journeys.tiles(journey)[1]
    world.pass_time(seconds=10)
    run(world, journeys)
    assert outcomes(world) == [("ok", "the receiver took it")]


def test_after_the_time_out_the_contact_goes_by_failed_and_nothing_more_is_sent(
    world: World, journeys: Journeys
) -> None:
    journeys.contacts(1)
    world.receiver.decide = lambda body: Say(503)
    journeys.journey(call(world), WAIT)
    run(world, journeys)
    before = len(world.receiver.calls)
    journeys.pass_time(minutes=16)
    assert outcomes(world) == [("failed", "no answer within 15 minutes")]
    world.receiver.decide = lambda body: None
    world.pass_time(minutes=16)
    assert len(world.receiver.calls) == before
    (delivery,) = world.deliveries()
    assert (delivery.state, delivery.reason) == (Delivery.State.CANCELLED, "expired")


def test_who_need_not_wait_goes_on_at_once(world: World, journeys: Journeys) -> None:
    journeys.contacts(2)
    world.receiver.decide = lambda body: Say(500)
    journey = journeys.journey(call(world, expects="nothing"), WAIT)
    journeys.run()
    assert [person.tile for person in journeys.people(journey)] == [journeys.tiles(journey)[2]] * 2
    world.receiver.decide = lambda body: None
    world.pass_time(seconds=10)
    assert len(world.receiver.taken()) == 2


def test_an_address_of_its_own_is_called_without_a_signature(world: World, journeys: Journeys) -> None:
    journeys.contacts(1)
    world.receiver.secrets = None
    journeys.journey(call(world, endpoint=None, url=f"{world.receiver.url}/own"))
    run(world, journeys)
    (received,) = world.receiver.taken()
    assert received.path == "/own"
    assert "webhook-signature" not in received.headers
    assert received.id


def test_a_participant_is_told_about_once_however_often_the_tile_looks(world: World, journeys: Journeys) -> None:
    journeys.contacts(3)
    world.receiver.decide = lambda body: Say(500)
    journeys.journey(call(world), WAIT)
    for _ in range(3):
        run(world, journeys)
        with tenant_scope(world.tenant):
            Participant.objects.update(due_at="2026-01-01T00:00Z")
    assert len(world.deliveries()) == 3


def test_a_paused_journey_holds_what_it_has_ordered(world: World, journeys: Journeys) -> None:
    journeys.contacts(1)
    world.receiver.script = [Say(500)]
    journey = journeys.journey(call(world), WAIT)
    run(world, journeys)
    with tenant_scope(world.tenant):
        publishing.pause(journey, world.owner)
    world.pass_time(seconds=10)
    assert world.receiver.taken() == []
    with tenant_scope(world.tenant):
        publishing.resume(journey, publishing.Resume.SHIFT, world.owner)
    world.pass_time(seconds=1)
    assert len(world.receiver.taken()) == 1


def test_for_who_is_taken_out_nothing_more_is_sent(world: World, journeys: Journeys) -> None:
    journeys.contacts(1)
    world.receiver.script = [Say(500)]
    journey = journeys.journey(call(world), WAIT)
    run(world, journeys)
    (person,) = journeys.people(journey)
    with tenant_scope(world.tenant):
        people.take_out(person, world.owner)
    world.pass_time(seconds=10)
    assert world.receiver.taken() == []
    assert world.states() == [Delivery.State.CANCELLED]


@pytest.mark.parametrize(("expects", "outcome"), [("answer", "failed"), ("nothing", "ok")])
def test_without_its_webhook_a_live_journey_goes_on_and_says_so(
    world: World, journeys: Journeys, expects: str, outcome: str
) -> None:
    journeys.journey(call(world, expects=expects), WAIT)
    with tenant_scope(world.tenant):
        endpoints.remove(world.endpoint, world.owner)
    (amara,) = journeys.contacts(1)
    journeys.run()
    with tenant_scope(world.tenant):
        journey = Journey.objects.get()
        entering.enter(journey, journey.versions.get(state="live").tiles, [(amara, None)])
    run(world, journeys)
    assert outcomes(world) == [(outcome, "the webhook is disabled or gone")]


def test_a_journey_whose_webhook_is_disabled_does_not_go_live(world: World, journeys: Journeys) -> None:
    with tenant_scope(world.tenant):
        endpoints.disable(world.endpoint, "broken")
    journey = journeys.journey(call(world), live=False)
    with pytest.raises(NotPossible, match="disabled"):
        journeys.go_live(journey)


def test_a_marketer_sets_the_tile_up_and_sees_request_and_response_from_the_trace(
    world: World, journeys: Journeys, max_: Member, client_of: Callable[..., Any]
) -> None:
    client = client_of(max_)
    journeys.contacts(1)
    journey = journeys.journey(("webhook", {}), live=False)
    with tenant_scope(world.tenant):
        version = JourneyVersion.objects.get()
    key = next(key for key, tile in version.tiles["tiles"].items() if tile["kind"] == "webhook")
    path, given = f"/journeys/{journey.pk}/tiles/{key}/", {"revision": 0, "amount": 5, "unit": "minutes"}
    assert "Call webhook" in client.get(path).content.decode()
    given |= {"expects": "answer", "contact_fields": ["email"]}
    for url in ("", "https://127.1/", "http://hooks.example.com/"):
        assert client.post(path, {**given, "url": url}).status_code == 422
    both = {"url": "https://127.1/", "endpoint": world.endpoint.pk}
    assert client.post(path, {**given, **both}).status_code == 302, "beside a webhook no address counts"
    assert "/in" in client.get(f"/journeys/{journey.pk}/").content.decode()
    journeys.go_live(journey)
    run(world, journeys)
    (person,) = journeys.people(journey)
    trace = client.get(f"/journeys/people/{person.pk}/").content.decode()
    link = f"/integrations/webhooks/calls/{person.pk}/{key}/"
    assert link in trace
    page = client.get(link).content.decode()
    assert "p0@example.org" in page
    assert "thanks" in page
    assert "Send again" not in page, "that is for owners"


def test_a_call_of_which_nothing_is_kept_says_so(
    world: World, journeys: Journeys, max_: Member, client_of: Callable[..., Any]
) -> None:
    journeys.contacts(1)
    journey = journeys.journey(WAIT)
    journeys.run()
    (person,) = journeys.people(journey)
    client = client_of(max_)
    page = client.get(f"/integrations/webhooks/calls/{person.pk}/{person.tile}/")
    assert "Nothing to show" in page.content.decode()
    assert client.get("/integrations/webhooks/calls/999999/x/").status_code == 404
