"""Tasks, calls and appointments: planned, done, and calls that just happened."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import timeline
from contacts.models import Account, Contact
from leads.creation import create_lead
from leads.errors import NotPossible
from leads.models import Activity, Lead
from leads.moves import Cause
from tenants.models import Member

Kind = Activity.Kind


@transaction.atomic
def create(
    kind: str,
    subject: str,
    *,
    contact: Contact | None = None,
    lead: Lead | None = None,
    account: Account | None = None,
    owner: Member | None = None,
    due_at: datetime | None = None,
    notes: str = "",
    journey_id: int | None = None,
    origin_key: str | None = None,
    by: Member | None = None,
    cause: Cause | None = None,
) -> Activity:
    """Plan an activity, or return the one that `origin_key` has made before. A lead lends its contact and account."""
    activity = Activity(
        kind=Kind(kind),
        subject=subject.strip()[:200],
        notes=notes,
        contact_id=contact.pk if contact else lead.contact_id if lead else None,
        account_id=account.pk if account else lead.account_id if lead else contact.account_id if contact else None,
        lead=lead,
        owner=owner,
        due_at=due_at,
        journey_id=journey_id,
        origin_key=origin_key,
    )
    try:
        with transaction.atomic():
            activity.save()
    except IntegrityError:
        # Only a cause that came before stands in the way; anything else is an error.
        return Activity.objects.get(origin_key=origin_key or "")
    _record("activity.created", activity, by=by, cause=cause)
    return activity


@transaction.atomic
def complete(activity: Activity, outcome: str, notes: str, by: Member | None) -> None:
    """Mark an activity done, with what came of it. A call is recorded as a call. Raises NotPossible if it was done."""
    now = timezone.now()
    notes = f"{activity.notes}\n\n{notes}".strip() if notes else activity.notes
    still_open = Activity.objects.filter(pk=activity.pk, done_at=None)
    if not still_open.update(done_at=now, outcome=outcome.strip()[:100], notes=notes):
        raise NotPossible(_("“%(subject)s” was done already.") % {"subject": activity.subject})
    activity.done_at, activity.outcome, activity.notes = now, outcome.strip()[:100], notes
    _record("call.logged" if activity.kind == Kind.CALL else "activity.done", activity, by=by)


@transaction.atomic
def log_call(
    *,
    by: Member,
    contact: Contact | None = None,
    lead: Lead | None = None,
    outcome: str = "",
    notes: str = "",
    new_lead_topic: str = "",
    follow_up_at: datetime | None = None,
) -> Activity:
    """Write down a call that just happened; perhaps make a lead of it, and plan when to call again."""
    if lead is None and new_lead_topic.strip():
        lead = create_lead(new_lead_topic, contact=contact, source="call", by=by)
    now = timezone.now()
    call = Activity.objects.create(
        kind=Kind.CALL,
        subject=_("Call"),
        notes=notes,
        contact_id=contact.pk if contact else lead.contact_id if lead else None,
        account_id=lead.account_id if lead else contact.account_id if contact else None,
        lead=lead,
        owner=by,
        due_at=now,
        done_at=now,
        outcome=outcome.strip()[:100],
    )
    _record("call.logged", call, by=by)
    if follow_up_at:
        create(Kind.CALL, _("Call again"), contact=contact, lead=lead, owner=by, due_at=follow_up_at, by=by)
    return call


def reschedule(activity: Activity, subject: str, due_at: datetime | None) -> bool:
    """Change what is planned and by when; False if it is done by now."""
    activity.subject, activity.due_at = subject.strip()[:200], due_at
    still_open = Activity.objects.filter(pk=activity.pk, done_at=None)
    return bool(still_open.update(subject=activity.subject, due_at=due_at))


def drop(ids: Iterable[int]) -> int:
    """Plan some activities no more; those that are done stay. Returns how many."""
    return Activity.objects.filter(pk__in=set(ids), done_at=None).delete()[0]


def hand_over(lead: Lead, to: Member) -> int:
    """Give what is planned about a lead to its next owner: what nobody has yet, and what a journey planned for the
    former one; returns how many. To be called while the lead still says who that was."""
    its = Q(owner=None)
    if lead.owner_id:
        its |= Q(owner=lead.owner_id, journey_id__isnull=False)
    return Activity.objects.filter(its, lead=lead, done_at=None).update(owner=to)


def _record(kind: str, activity: Activity, *, by: Member | None, cause: Cause | None = None) -> None:
    row: dict[str, Any] = {
        "contact_id": activity.contact_id,
        "account_id": activity.account_id,
        "lead_id": activity.lead_id,
        "object_id": activity.pk,
        "actor_id": by.pk if by else None,
        "journey_id": activity.journey_id,
        "detail": {
            "kind": activity.kind,
            "kind_name": str(Kind(activity.kind).label),
            "activity": activity.subject,
            "outcome": activity.outcome,
            "notes": activity.notes,
        },
    }
    if cause is not None:
        row |= {"cause_id": cause.id, "depth": cause.depth + 1}
    timeline.record_many(kind, [row])
