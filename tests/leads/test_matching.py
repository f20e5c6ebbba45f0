"""Needs matching: leads whose person is not known, or who may be several."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts import people
from contacts.models import Contact, ContactMerge, MatchAmbiguity
from leads.models import Lead
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.cast import TenantClient
from tests.leads.files import as_csv, imported

pytestmark = pytest.mark.django_db(transaction=True)
ClientOf = Callable[..., TenantClient]
ROWS = [["phone", "subject"], ["+49 30 12345678", "Pumps"]]


@pytest.fixture
def two(acme: Tenant) -> list[Contact]:
    """Two contacts of one phone; an imported lead went to the first, who was changed last."""
    with tenant_scope(acme):
        found = [people.create_contact({"phone": "+493012345678", "last_name": name}) for name in ("One", "Two")]
        Contact.objects.filter(pk=found[1].pk).update(updated_at="2020-01-01T00:00Z")
    assert imported(acme, as_csv(ROWS), match_by="phone")["leads_new"] == 1
    return found


def act(acme: Tenant, client: TenantClient, to: str) -> Lead:
    with tenant_scope(acme):
        lead = Lead.objects.get()
    client.post(f"/sales/leads/{lead.pk}/match/", {"to": to})
    with tenant_scope(acme):
        return Lead.objects.select_related("contact").get()


def test_a_lead_of_several_candidates_is_shown_beside_them(
    acme: Tenant, two: list[Contact], sam: Member, client_of: ClientOf
) -> None:
    page = client_of(sam).get("/sales/leads/unmatched/").content.decode()
    assert "One" in page
    assert "Two" in page
    assert f'value="merge:{two[1].pk}"' in page


def test_it_may_be_the_other_one(acme: Tenant, two: list[Contact], sam: Member, client_of: ClientOf) -> None:
    client = client_of(sam)
    assert act(acme, client, f"contact:{two[1].pk}").contact == two[1]
    assert "Every lead is linked" in client.get("/sales/leads/unmatched/").content.decode()


def test_they_may_be_one_person(acme: Tenant, two: list[Contact], sam: Member, client_of: ClientOf) -> None:
    client = client_of(sam)
    assert act(acme, client, f"merge:{two[1].pk}").contact == two[0]
    with tenant_scope(acme):
        assert ContactMerge.objects.get().merged_id == two[1].pk
        assert not MatchAmbiguity.objects.filter(resolved_at=None).exists()
    assert "Every lead is linked" in client.get("/sales/leads/unmatched/").content.decode()


def test_it_may_be_left_as_it_is(acme: Tenant, two: list[Contact], sam: Member, client_of: ClientOf) -> None:
    client = client_of(sam)
    assert act(acme, client, "leave").contact == two[0]
    assert "Every lead is linked" in client.get("/sales/leads/unmatched/").content.decode()


def test_what_is_not_to_be_had_is_said_and_changes_nothing(
    acme: Tenant, two: list[Contact], sam: Member, client_of: ClientOf
) -> None:
    client = client_of(sam)
    gone = f"contact:{two[1].pk + 1_000}"
    for to in (
        "",
        "contact",
        "contact:x",
        f"contact:{10**30}",
        gone,
        f"merge:{two[0].pk}",
        "account:1",
        "new",
        "delete:1",
    ):
        assert act(acme, client, to).contact == two[0], to
        page = client.get("/sales/leads/unmatched/").content.decode()
        assert 'data-level="error"' in page, to
        assert "Pumps" in page, to
    with tenant_scope(acme):
        assert Contact.objects.count() == 2


def test_the_page_costs_the_same_for_many_leads(
    acme: Tenant, two: list[Contact], sam: Member, client_of: ClientOf
) -> None:
    client, counts = client_of(sam), []
    for number in (1, 8):
        rows = [["phone", "mail", "last", "company", "subject"]]
        rows += [["+49 30 12345678", "", "", "", f"Pumps {number} {n}"] for n in range(number)]
        imported(acme, as_csv(rows), match_by="phone")
        rows = [["mail", "last", "company", "subject"]]
        rows += [[f"x{n}@y{number}.example", f"X{n}", "Y", "Valves"] for n in range(number)]
        imported(acme, as_csv(rows), strangers="leave")
        client.get("/sales/leads/unmatched/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/sales/leads/unmatched/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
