"""What is known of the people that a batch is about, by a few statements for all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection as database

from contacts import consent, timeline
from contacts.models import Contact, Interaction
from contacts.timeline import TABLE
from integrations.crm import ours
from leads.models import Lead, Stage, StageChange

# How many of the last interactions the summary for sales names.
LATEST = 5


@dataclass
class People:
    """Refusals by contact; for summaries what they did last, and why each lead was handed over last."""

    refused: set[int]
    is_opt_out: bool
    latest: Mapping[int, list[Interaction]] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)

    def refusals(self, record: Any) -> dict[str, bool]:
        """What the person of a lead or contact does not want; nothing for a company."""
        if isinstance(record, Lead):
            return ours.refuses(record.contact, self.refused, self.is_opt_out)
        if isinstance(record, Contact):
            return ours.refuses(record, self.refused, self.is_opt_out)
        return {}


def know(records: Iterable[Any], *, for_summaries: bool = False) -> People:
    """Look up the people of contacts and leads."""
    records = list(records)
    ids = {pk for record in records if (pk := _contact_of(record))}
    found = People(consent.refused_among(ids), consent.is_opt_out())
    if for_summaries:
        found.latest = _latest(sorted(ids))
        found.reasons = _reasons([record.pk for record in records if isinstance(record, Lead)])
    return found


def _contact_of(record: Any) -> int | None:
    if isinstance(record, Lead):
        return record.contact_id
    return record.pk if isinstance(record, Contact) else None


def _reasons(lead_ids: list[int]) -> dict[int, str]:
    """Why leads were handed to sales, the last time."""
    changes = StageChange.objects.filter(lead__in=lead_ids, to_stage=Stage.HANDED_OFF).order_by("pk")
    return dict(changes.values_list("lead", "reason"))


def _latest(ids: list[int]) -> dict[int, list[Interaction]]:
    """The last things that each of the contacts did herself. Index: interaction_of_contact, once per contact."""
    with database.cursor() as cursor:
        cursor.execute(
            f"""SELECT done.id FROM unnest(%(ids)s::bigint[]) AS person (id) CROSS JOIN LATERAL (
                  SELECT id FROM {TABLE} WHERE contact_id = person.id AND kind = ANY(%(kinds)s)
                  ORDER BY occurred_at DESC LIMIT %(count)s) done""",
            {"ids": ids, "kinds": timeline.activity_kinds(), "count": LATEST},
        )
        rows = [pk for (pk,) in cursor.fetchall()]
    found: dict[int, list[Interaction]] = {}
    for row in Interaction.objects.filter(contact_id__in=ids, pk__in=rows).order_by("-occurred_at", "-pk"):
        found.setdefault(row.contact_id or 0, []).append(row)
    return found
