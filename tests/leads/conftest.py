"""People and leads that these tests start from.

This file is read before Django is set up, so the fixtures import what they need themselves.
"""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def kim(acme: Any) -> Any:
    """A second sales rep of Acme."""
    from tests.cast import join

    return join(acme, "Kim", "sales_rep")


@pytest.fixture
def person(acme: Any) -> Any:
    """Priya of Initech, known to Acme."""
    from contacts import people
    from tenants.scope import tenant_scope

    with tenant_scope(acme):
        account = people.create_account({"name": "Initech", "domain": "initech.example", "country": "DE"})
        values = {"first_name": "Priya", "last_name": "Raman", "email": "priya@initech.example"}
        return people.create_contact(values, account=account)


@pytest.fixture
def make_lead(acme: Any) -> Callable[..., Any]:
    """`make_lead(contact=person, stage="mql", score=62)`: a lead of Acme that already stands somewhere."""
    from leads import queries
    from leads.lifecycle import create_lead
    from leads.models import Lead
    from tenants.scope import tenant_scope

    def make(topic: str = "Pumps", *, contact: Any = None, values: Any = None, **columns: Any) -> Lead:
        with tenant_scope(acme):
            lead = create_lead(topic, contact=contact, source="manual", values=values)
            if columns:
                Lead.objects.filter(pk=lead.pk).update(**columns)
            return queries.shown().get(pk=lead.pk)

    return make


@pytest.fixture
def mql(make_lead: Callable[..., Any], person: Any) -> Any:
    """Priya's lead, sales-ready with 62 points."""
    return make_lead(contact=person, stage="mql", score=62, grade="B")


@pytest.fixture
def record_score() -> Callable[..., None]:
    """`record_score(lead, 40, 62)`: what scoring records when a lead's score changes; the threshold is 50."""
    from contacts import timeline
    from leads.models import Lead

    def record(lead: Lead, before: int | None, after: int, **detail: Any) -> None:
        Lead.objects.filter(pk=lead.pk).update(score=after)
        detail = {"model": "Fit", "from": before, "to": after, "threshold": 50, "is_primary": True, **detail}
        timeline.record("score.changed", lead=lead, contact=lead.contact_id, object_id=1, detail=detail)

    return record
