"""The page of the lead rules, and what it changes elsewhere."""

from collections.abc import Callable

import pytest
from django.test import Client

from contacts import custom
from contacts.models import Interaction
from leads import preferences
from leads.models import Lead, Stage
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
Clients = Callable[..., Client]
FORM = {
    "qualifies_by": "all",
    "assign_by": ["territory", "round_robin"],
    "sla_hours": "8",
    "cool_down_days": "0",
    "margin_percent": "0",
}


def test_the_rules_are_the_owner_s_and_count_at_once(
    acme: Tenant, ana: Member, sam: Member, client_of: Clients
) -> None:
    assert client_of(sam).get("/sales/leads/rules/").status_code == 403
    client = client_of(ana)
    assert client.post("/sales/leads/rules/", {**FORM, "sla_hours": "0"}).status_code == 422
    client.post("/sales/leads/rules/", FORM)
    with tenant_scope(acme):
        values = preferences.values()
    assert values["auto_hand_off"] is False
    assert (values["sla_hours"], values["qualifies_by"]) == (8, "all")
    assert values["assign_by"] == ["territory", "round_robin"]


def test_the_company_s_names_of_stages_are_shown_everywhere(
    acme: Tenant, ana: Member, mql: Lead, client_of: Clients
) -> None:
    client = client_of(ana)
    client.post("/sales/leads/rules/", {**FORM, "stage_mql": "Hot", "stage_sal": "Taken up"})
    pages = ("sales/leads/", "sales/leads/board/", f"sales/leads/{mql.pk}/", f"sales/leads/{mql.pk}/disqualify/")
    for page in (*pages, "company/search/?q=pumps", "audience/contacts/"):
        text = client.get(f"/{page}").content.decode()
        assert "Hot" in text, page
        assert "Marketing-qualified" not in text, page
    assert "Hot" in client.get("/insights/").content.decode()
    client.post(f"/sales/leads/{mql.pk}/accept/")
    with tenant_scope(acme):
        row = Interaction.objects.filter(kind="lead.stage_changed").order_by("-pk")[0]
        assert (row.detail["from_name"], row.detail["to_name"]) == ("Hot", "Taken up")
        assert Lead.objects.get().stage == Stage.SAL, "the meaning stays"


def test_two_stages_cannot_have_one_name(ana: Member, client_of: Clients) -> None:
    answer = client_of(ana).post("/sales/leads/rules/", {**FORM, "stage_mql": "engaged"})
    assert answer.status_code == 422
    assert "Another stage has this name." in answer.content.decode()


def test_the_company_s_own_fields_are_on_the_lead_s_form_and_page(
    acme: Tenant, ana: Member, sam: Member, client_of: Clients
) -> None:
    with tenant_scope(acme):
        custom.create("lead", "pallets", "Pallets a day", "number", by=ana)
        custom.create("lead", "region", "Region", "choice", ["North", "South"], by=ana)
    client = client_of(sam)
    form = {"topic": "Shelves", "last_name": "Holm", "custom_pallets": "400", "custom_region": "North"}
    assert "Pallets a day" in client.get("/sales/leads/new/").content.decode()
    assert client.post("/sales/leads/new/", {**form, "custom_pallets": "many"}).status_code == 422
    client.post("/sales/leads/new/", form)
    with tenant_scope(acme):
        lead = Lead.objects.get()
    assert lead.custom == {"pallets": 400, "region": "North"}
    page = client.get(f"/sales/leads/{lead.pk}/").content.decode()
    assert "Pallets a day" in page
    assert "400" in page
    client.post(f"/sales/leads/{lead.pk}/edit/", {**form, "custom_pallets": "500"})
    with tenant_scope(acme):
        assert Lead.objects.get().custom == {"pallets": 500, "region": "North"}
        row = Interaction.objects.get(kind="lead.changed")
        assert row.detail["fields"] == {"custom.pallets": [400, 500]}
        assert row.detail["names"] == "Pallets a day"
