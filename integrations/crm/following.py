"""What happens to a lead after its handoff: the summary that sales has of it is written anew, once an hour at most.

Hours begin at another minute for each lead, and one change stands for all that happens within an hour: its key makes a
second one impossible, and it is due when the hour ends. Whether the summary is another one then, `planning` finds out.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from contacts import timeline
from contacts.reactor import Fact
from integrations.crm import links, outbox
from integrations.crm.planning import CLOSED, SUMMARY
from integrations.models import Connection, CrmChange, Entity, RecordLink

HOUR = 3_600
# So many leads' hours begin together, so that their changes go out by few calls.
GROUPS = 12
# What a summary tells beside what people did.
_ALSO = ("score.changed", "consent.granted", "consent.refused")


def kinds() -> frozenset[str]:
    """What a summary may tell of."""
    return frozenset((*_ALSO, *timeline.activity_kinds()))


def order(connections: Sequence[Connection], facts: Iterable[Fact]) -> None:
    """Order new summaries for the leads that are with sales and that the facts are about."""
    contacts, leads = set(), set()
    for fact in facts:
        if fact.kind == "score.changed":
            leads.add(fact.lead_id)
        else:
            contacts.add(fact.contact_id)
    leads |= {lead for lead, _contact in links.leads_of(contacts - {None})}
    now = timezone.now()
    changes = [_change(link, now) for link in _linked(connections, leads - {None})]
    known = set(CrmChange.objects.filter(key__in=[one.key for one in changes]).values_list("key", flat=True))
    new = [one for one in changes if one.key not in known]
    if new:
        outbox.order(new, due_at=min(one.next_attempt_at for one in new))


def _linked(connections: Sequence[Connection], leads: set[int | None]) -> list[RecordLink]:
    """The links of leads that sales still works on. Index: link_of_object."""
    found = RecordLink.objects.filter(entity=Entity.LEAD, object_id__in=leads, state=RecordLink.State.LINKED)
    rows = found.filter(connection__in=connections).select_related("connection").order_by("pk")
    return [link for link in rows if link.standing.get("status") not in CLOSED]


def _change(link: RecordLink, now: datetime) -> CrmChange:
    hour, ends_at = _hour(link.object_id or 0, now)
    return CrmChange(
        connection=link.connection,
        key=f"summary:{link.connection_id}:{link.object_id}:{hour}",
        kind=CrmChange.Kind.UPDATE,
        entity=Entity.LEAD,
        object_id=link.object_id,
        fields=[SUMMARY],
        next_attempt_at=ends_at,
    )


def _hour(lead_id: int, now: datetime) -> tuple[int, datetime]:
    """(number, end) of the lead's hour."""
    late = lead_id % GROUPS * (HOUR // GROUPS)
    number = (int(now.timestamp()) - late) // HOUR
    return number, datetime.fromtimestamp(0, UTC) + timedelta(seconds=(number + 1) * HOUR + late)
