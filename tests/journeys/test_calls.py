"""The call that a journey plans: at the lead, for the rep who has it, completed where she works."""

from collections.abc import Callable

import pytest

from contacts.models import Contact
from leads import activities, assignment, creation
from leads.models import Activity, Lead
from tenants.models import Member
from tenants.scope import tenant_scope
from tests.cast import join
from tests.journeys.world import Step, World

pytestmark = pytest.mark.django_db(transaction=True)
LEAD: Step = ("create_lead", {"topic": "Robots", "source": "journey", "match": "match", "assign": ""})
CALL: Step = (
    "activity",
    {"kind": "call", "subject": "Call about robots", "notes": "", "owner": "lead", "amount": 1, "unit": "days"},
)


@pytest.fixture
def nora(world: World) -> Member:
    """Another sales rep of Acme."""
    return join(world.tenant, "Nora", Member.Role.SALES_REP)


def test_the_call_hangs_at_the_open_lead_that_was_matched(world: World, sam: Member, client_of: Callable) -> None:
    (contact,) = world.contacts(1)
    with tenant_scope(world.tenant):
        lead = creation.create_lead("Guide", contact=Contact.objects.get(pk=contact), source="form")
        assignment.assign(lead, member=sam)
    world.journey(LEAD, CALL)
    world.run()
    with tenant_scope(world.tenant):
        call = Activity.objects.get()
        assert Lead.objects.count() == 1
        assert (call.lead_id, call.contact_id, call.owner_id) == (lead.pk, contact, sam.pk)
    path = f"/sales/leads/{lead.pk}/"
    client = client_of(sam)
    assert "Done: Call about robots" in client.get(path).content.decode()
    complete = f"/sales/activities/{call.pk}/"
    assert path in client.get(f"{complete}?back=record").content.decode(), "one can go back to the lead"
    answer = client.post(complete, {"back": "record", "outcome": "Reached", "notes": "Wants two."})
    assert answer.url.endswith(path)
    page = client.get(path).content.decode()
    assert "Done: Call about robots" not in page
    assert "Wants two." in page


def test_the_call_about_a_lead_that_nobody_has_yet_goes_to_whoever_gets_it(
    world: World, max_: Member, sam: Member, nora: Member
) -> None:
    world.contacts(1)
    world.journey(LEAD, CALL, owner=max_)
    world.run()
    with tenant_scope(world.tenant):
        lead, call = Lead.objects.get(), Activity.objects.get()
        assert (call.lead_id, call.owner) == (lead.pk, None)
        own = activities.create("task", "Look them up", lead=lead, owner=sam)
        assignment.assign(lead, member=sam)
        call.refresh_from_db()
        assert call.owner_id == sam.pk
        assignment.assign(lead, member=nora)
        for activity, owner in ((call, nora), (own, sam)):
            activity.refresh_from_db()
            assert activity.owner_id == owner.pk, "what she planned herself stays hers"


def test_a_call_that_is_done_stays_with_who_did_it(world: World, sam: Member, nora: Member) -> None:
    world.contacts(1)
    world.journey(LEAD, CALL)
    world.run()
    with tenant_scope(world.tenant):
        lead, call = Lead.objects.get(), Activity.objects.get()
        assignment.assign(lead, member=sam)
        call.refresh_from_db()
        activities.complete(call, "Reached", "", sam)
        assignment.assign(lead, member=nora)
        call.refresh_from_db()
        assert call.owner_id == sam.pk


def test_without_a_lead_the_call_is_for_the_contacts_owner_else_the_journeys(
    world: World, max_: Member, sam: Member
) -> None:
    of_sam, of_nobody = world.contacts(2)
    with tenant_scope(world.tenant):
        Contact.objects.filter(pk=of_sam).update(owner=sam)
    world.journey(CALL, owner=max_)
    world.run()
    with tenant_scope(world.tenant):
        owners = dict(Activity.objects.values_list("contact_id", "owner_id"))
        assert owners == {of_sam: sam.pk, of_nobody: max_.pk}
