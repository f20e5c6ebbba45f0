"""Changing what is known about a lead."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from contacts import search, timeline
from leads.creation import ENTERED, SEARCH_KIND, fitting, search_texts
from leads.models import Lead
from leads.moves import about
from tenants.models import Member

EDITABLE = ("topic", *ENTERED)


@transaction.atomic
def update_lead(lead: Lead, values: Mapping[str, Any], by: Member | None = None) -> dict[str, list[str]]:
    """Set EDITABLE columns, and record what changed; returns {column: [before, after]} (empty: nothing changed)."""
    unknown = set(values) - set(EDITABLE)
    if unknown:
        raise TypeError(f"a lead has no {', '.join(sorted(unknown))}")
    wanted = {name: fitting(name, value) for name, value in values.items()}
    before = Lead.objects.select_for_update().values(*EDITABLE).get(pk=lead.pk)
    changes = {name: [before[name], value] for name, value in wanted.items() if value != before[name]}
    if not changes:
        return {}
    Lead.objects.filter(pk=lead.pk).update(**{name: new for name, (_old, new) in changes.items()}, updated_at=Now())
    lead.refresh_from_db(fields=EDITABLE)
    search.index(SEARCH_KIND, lead.pk, *search_texts(lead))
    record_change(lead, changes, by)
    return changes


def record_change(lead: Lead, changes: Mapping[str, list[str]], by: Member | None = None) -> None:
    """Record what changed about a lead: {field: [before, after]}."""
    names = ", ".join(str(Lead._meta.get_field(name).verbose_name) for name in changes)  # type: ignore[union-attr]
    detail = {"lead": lead.topic, "fields": dict(changes), "names": names}
    timeline.record_many("lead.changed", [{**about(lead, by=by), "detail": detail}])
