"""The life of a lead: each verb changes the rows, keeps the history and records the timeline in one transaction.

Every change of stage is a conditional update on the stage that the caller saw: of two who act at once (two reps, or a
rep and the score) one wins, the other gets MovedMeanwhile, whose text says who was faster.
"""

import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import timeline
from contacts.models import Interaction
from leads import alerts, assignment
from leads import preferences as keys
from leads.business_hours import add_business_hours
from leads.creation import NewLead, create_lead, create_leads
from leads.editing import record_change
from leads.errors import MovedMeanwhile, NotPossible
from leads.models import Assignment, Lead, Stage, StageChange
from leads.moves import Cause, Move, about, change_stage, change_stages
from leads.transitions import NURTURED, OFFERED
from tenants import preferences, wakeups
from tenants.models import Member, Tenant
from tenants.scope import current_tenant_id

__all__ = [
    "Move",
    "MovedMeanwhile",
    "NewLead",
    "NotPossible",
    "accept",
    "change_stage",
    "change_stages",
    "create_lead",
    "create_leads",
    "disqualify",
    "hand_off",
    "make_mql",
    "make_mqls",
    "put_back",
    "raise_hand",
    "recycle",
    "reject",
    "reopen",
    "take_back",
]

# What a lead loses when it goes back to marketing.
_UNOFFERED = {"owner_id": None, "handed_off_at": None, "respond_by": None, "escalated_at": None, "accepted_at": None}


class Qualifying(NamedTuple):
    """A lead whose score reached what its model asks for."""

    lead: Lead
    score: int | None
    model: int | None
    reason: str
    cause: Cause | None = None


# ---- with marketing ----


def make_mql(
    lead: Lead,
    *,
    score: int | None = None,
    model: int | None = None,
    reason: str = "",
    by: Member | None = None,
    cause: Cause | None = None,
) -> StageChange:
    """Make a lead marketing-qualified; it is handed to sales by the queue if the company wants that.

    Raises NotPossible or MovedMeanwhile. Whether a score may do it is decided by `leads.qualifying`.
    """
    changes = {"recycled_until": None, "recycled_score": None}
    done = change_stage(
        lead, Stage.MQL, reason=reason, by=by, score=score, scoring_model_id=model, cause=cause, changes=changes
    )
    wakeups.announce(keys.QUEUE)
    return done


def make_mqls(found: Sequence[Qualifying]) -> list[StageChange]:
    """The same for a set; leads that stand elsewhere by now are left out."""
    moves = [
        Move(one.lead, Stage.MQL, one.reason, one.score, one.model, one.cause)
        for one in found
        if one.lead.stage in NURTURED
    ]
    done = change_stages(moves, changes={"recycled_until": None, "recycled_score": None}) if moves else []
    if done:
        wakeups.announce(keys.QUEUE)
    return done


def recycle(lead: Lead, reason: str, by: Member | None = None) -> StageChange:
    """Give a lead back to marketing, with the reason. It rests, and needs a better score than this to come again."""
    return change_stage(lead, Stage.RECYCLED, reason=_given(reason), by=by, changes=_UNOFFERED | _rest(lead))


def disqualify(lead: Lead, reason: str, by: Member | None = None) -> StageChange:
    """End a lead that nothing will come of, with the reason."""
    return change_stage(lead, Stage.DISQUALIFIED, reason=_given(reason), by=by, changes={"respond_by": None})


def reopen(lead: Lead, by: Member | None = None, reason: str = "") -> StageChange:
    """Take up a disqualified or recycled lead again, as engaged."""
    changes = _UNOFFERED | {"recycled_until": None, "recycled_score": None}
    return change_stage(lead, Stage.ENGAGED, reason=reason, by=by, changes=changes)


def raise_hand(lead: Lead, reason: str, cause: Cause | None = None) -> StageChange | None:
    """A person asked again. A recycled lead is engaged at once; when it has rested, the plain threshold is enough.

    None for a lead that stands elsewhere: the timeline has the news, its owner keeps working.
    """
    if lead.stage != Stage.RECYCLED:
        return None
    threshold = last_threshold(lead)
    done = change_stage(lead, Stage.ENGAGED, reason=reason, cause=cause, changes={"recycled_score": threshold})
    if threshold is not None:
        wakeups.announce(keys.QUEUE, due_at=lead.recycled_until)
    return done


def _rest(lead: Lead) -> dict[str, object]:
    """Until when a recycled lead rests, and the score that it needs then: what it has, plus the margin."""
    until = timezone.now() + timedelta(days=preferences.get(keys.COOL_DOWN_DAYS))
    threshold = last_threshold(lead)
    wakeups.announce(keys.QUEUE, due_at=until)
    if threshold is None or lead.score is None:
        return {"recycled_until": until, "recycled_score": None}
    needed = lead.score + round(threshold * preferences.get(keys.MARGIN_PERCENT) / 100)
    return {"recycled_until": until, "recycled_score": max(threshold, needed)}


