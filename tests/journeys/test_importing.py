"""An import's trial says which journeys would start."""

import pytest

from journeys.models import Participant
from segments import lifecycle
from segments.models import Segment
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.journeys.world import World
from tests.leads.files import PEOPLE, as_csv, begin, go

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_trial_counts_who_would_enter_a_live_journey(acme: Tenant) -> None:
    world = World(acme)
    with tenant_scope(acme):
        rule = {"field": "contact.job_title", "op": "contains", "value": "Head"}
        heads = lifecycle.create({"name": "Heads", "rule": rule}, None)
        lifecycle.go_live(heads, None)
    world.run()
    world.segment = Segment(pk=heads.pk)
    world.journey(("wait", {"how": "for", "amount": 1, "unit": "days"}), name="Welcome")
    world.journey(("wait", {"how": "for", "amount": 1, "unit": "days"}), name="For the agreed", minimum_consent=4)
    batch = begin(acme, as_csv(PEOPLE))
    job = go(acme, batch, "leads.import_trial")
    assert job.result["consequences"] == {"journeys": {"Welcome": 1}}
    go(acme, batch)
    world.run()
    with tenant_scope(acme):
        assert [p.journey.name for p in Participant.objects.select_related("journey")] == ["Welcome"]
