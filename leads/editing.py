"""Changing what is known about a lead."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from contacts import custom, search, timeline
from leads.creation import ENTERED, SEARCH_KIND, fitting, search_texts
from leads.models import Lead
from leads.moves import about
from tenants.models import Member

EDITABLE = ("topic", *ENTERED)


@transaction.atomic
def update_lead(lead: Lead, values: Mapping[str, Any], by: Member | None = None) -> dict[str, list[Any]]:
    """Set EDITABLE columns and the own fields in `custom`, and record what changed.

    Returns {column or `custom.<key>`: [before, after]}; empty: nothing changed.
    """
    own = dict(values.get("custom", {}))
    unknown = set(values) - set(EDITABLE) - {"custom"}
    if unknown:
        raise TypeError(f"a lead has no {', '.join(sorted(unknown))}")
    wanted = {name: fitting(name, value) for name, value in values.items() if name != "custom"}
    before = Lead.objects.select_for_update().values(*EDITABLE, "custom").get(pk=lead.pk)
    kept = before["custom"]
    changes = {name: [before[name], value] for name, value in wanted.items() if value != before[name]}
    changes |= {f"custom.{key}": [kept.get(key), value] for key, value in own.items() if value != kept.get(key)}
    if not changes:
        return {}
    columns = {name: value for name, value in wanted.items() if name in changes}
    Lead.objects.filter(pk=lead.pk).update(**columns, custom={**kept, **own}, updated_at=Now())
    lead.refresh_from_db(fields=[*EDITABLE, "custom"])
    search.index(SEARCH_KIND, lead.pk, *search_texts(lead))
    record_change(lead, changes, by)
    return changes


def record_change(lead: Lead, changes: Mapping[str, list[Any]], by: Member | None = None) -> None:
    """Record what changed about a lead: {field: [before, after]}."""
    detail = {"lead": lead.topic, "fields": dict(changes), "names": ", ".join(_names(changes))}
    timeline.record_many("lead.changed", [{**about(lead, by=by), "detail": detail}])


def _names(changes: Mapping[str, list[Any]]) -> list[str]:
    """What the fields that changed are called."""
    own = custom.fields("lead") if any(name.startswith("custom.") for name in changes) else {}
    labels = {f"custom.{key}": field.label for key, field in own.items()}
    return [labels.get(name) or str(Lead._meta.get_field(name).verbose_name) for name in changes]  # type: ignore[union-attr]
