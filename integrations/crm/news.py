"""What sales says of leads, opportunities and activities: it moves our lead's stage and stands in the timeline.

Standings, by our words: a lead's {"status", "reason", "owner", "owner_name", "contact", "account"}; an opportunity's
{"status", "lead", "name", "amount_minor", "currency", "closes_on", "reason"}; an activity's {"lead", "kind", "subject",
"due_at", "done", "cancelled", "outcome"}. `lead` is their key of the lead that it came from.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import timeline
from integrations.crm import links
from integrations.crm.interface import Record, Status, crms
from integrations.models import Connection, Entity, RecordLink, SalesUser
from leads import activities, assignment, lifecycle, opportunities
from leads.errors import MovedMeanwhile, NotPossible
from leads.models import Activity, Lead, Opportunity, Stage
from leads.moves import change_stage

Standing = Mapping[str, Any]


def lead(connection: Connection, mine: Lead, before: Standing, now: Standing) -> None:
    """A lead of ours stands elsewhere there."""
    if (owner := now.get("owner")) and owner != before.get("owner"):
        _owned(connection, mine, str(owner), str(now.get("owner_name") or ""), is_first=not before.get("owner"))
    status, reason = now.get("status"), str(now.get("reason") or "")
    if status in (None, before.get("status")):
        return
    moves: dict[str, Callable[[Connection, Lead, str], None]] = {
        Status.ACCEPTED: _accepted, Status.QUALIFIED: _qualified, Status.DISQUALIFIED: _disqualified,
        Status.OPEN: _reopened,
    }  # fmt: skip
    if status == Status.OPEN and before.get("status") not in (Status.QUALIFIED, Status.DISQUALIFIED):
        return
    _said(f"crm.{_KINDS[str(status)]}", connection, mine, reason=reason)
    moves[str(status)](connection, mine, reason)


_KINDS: dict[str, str] = {
    Status.ACCEPTED: "accepted",
    Status.QUALIFIED: "qualified",
    Status.DISQUALIFIED: "disqualified",
    Status.OPEN: "reopened",
}


def tell(connection: Connection, entity: str, records: Sequence[Record]) -> int:
    """What opportunities and activities say about our leads; returns how many had something new."""
    rank = crms.of(connection.system).rank
    ids = [str(record.standing["lead"]) for record in records if record.standing.get("lead")]
    of_leads = links.of_records(connection, Entity.LEAD, ids, [])
    known = links.of_records(connection, entity, [record.external_id for record in records], [])
    leads = {row.pk: row for row in Lead.objects.filter(pk__in=[link.object_id for link in of_leads.values()])}
    found: dict[str, RecordLink] = {}
    for record in records:
        link = of_leads.get(str(record.standing.get("lead")))
        mine = leads.get(link.object_id or 0) if link else None
        seen = found.get(record.external_id) or known.get(record.external_id)
        if mine is None or (seen is not None and rank(record.version) <= rank(seen.version)):
            continue
        if seen is None:
            seen = RecordLink(connection=connection, entity=entity, uid=record.uid or _uid(record))
        if entity == Entity.OPPORTUNITY:
            seen.object_id = _opportunity(connection, mine, record, seen.object_id)
        else:
            seen.object_id = _activity(connection, mine, record)
        seen.external_id, seen.version = record.external_id, record.version
        found[record.external_id] = seen
    RecordLink.objects.bulk_create([link for link in found.values() if link.pk is None])
    RecordLink.objects.bulk_update([link for link in found.values() if link.pk], ["object_id", "version"])
    return len(found)


def forget(connection: Connection, entity: str, external_ids: Sequence[str]) -> int:
    """Activities that were deleted there are planned no more; opportunities stay. Returns how many are gone."""
    if entity != Entity.ACTIVITY:
        return 0
    gone = RecordLink.objects.filter(connection=connection, entity=entity, external_id__in=external_ids)
    count = activities.drop(pk for pk in gone.values_list("object_id", flat=True) if pk)
    gone.delete()
    return count


# ---- a lead's way ----


def _accepted(connection: Connection, mine: Lead, reason: str) -> None:
    _to(mine, Stage.SAL, reason, {"accepted_at": timezone.now(), "respond_by": None})


def _qualified(connection: Connection, mine: Lead, reason: str) -> None:
    if mine.stage not in (Stage.SQL, Stage.WON, Stage.LOST):
        _accepted(connection, mine, reason)
        _to(mine, Stage.SQL, reason, {})


def _disqualified(connection: Connection, mine: Lead, reason: str) -> None:
    """It is over, or goes back to marketing if the connection says so of the reason; what was won or lost stays."""
    if mine.stage in (Stage.WON, Stage.LOST, Stage.DISQUALIFIED, Stage.RECYCLED):
        return
    why = reason or _("Disqualified in %(system)s") % {"system": connection.name}
    again = {word.casefold() for word in connection.settings.get("recycle_reasons", ())}
    if reason.casefold() in again:
        _try(lambda: lifecycle.recycle(mine, why))
    else:
        _try(lambda: lifecycle.disqualify(mine, why))


def _reopened(connection: Connection, mine: Lead, reason: str) -> None:
    why = _("Reopened in %(system)s") % {"system": connection.name}
    if mine.stage == Stage.DISQUALIFIED:
        _try(lambda: lifecycle.reopen(mine, reason=why))
    if mine.stage in (Stage.ENGAGED, Stage.RECYCLED):
        _accepted(connection, mine, why)


def _to(mine: Lead, stage: str, reason: str, changes: Mapping[str, Any]) -> None:
    if mine.stage != stage:
        _try(lambda: change_stage(mine, stage, reason=reason, changes=changes))


def _try(move: Callable[[], Any]) -> None:
    """A lead that has gone elsewhere meanwhile stays there: the timeline has what sales said."""
    try:
        with transaction.atomic():
            move()
    except (NotPossible, MovedMeanwhile):
        return


def _owned(connection: Connection, mine: Lead, owner: str, name: str, *, is_first: bool) -> None:
    """Somebody else looks after it there: the member who that is gets it here; who it was given to first is no news."""
    user = SalesUser.objects.filter(connection=connection, external_id=owner).select_related("member__user").first()
    member = user.member if user and user.member and user.member.is_active else None
    if member is not None and member.pk == mine.owner_id:
        return
    if member is None and is_first:
        return
    shown = name or (user.name if user else "") or _("somebody")
    _said("crm.owner_changed", connection, mine, owner=shown)
    if member is not None:
        why = _("Assigned in %(system)s.") % {"system": connection.name}
        assignment.give(mine, assignment.Choice(member, assignment.BY_HAND, why))


# ---- what becomes of it ----


def _opportunity(connection: Connection, mine: Lead, record: Record, known: int | None) -> int:
    """Ours of an opportunity of theirs: made, brought up to date, won or lost as theirs is; returns its id."""
    said = record.standing
    if mine.stage not in (Stage.SQL, Stage.WON, Stage.LOST):
        _qualified(connection, mine, "")
    amount, closes_on = said.get("amount_minor"), said.get("closes_on")
    values: dict[str, Any] = {
        "name": (str(said.get("name") or "") or mine.topic)[:200],
        "amount_minor": amount,
        "currency": str(said.get("currency") or ""),
        "closes_on": date.fromisoformat(str(closes_on)[:10]) if closes_on else None,
    }
    row = Opportunity.objects.filter(pk=known).first() if known else None
    if row is None:
        row = opportunities.add(mine, None, **values)
    elif row.state == Opportunity.State.OPEN:
        opportunities.update(row, **{**values, "currency": values["currency"] or row.currency})
    reason = str(said.get("reason") or "") or _("Lost in %(system)s") % {"system": connection.name}
    opportunity = row
    if said.get("status") == Status.WON:
        _try(lambda: opportunities.win(opportunity, None))
    elif said.get("status") == Status.LOST:
        _try(lambda: opportunities.lose(opportunity, reason, None))
    return row.pk


def _activity(connection: Connection, mine: Lead, record: Record) -> int | None:
    """Ours of an activity of theirs, planned and done as theirs is; returns its id, none of one that was cancelled."""
    said = record.standing
    subject = str(said.get("subject") or _("Activity"))
    due_at = datetime.fromisoformat(str(said["due_at"])) if said.get("due_at") else None
    key = f"crm:{connection.pk}:{record.external_id}"
    if said.get("cancelled"):
        activities.drop(Activity.objects.filter(origin_key=key).values_list("pk", flat=True))
        return None
    row = activities.create(str(said["kind"]), subject, lead=mine, owner=mine.owner, due_at=due_at, origin_key=key)
    if row.done_at is None and (row.subject, row.due_at) != (subject.strip()[:200], due_at):
        activities.reschedule(row, subject, due_at)
    if said.get("done"):
        _try(lambda: activities.complete(row, str(said.get("outcome") or ""), "", None))
    return row.pk


def _said(kind: str, connection: Connection, mine: Lead, **words: str) -> None:
    ids = {"lead_id": mine.pk, "contact_id": mine.contact_id, "account_id": mine.account_id, "object_id": mine.pk}
    detail = {"system": connection.name, "lead": mine.topic, **{key: word for key, word in words.items() if word}}
    timeline.record_many(kind, [{**ids, "detail": detail}])


def _uid(record: Record) -> uuid.UUID:
    """Our key of a record that carries none: the same at each reading."""
    return uuid.uuid5(uuid.NAMESPACE_URL, record.external_id)
