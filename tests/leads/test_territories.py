"""Territories, and the ways in which a company finds somebody for a lead."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from contacts.models import Contact
from leads import assignment, preferences, territories
from leads.models import Lead, Territory
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
MakeLead = Callable[..., Lead]
Clients = Callable[..., Client]


@pytest.fixture
def nordics(acme: Tenant, ana: Member, sam: Member, kim: Member) -> Territory:
    """Sweden and Norway, looked after by Kim."""
    with tenant_scope(acme):
        return territories.save(None, "Nordics", ["SE", "NO"], [kim], by=ana)


def given(lead: Lead) -> tuple[Member, str, str]:
    """Who gets the lead, how she was found, and why in words."""
    found = assignment.assign(lead)
    assert found is not None
    return found.member, found.method, found.why


def test_a_lead_goes_to_who_looks_after_its_country(
    acme: Tenant, kim: Member, nordics: Territory, make_lead: MakeLead
) -> None:
    lead = make_lead(values={"last_name": "Holm", "country": "SE"})
    with tenant_scope(acme):
        assert given(lead) == (kim, "territory", "Kim Acme looks after Nordics (SE).")


def test_the_contact_s_country_counts_where_the_lead_has_none(
    acme: Tenant, kim: Member, nordics: Territory, person: Contact, make_lead: MakeLead
) -> None:
    with tenant_scope(acme):
        Contact.objects.update(country="NO")
    lead = make_lead(contact=person)
    with tenant_scope(acme):
        assert given(lead)[:2] == (kim, "territory")


def test_turns_go_round_within_a_territory(
    acme: Tenant, ana: Member, sam: Member, kim: Member, nordics: Territory, make_lead: MakeLead
) -> None:
    with tenant_scope(acme):
        territories.save(nordics, "Nordics", ["SE"], [kim, sam], by=ana)
        takers = [given(make_lead(values={"last_name": "Holm", "country": "SE"})) for _ in range(3)]
    assert [member for member, _method, _why in takers] == [sam, kim, sam]
    assert takers[0][2] == "It was Sam Acme’s turn among 2 present in Nordics (SE)."


def test_where_everybody_of_the_territory_is_away_the_general_turn_decides(
    acme: Tenant, sam: Member, kim: Member, nordics: Territory, make_lead: MakeLead
) -> None:
    Member.objects.filter(pk=kim.pk).update(is_away=True)
    lead = make_lead(values={"last_name": "Holm", "country": "SE"})
    with tenant_scope(acme):
        assert given(lead)[:2] == (sam, "round_robin")


def test_a_company_chooses_its_ways(
    acme: Tenant, ana: Member, sam: Member, nordics: Territory, make_lead: MakeLead
) -> None:
    lead = make_lead(values={"last_name": "Holm", "country": "FR"})
    with tenant_scope(acme):
        preferences.save({"assign_by": ["territory"]}, by=ana)
        assert assignment.assign(lead) is None, "nobody looks after France, and the turn is not asked"
        preferences.save({"assign_by": ["round_robin"]}, by=ana)
        assert given(lead)[:2] == (sam, "round_robin")


def test_a_country_belongs_to_one_territory(acme: Tenant, ana: Member, sam: Member, nordics: Territory) -> None:
    with tenant_scope(acme):
        with pytest.raises(ValidationError, match="Nordics has SE already"):
            territories.save(None, "Baltics", ["SE", "EE"], [sam], by=ana)
        with pytest.raises(ValidationError, match="this name"):
            territories.save(None, "nordics", ["EE"], [sam], by=ana)


def test_a_territory_is_made_changed_and_deleted_by_its_page(
    acme: Tenant, ana: Member, sam: Member, client_of: Clients
) -> None:
    client = client_of(ana)
    form = {"name": "DACH", "countries": ["DE", "AT"], "members": [sam.pk]}
    assert client.post("/sales/leads/territories/new/", {**form, "countries": []}).status_code == 422
    client.post("/sales/leads/territories/new/", form)
    with tenant_scope(acme):
        made = Territory.objects.get()
        assert (made.countries, territories.members_of(made)) == (["AT", "DE"], [sam])
    assert client.post("/sales/leads/territories/new/", {**form, "name": "Other"}).status_code == 422
    client.post(f"/sales/leads/territories/{made.pk}/", {**form, "countries": ["DE", "CH"]})
    assert "CH, DE" in client.get("/sales/leads/rules/").content.decode()
    client.post(f"/sales/leads/territories/{made.pk}/delete/")
    with tenant_scope(acme):
        assert not Territory.objects.exists()