def last_threshold(lead: Lead) -> int | None:
    """The threshold that the primary model last held the lead against, as the timeline has it.

    Index: interaction_of_lead, newest first.
    """
    rows = Interaction.objects.filter(lead_id=lead.pk, kind="score.changed").order_by("-occurred_at", "-pk")
    details = rows.values_list("detail", flat=True)[:20]
    return next((detail["threshold"] for detail in details if detail.get("is_primary")), None)


# ---- the handover to sales ----


@transaction.atomic
def hand_off(
    lead: Lead, *, member: Member | None = None, by: Member | None = None, is_told: bool = True
) -> Assignment | None:
    """Hand a lead to sales: to the member named, or whoever `assignment.choose` finds; None when nobody is present.

    The rep is told at once (`is_told=False`: the caller does it), and has the agreed working hours to accept or reject;
    then her manager is told.
    """
    choice = assignment.named(member, by) if member else assignment.choose(lead)
    if choice is None:
        return None
    tenant, now = Tenant.objects.get(pk=current_tenant_id()), timezone.now()
    respond_by = add_business_hours(now, preferences.get(keys.SLA_HOURS), zoneinfo.ZoneInfo(tenant.time_zone))
    changes = {"handed_off_at": now, "respond_by": respond_by, "escalated_at": None}
    if lead.stage == Stage.HANDED_OFF:
        Lead.objects.filter(pk=lead.pk, stage=Stage.HANDED_OFF).update(**changes)
        lead.respond_by = respond_by
    else:
        change_stage(lead, Stage.HANDED_OFF, reason=choice.why, by=by, changes=changes)
    given = assignment.give(lead, choice, by=by)
    if is_told:
        alerts.assigned(lead, given)
    wakeups.announce(keys.QUEUE, due_at=respond_by)
    return given


@transaction.atomic
def accept(lead: Lead, by: Member) -> StageChange:
    """A rep says yes: the lead is sales-accepted, and hers. Of two at once, one gets MovedMeanwhile."""
    was_hers = lead.owner_id == by.pk
    changes = {"accepted_at": timezone.now(), "respond_by": None}
    done = change_stage(lead, Stage.SAL, by=by, changes=changes)
    if not was_hers:
        assignment.give(lead, assignment.named(by, by), by=by)
    timeline.record_many("lead.accepted", [{**about(lead, by=by), "detail": {"lead": lead.topic, "member": str(by)}}])
    return done


@transaction.atomic
def reject(lead: Lead, reason: str, by: Member) -> StageChange:
    """A rep says no, with the reason: the lead goes back to marketing as recycled."""
    if lead.stage not in OFFERED:
        raise NotPossible(_("Only a lead that waits for an answer can be rejected."))
    done = recycle(lead, reason, by)
    detail = {"lead": lead.topic, "member": str(by), "reason": reason}
    timeline.record_many("lead.rejected", [{**about(lead, by=by), "detail": detail}])
    return done


def take_back(moves: Iterable[Move]) -> list[StageChange]:
    """Take offered leads back to marketing, their score having fallen; reps are told why. Never after acceptance."""
    found = [move for move in moves if move.lead.stage in OFFERED]
    reps = {move.lead.pk: move.lead.owner for move in found}
    done = change_stages(found, changes=_UNOFFERED) if found else []
    for change in done:
        if rep := reps[change.lead.pk]:
            alerts.taken_back(change.lead, rep, change.reason, change.pk)
    return done


@transaction.atomic
def put_back(lead: Lead, stage: Stage, columns: Mapping[str, Any], *, by: Member) -> None:
    """Take back what was just done to a lead: its stage and `columns` as they were before.

    Any stage may be put back; it is a change of its own in the history, "taken back".
    """
    if lead.stage != stage:
        move = Move(lead, stage, _("Taken back."), is_undo=True)
        if not change_stages([move], by=by, changes=columns):
            raise MovedMeanwhile(_("This lead has moved meanwhile."))
        return
    owners = Member.objects.select_related("user").in_bulk([pk for pk in (lead.owner_id, columns["owner_id"]) if pk])
    Lead.objects.filter(pk=lead.pk).update(**columns, updated_at=timezone.now())
    before, after = owners.get(lead.owner_id or 0), owners.get(columns["owner_id"] or 0)
    record_change(lead, {"owner": [str(before or ""), str(after or "")]}, by)


def _given(reason: str) -> str:
    if not reason.strip():
        raise NotPossible(_("Please say why."))
    return reason.strip()
