"""Somebody is erased while she travels: the steps' sums still close, without her."""

import pytest

from contacts import erasure
from journeys import figures
from journeys.models import Participant, Visit
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.journeys.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_erased_traveller_is_stopped_where_she_waits_and_the_trace_forgets_her(acme: Tenant, world: World) -> None:
    first, second = world.contacts(2)
    journey = world.journey(("wait", {"how": "for", "amount": 3, "unit": "days"}))
    world.run()
    root, wait = world.tiles(journey)
    with tenant_scope(acme):
        erasure.erase([first], by=None)
    world.run()
    with tenant_scope(acme):
        assert list(Participant.objects.values_list("contact", "state")) == [(second, "active")]
        at_wait = figures.of_journey(journey)[wait]
        assert (at_wait.came, at_wait.waiting, at_wait.stopped, at_wait.is_closed) == (2, 1, 1, True)
        assert sorted(Visit.objects.filter(tile=root).values_list("contact_id", flat=True), key=str) == [second, None]
        assert list(Visit.objects.filter(tile=wait).values_list("contact_id", "outcome")) == [(None, "stopped")]
