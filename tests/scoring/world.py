"""Leads, facts and scoring models for tests, in one line each."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from contacts import people, timeline
from contacts.models import Contact
from contacts.timeline import Kind
from leads.creation import create_lead
from leads.models import Lead
from scoring.models import Grade, ScoringModel, ScoringRule

# Kinds of facts that no app owns, so that these tests know all that counts.
timeline.register(
    Kind("scoring.clicked", title="Clicked", icon="click", sentence="clicked"),
    Kind("scoring.visited", title="Visited", icon="click", sentence="visited"),
)
CLICKED = {"did": "scoring.clicked"}
CLICKED_LATELY = {"did": "scoring.clicked", "within_days": 30}
CLICKED_TWICE_LATELY = {"did": "scoring.clicked", "within_days": 30, "at_least": 2}
IS_HEAD = {"field": "contact.job_title", "op": "contains", "value": "head"}


def row(rule: dict[str, Any], points: int, frequency: str = "once", **extra: Any) -> ScoringRule:
    """A row that is not saved yet."""
    return ScoringRule(rule=rule, points=points, frequency=frequency, **extra)


def live_model(*rows: ScoringRule, threshold: int = 50, is_primary: bool = True, **extra: Any) -> ScoringModel:
    """A live model with these rows and the grades A (from 50), B (from 20) and C."""
    model = ScoringModel.objects.create(
        name=extra.pop("name", "Fit and interest"), state="live", is_primary=is_primary, threshold=threshold, **extra
    )
    for position, each in enumerate(rows):
        each.model, each.position = model, position
        each.save()
    for name, bound in (("A", 50), ("B", 20), ("C", None)):
        Grade.objects.create(model=model, name=name, lower_bound=bound)
    return model


def contact(name: str = "amara", **values: Any) -> Contact:
    account = values.pop("account", None)
    given = {"first_name": name.title(), "email": f"{name}@example.com", **values}
    return people.create_contact(given, account=account)


def lead(name: str = "amara", **values: Any) -> Lead:
    """A lead with a contact of its own."""
    return create_lead("Wants a demo", contact=contact(name, **values), source="test")


def happened(kind: str, who: Contact, days_ago: float = 0) -> None:
    timeline.record(kind, contact=who, occurred_at=timezone.now() - timedelta(days=days_ago))
