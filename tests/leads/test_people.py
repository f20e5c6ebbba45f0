"""What becomes of leads when their contacts are merged or erased."""

from collections.abc import Callable

import pytest

from contacts import merging, people, search
from contacts.models import Contact, ContactFacts
from contacts.registry import Erased
from leads.erasing import erase
from leads.models import Lead, Stage
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
MakeLead = Callable[..., Lead]


def test_a_merged_contact_s_leads_and_stage_are_the_survivor_s(
    acme: Tenant, ana: Member, person: Contact, make_lead: MakeLead
) -> None:
    with tenant_scope(acme):
        twin = people.create_contact({"first_name": "Priya", "last_name": "Raman", "phone": "+4930123456"})
        lead = make_lead(contact=twin, stage=Stage.SAL)
        merging.merge(person, twin, by=ana)
        assert Lead.objects.get(pk=lead.pk).contact_id == person.pk
        assert ContactFacts.objects.get(contact=person).stage == Stage.SAL


def test_erasing_a_person_forgets_what_was_entered_and_keeps_the_lead(
    acme: Tenant, person: Contact, make_lead: MakeLead
) -> None:
    hers = make_lead("Pumps", contact=person, values={"description": "My number is 123"})
    by_address = make_lead("Valves", values={"email": person.email, "last_name": "Raman"})
    other = make_lead("Seals", values={"email": "ada@globex.example", "last_name": "Lovelace"})
    with tenant_scope(acme):
        erase(Erased([person.pk], [person.email]))
        assert Lead.objects.get(pk=hers.pk).description == ""
        forgotten = Lead.objects.get(pk=by_address.pk)
        assert (forgotten.email, forgotten.last_name, forgotten.topic) == ("", "", "Valves")
        assert Lead.objects.get(pk=other.pk).last_name == "Lovelace"
        assert search.find("raman", kinds=("lead",)) == []
        assert search.find("valves", kinds=("lead",)) == [("lead", by_address.pk)]
