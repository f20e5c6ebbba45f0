"""Who gets a lead, and why: who has it already, the account's owner, her territory's or any present rep in turn."""

from typing import NamedTuple

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import timeline
from leads import activities, alerts, territories
from leads.errors import NotPossible
from leads.models import Assignment, Lead, Stage
from leads.moves import Cause, about
from leads.preferences import ASSIGN_BY, QUEUE
from tenants import preferences, wakeups
from tenants.models import Member, Setting
from tenants.scope import current_tenant_id

AUTO, OWNER, ACCOUNT_OWNER, TERRITORY, ROUND_ROBIN = "auto", "owner", "account_owner", "territory", "round_robin"
BY_HAND, TAKEN = "by_hand", "taken"
# What a company may choose among, in the order in which it is tried.
WAYS = [
    (ACCOUNT_OWNER, gettext_lazy("The account’s owner")),
    (TERRITORY, gettext_lazy("The territory of the country, in turn")),
    (ROUND_ROBIN, gettext_lazy("All sales reps, in turn")),
]
# Whose turn it was last; two assignments at once wait for this row.
LAST_TURN = "leads.last_turn"


class Choice(NamedTuple):
    """A member, how she was found, and the same in words."""

    member: Member
    method: str
    why: str


def assign(
    lead: Lead,
    *,
    method: str = AUTO,
    member: Member | None = None,
    by: Member | None = None,
    cause: Cause | None = None,
    is_told: bool = True,
) -> Assignment | None:
    """Give a lead to a member: the one named, or the one that `method` finds. None when nobody is present.

    The stage stays; an MQL is handed over by the queue at once. Raises NotPossible for somebody who has left.
    """
    choice = named(member, by) if member else choose(lead, method)
    if choice is None:
        return None
    given = give(lead, choice, by=by, cause=cause)
    if is_told:
        alerts.assigned(lead, given)
    if lead.stage == Stage.MQL:
        wakeups.announce(QUEUE)
    return given


@transaction.atomic
def give(lead: Lead, choice: Choice, *, by: Member | None = None, cause: Cause | None = None) -> Assignment:
    """Write down that the lead is the member's, and why. What is planned for whoever has the lead is hers now."""
    activities.hand_over(lead, choice.member)
    Lead.objects.filter(pk=lead.pk).update(owner=choice.member, updated_at=Now())
    lead.owner = choice.member
    given = Assignment.objects.create(lead=lead, member=choice.member, method=choice.method, why=choice.why[:300])
    detail = {"lead": lead.topic, "to": str(choice.member), "member": choice.member.pk, "because": choice.why}
    timeline.record_many("lead.assigned", [{**about(lead, by=by, cause=cause), "detail": detail}])
    return given


def choose(lead: Lead, method: str = AUTO) -> Choice | None:
    """Who should get the lead. With AUTO its owner, else the first of the company's ways that finds somebody."""
    ways = {OWNER: _its_owner, ACCOUNT_OWNER: _the_accounts_owner, TERRITORY: _in_territory, ROUND_ROBIN: _whose_turn}
    chosen = preferences.get(ASSIGN_BY) if method == AUTO else [method]
    wanted = [way for name, way in ways.items() if name in chosen or (method == AUTO and name == OWNER)]
    return next((choice for way in wanted if (choice := way(lead))), None)


def named(member: Member, by: Member | None = None) -> Choice:
    """The member that somebody chose."""
    if not member.is_active or member.tenant_id != current_tenant_id():
        raise NotPossible(_("%(name)s does not work here any more.") % {"name": member})
    if by is not None and by.pk == member.pk:
        return Choice(member, TAKEN, _("Took it themselves."))
    return Choice(member, BY_HAND, _("Chosen by %(name)s.") % {"name": by} if by else _("Chosen by hand."))


def present_reps() -> list[Member]:
    """Sales reps who work here and are not away, in the order of their turns."""
    reps = Member.objects.filter(tenant_id=current_tenant_id(), role=Member.Role.SALES_REP)
    return list(reps.filter(is_active=True, is_away=False).select_related("user", "tenant").order_by("pk"))


def _its_owner(lead: Lead) -> Choice | None:
    member = _present(lead.owner_id)
    return Choice(member, OWNER, _("%(name)s looks after it already.") % {"name": member}) if member else None


def _the_accounts_owner(lead: Lead) -> Choice | None:
    member = _present(lead.account.owner_id) if lead.account else None
    if member is None:
        return None
    why = _("%(name)s looks after %(account)s.") % {"name": member, "account": lead.account}
    return Choice(member, ACCOUNT_OWNER, why)


def _in_territory(lead: Lead) -> Choice | None:
    territory = territories.of(lead)
    found = territories.whose_turn(territory) if territory else None
    if territory is None or found is None:
        return None
    member, count = found
    names = {"name": member, "territory": territory, "country": territories.country_of(lead), "count": count}
    if count == 1:
        return Choice(member, TERRITORY, _("%(name)s looks after %(territory)s (%(country)s).") % names)
    why = _("It was %(name)s’s turn among %(count)d present in %(territory)s (%(country)s).")
    return Choice(member, TERRITORY, why % names)


def _present(member_id: int | None) -> Member | None:
    here = Member.objects.filter(tenant_id=current_tenant_id(), is_active=True, is_away=False)
    return here.filter(pk=member_id).select_related("user", "tenant").first() if member_id else None


@transaction.atomic
def _whose_turn(lead: Lead) -> Choice | None:
    """The rep after the one who had the last turn; moves the turn on, under the lock of its row."""
    Setting.objects.bulk_create([Setting(key=LAST_TURN, value=0)], ignore_conflicts=True)
    turn = Setting.objects.select_for_update().get(key=LAST_TURN)
    reps = present_reps()
    if not reps:
        return None
    member = next((rep for rep in reps if rep.pk > turn.value), reps[0])
    turn.value = member.pk
    turn.save(update_fields=["value"])
    why = _("It was %(name)s’s turn among %(count)d present sales reps.") % {"name": member, "count": len(reps)}
    return Choice(member, ROUND_ROBIN, why)
