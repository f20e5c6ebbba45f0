"""Opportunities: what a qualified lead may be worth, won or lost."""

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import timeline
from leads.errors import NotPossible
from leads.models import Lead, Opportunity, Stage
from leads.moves import about, change_stage
from tenants.models import Member, Tenant
from tenants.scope import current_tenant_id

State = Opportunity.State


@transaction.atomic
def qualify(
    lead: Lead,
    by: Member,
    *,
    name: str = "",
    amount_minor: int | None = None,
    currency: str = "",
    closes_on: date | None = None,
) -> Opportunity:
    """Sales says that the lead may buy: it becomes sales-qualified and gets an opportunity."""
    change_stage(lead, Stage.SQL, by=by)
    return add(lead, by, name=name, amount_minor=amount_minor, currency=currency, closes_on=closes_on)


def add(
    lead: Lead,
    by: Member | None,
    *,
    name: str = "",
    amount_minor: int | None = None,
    currency: str = "",
    closes_on: date | None = None,
) -> Opportunity:
    """An opportunity of a sales-qualified lead; without `by` it comes from the system in which sales works."""
    return Opportunity.objects.create(
        name=(name or lead.topic)[:200],
        lead=lead,
        contact_id=lead.contact_id,
        account_id=lead.account_id,
        owner_id=lead.owner_id or (by.pk if by else None),
        amount_minor=amount_minor,
        currency=currency or Tenant.objects.values_list("currency", flat=True).get(pk=current_tenant_id()),
        closes_on=closes_on,
    )


def update(
    opportunity: Opportunity, *, name: str, amount_minor: int | None, currency: str, closes_on: date | None
) -> None:
    """Change what an open opportunity may be worth, and by when. Raises NotPossible if it was closed."""
    values = {"name": name, "amount_minor": amount_minor, "currency": currency, "closes_on": closes_on}
    if not Opportunity.objects.filter(pk=opportunity.pk, state=State.OPEN).update(**values):
        raise NotPossible(_("“%(name)s” is closed.") % {"name": opportunity.name})


@transaction.atomic
def win(opportunity: Opportunity, by: Member | None) -> None:
    """The customer buys: opportunity and lead are won. Raises NotPossible if it was closed before."""
    _close(opportunity, State.WON, "")
    lead = opportunity.lead
    if lead and lead.stage == Stage.SQL:
        change_stage(lead, Stage.WON, by=by)
    _record("opportunity.won", opportunity, by, "")


@transaction.atomic
def lose(opportunity: Opportunity, reason: str, by: Member | None) -> None:
    """The customer does not buy, and why. The lead is lost, unless another opportunity of it is still open."""
    if not reason.strip():
        raise NotPossible(_("Please say why."))
    _close(opportunity, State.LOST, reason.strip())
    lead = opportunity.lead
    if lead and lead.stage == Stage.SQL and not lead.opportunities.filter(state=State.OPEN).exists():
        change_stage(lead, Stage.LOST, reason=reason.strip(), by=by)
    _record("opportunity.lost", opportunity, by, reason.strip())


def _close(opportunity: Opportunity, state: str, reason: str) -> None:
    """Close it if it is open: the row count decides between two who do so at once."""
    now = timezone.now()
    still_open = Opportunity.objects.filter(pk=opportunity.pk, state=State.OPEN)
    if not still_open.update(state=state, closed_at=now, lost_reason=reason[:300]):
        raise NotPossible(_("Somebody has closed “%(name)s” already.") % {"name": opportunity.name})
    opportunity.state, opportunity.closed_at, opportunity.lost_reason = state, now, reason[:300]


def _record(kind: str, opportunity: Opportunity, by: Member | None, reason: str) -> None:
    ids = about(opportunity.lead, by=by) if opportunity.lead else {"actor_id": by.pk if by else None}
    ids |= {"contact_id": opportunity.contact_id, "account_id": opportunity.account_id, "object_id": opportunity.pk}
    detail = {
        "opportunity": opportunity.name,
        "amount_minor": opportunity.amount_minor,
        "currency": opportunity.currency,
        "reason": reason,
    }
    timeline.record_many(kind, [{**ids, "detail": detail}])
