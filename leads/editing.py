"""Changing what is known about a lead."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from contacts import custom, findable, timeline
from contacts.models.timeline import Lane
from leads.creation import ENTERED, SEARCH_KIND, fitting
from leads.models import Lead
from leads.moves import about
from tenants.models import Member

EDITABLE = ("topic", *ENTERED)


def update_lead(lead: Lead, values: Mapping[str, Any], by: Member | None = None) -> dict[str, list[Any]]:
    """Set EDITABLE columns and the own fields in `custom`, and record what changed.

    Returns {column or `custom.<key>`: [before, after]}; empty: nothing changed.
    """
    return update_leads([(lead, values)], by=by)[0]


@transaction.atomic
def update_leads(
    given: Sequence[tuple[Lead, Mapping[str, Any]]], *, by: Member | None = None, lane: str = Lane.LIVE
) -> list[dict[str, list[Any]]]:
    """The same for a set of leads, each of them once; what changed, in order. A fixed number of statements."""
    here = Lead.objects.select_for_update().filter(pk__in=[lead.pk for lead, _values in given]).order_by("pk")
    kept = {row["pk"]: row for row in here.values("pk", *EDITABLE, "custom")}
    changed: list[tuple[Lead, dict[str, list[Any]]]] = []
    for lead, values in given:
        own = dict(values.get("custom", {}))
        if unknown := set(values) - set(EDITABLE) - {"custom"}:
            raise TypeError(f"a lead has no {', '.join(sorted(unknown))}")
        before = kept[lead.pk]
        wanted = {name: fitting(name, value) for name, value in values.items() if name != "custom"}
        changes = {name: [before[name], value] for name, value in wanted.items() if value != before[name]}
        changes |= {
            f"custom.{key}": [before["custom"].get(key), value]
            for key, value in own.items()
            if value != before["custom"].get(key)
        }
        changed.append((lead, changes))
        if changes:
            for name in EDITABLE:
                setattr(lead, name, wanted.get(name, before[name]))
            lead.custom, lead.updated_at = {**before["custom"], **own}, timezone.now()
    new = [(lead, changes) for lead, changes in changed if changes]
    if new:
        Lead.objects.bulk_update([lead for lead, _changes in new], [*EDITABLE, "custom", "updated_at"])
        findable.note(SEARCH_KIND, [lead.pk for lead, _changes in new])
        record_changes(new, by, lane=lane)
    return [changes for _lead, changes in changed]


def record_change(lead: Lead, changes: Mapping[str, list[Any]], by: Member | None = None) -> None:
    """Record what changed about a lead: {field: [before, after]}."""
    record_changes([(lead, changes)], by)


def record_changes(
    changed: Sequence[tuple[Lead, Mapping[str, list[Any]]]], by: Member | None = None, *, lane: str = Lane.LIVE
) -> None:
    """The same of a set of leads."""
    labels = _labels({name for _lead, changes in changed for name in changes})
    rows = []
    for lead, changes in changed:
        names = ", ".join(labels[name] for name in changes)
        rows.append({**about(lead, by=by), "detail": {"lead": lead.topic, "fields": dict(changes), "names": names}})
    timeline.record_many("lead.changed", rows, lane=lane)


def _labels(names: Collection[str]) -> dict[str, str]:
    """What the fields that changed are called."""
    own = custom.fields("lead") if any(name.startswith("custom.") for name in names) else {}
    labels = {f"custom.{key}": field.label for key, field in own.items()}
    return {name: labels.get(name) or str(Lead._meta.get_field(name).verbose_name) for name in names}  # type: ignore[union-attr]
