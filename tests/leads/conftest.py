from collections.abc import Callable
from typing import Any

import pytest

from contacts.models import Account, Contact
from leads.lifecycle import create_lead
from leads.models import Lead, Stage
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.cast import join


@pytest.fixture
def kim(acme: Tenant) -> Member:
    """A second sales rep of Acme."""
    return join(acme, "Kim", Member.Role.SALES_REP)


@pytest.fixture
def person(acme: Tenant) -> Contact:
    """Priya of Initech, known to Acme."""
    with tenant_scope(acme):
        account = Account.objects.create(name="Initech", name_key="initech", domain="initech.example")
        return Contact.objects.create(
            first_name="Priya", last_name="Raman", email="priya@initech.example", account=account
        )


@pytest.fixture
def make_lead(acme: Tenant) -> Callable[..., Lead]:
    """`make_lead(stage=Stage.MQL, score=62)`: a lead of Acme that already stands somewhere."""

    def make(topic: str = "Pumps", *, contact: Contact | None = None, by: Member | None = None, **columns: Any) -> Lead:
        with tenant_scope(acme):
            lead = create_lead(topic, contact=contact, source="manual", by=by, values=columns.pop("values", None))
            if columns:
                Lead.objects.filter(pk=lead.pk).update(**columns)
            return Lead.objects.select_related("contact", "account", "owner__user").get(pk=lead.pk)

    return make


@pytest.fixture
def mql(make_lead: Callable[..., Lead], person: Contact) -> Lead:
    return make_lead(contact=person, stage=Stage.MQL, score=62, grade="B")
