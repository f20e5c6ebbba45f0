"""The tile that sets a contact's field."""

from collections.abc import Callable
from typing import Any

import pytest

from contacts import custom
from contacts.models import Contact, Field, Interaction
from journeys import publishing
from journeys.models import JourneyVersion, Participant
from tenants.models import Member
from tenants.scope import tenant_scope
from tests.journeys.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own(world: World) -> dict[str, Field]:
    with tenant_scope(world.tenant):
        made = [
            Field.objects.create(entity="contact", key="tier", label="Tier", type="choice", options=["gold", "silver"]),
            Field.objects.create(entity="contact", key="seats", label="Seats", type="number"),
            Field.objects.create(entity="contact", key="vip", label="Important", type="boolean"),
            Field.objects.create(entity="contact", key="renewal", label="Renewal", type="date"),
            Field.objects.create(entity="contact", key="salary", label="Salary", type="number", is_sensitive=True),
        ]
        return {field.key: field for field in made}


@pytest.mark.parametrize(
    ("key", "entered", "refused", "stored", "said"),
    [
        ("tier", "gold", "bronze", "gold", "Tier: gold"),
        ("seats", "25", "many", 25, "Seats: 25"),
        ("vip", "true", "perhaps", True, "Important: yes"),
        ("renewal", "2027-01-31", "2027-31-01", "2027-01-31", "Renewal: 2027-01-31"),
    ],
)
def test_an_own_field_is_set_as_its_type_asks(
    key: str, entered: str, refused: str, stored: Any, said: str,
    world: World, own: dict[str, Field], max_: Member, client_of: Callable,
) -> None:  # fmt: skip
    journey = world.journey(("update_record", {}), live=False)
    tile = f"/journeys/{journey.pk}/tiles/{world.tiles(journey)[1]}/"
    client = client_of(max_)
    shown = client.get(tile).content.decode()
    assert own[key].label in shown
    assert "Salary" not in shown
    change = {"revision": 0, "field": f"custom.{key}"}
    assert client.post(tile, {**change, f"to_custom_{key}": refused}).status_code == 422
    assert client.post(tile, {**change, f"to_custom_{key}": entered, "to_custom_seats": entered}).status_code == 302
    assert said in client.get(f"/journeys/{journey.pk}/").content.decode()
    (contact,) = world.contacts(1, custom={"colour": "red"})
    world.go_live(journey)
    world.run()
    with tenant_scope(world.tenant):
        assert Contact.objects.get(pk=contact).custom == {"colour": "red", key: stored}
        fact = Interaction.objects.get(kind="contact.changed")
        assert fact.detail["names"] == own[key].label
        assert (fact.journey_id, fact.tile, fact.depth) == (journey.pk, world.tiles(journey)[1], 1)


def test_a_field_of_every_contact_is_checked_too(world: World, max_: Member, client_of: Callable) -> None:
    journey = world.journey(("update_record", {}), live=False)
    tile = f"/journeys/{journey.pk}/tiles/{world.tiles(journey)[1]}/"
    client = client_of(max_)
    assert client.post(tile, {"revision": 0, "field": "country", "to_country": "Atlantis"}).status_code == 422
    assert client.post(tile, {"revision": 0, "field": "country", "to_country": "DE"}).status_code == 302
    with tenant_scope(world.tenant):
        settings = JourneyVersion.objects.get().tiles["tiles"][world.tiles(journey)[1]]["settings"]
    assert settings == {"field": "country", "value": "DE"}


def test_a_retired_field_stands_against_going_live_and_holds_people_when_it_goes_later(
    world: World, own: dict[str, Field], max_: Member, client_of: Callable
) -> None:
    (contact,) = world.contacts(1)
    settings = {"field": "custom.tier", "value": "gold"}
    journey = world.journey(("wait", {"how": "for", "amount": 1, "unit": "days"}), ("update_record", settings))
    world.run()
    with tenant_scope(world.tenant):
        assert custom.used_by(own["tier"]) == ["Journey: Nurture"]
        custom.retire(own["tier"], by=max_)
        live = JourneyVersion.objects.select_related("journey").get()
        assert [str(issue.message) for issue in publishing.check(live)] == ["There is no field “tier”."]
    world.pass_time(days=2)
    with tenant_scope(world.tenant):
        person = Participant.objects.get(contact_id=contact)
        assert person.state == "active"
        assert Contact.objects.get(pk=contact).custom == {}
    page = client_of(max_).get(f"/journeys/people/{person.pk}/").content.decode()
    assert "held up: There is no field “tier”." in page
    assert journey.pk == person.journey_id
