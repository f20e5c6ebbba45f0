"""What the clock asks for: recycled leads that have rested, MQLs that wait for a rep, answers that are overdue."""

import time
from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from leads import alerts, lifecycle
from leads import preferences as keys
from leads.models import Lead, Stage
from leads.qualifying import Demand
from leads.transitions import NURTURED
from tenants import preferences
from tenants.models import Member
from tenants.scope import current_tenant_id, tenant_scope
from tenants.wakeups import Outcome, queue

BATCH = 50
# Nobody announces that a rep is back at work: look again for as long as MQLs wait.
LOOK_AGAIN = timedelta(minutes=10)


@queue(keys.QUEUE)
def look_after(tenant_id: int, deadline: float) -> Outcome:
    """Do what is due for a tenant's leads, a batch per transaction; each verb announces its own next moment."""
    for step in (qualify_rested, hand_off_waiting, tell_managers):
        while True:
            with tenant_scope(tenant_id):
                has_more = step()
            if not has_more:
                break
            if time.monotonic() >= deadline:
                return Outcome(has_more=True)
    with tenant_scope(tenant_id):
        is_waiting = preferences.get(keys.AUTO_HAND_OFF) and Lead.objects.filter(stage=Stage.MQL).exists()
    return Outcome(next_due=timezone.now() + LOOK_AGAIN if is_waiting else None)


def qualify_rested() -> bool:
    """Qualify leads that were recycled, have rested, and reach the score they need. True if there may be more."""
    leads = _rested()
    reason = _("It has rested, and its score is high enough again.")
    lifecycle.make_mqls([lifecycle.Qualifying(lead, lead.score, None, reason) for lead in leads])
    return len(leads) == BATCH


def _rested() -> list[Lead]:
    """A batch of rested leads whose scores are high enough; looks on, by key, where models disagree."""
    demand, last = Demand.read(), 0
    found: list[Lead] = []
    rested = Lead.objects.filter(stage__in=NURTURED, recycled_until__lte=timezone.now())
    rested = rested.filter(score__gte=F("recycled_score")).order_by("pk")
    while batch := list(rested.filter(pk__gt=last)[:BATCH]):
        met, last = demand.met_by(batch), batch[-1].pk
        found += [lead for lead in batch if lead.pk in met]
        if len(found) >= BATCH or len(batch) < BATCH:
            break
    return found[:BATCH]


def hand_off_waiting() -> bool:
    """Hand MQLs to sales, the best first. True if there may be more and somebody is there to take them."""
    if not preferences.get(keys.AUTO_HAND_OFF):
        return False
    waiting = Lead.objects.select_related("contact", "account").filter(stage=Stage.MQL)
    leads = list(waiting.order_by(F("score").desc(nulls_last=True), "pk")[:BATCH])
    for lead in leads:
        try:
            if lifecycle.hand_off(lead) is None:
                return False
        except lifecycle.MovedMeanwhile:
            continue
    return len(leads) == BATCH


def tell_managers() -> bool:
    """Tell the managers of reps who have not answered in time, once per handover. True if there may be more."""
    late = Lead.objects.select_related("contact", "account", "owner__user", "owner__manager__user")
    late = late.filter(stage=Stage.HANDED_OFF, respond_by__lte=timezone.now(), escalated_at=None)
    leads = list(late.order_by("respond_by", "pk")[:BATCH])
    for lead in leads:
        still_late = Lead.objects.filter(pk=lead.pk, stage=Stage.HANDED_OFF, escalated_at=None)
        if still_late.filter(respond_by=lead.respond_by).update(escalated_at=timezone.now()):
            for manager in _managers(lead.owner):
                alerts.overdue(lead, manager)
    return len(leads) == BATCH


def _managers(member: Member | None) -> list[Member]:
    """A member's manager; without one who still works here, the company's owners."""
    if member and member.manager and member.manager.is_active:
        return [member.manager]
    owners = Member.objects.filter(tenant_id=current_tenant_id(), role=Member.Role.OWNER, is_active=True)
    return list(owners.select_related("user"))
