"""Shared reads of leads, activities and opportunities."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, Exists, OuterRef, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from contacts import search
from leads.creation import SEARCH_KIND
from leads.models import Activity, Lead, Opportunity, Stage
from leads.stage_names import name_of
from leads.transitions import WORKED
from tenants.models import Member
from tenants.registry import Hit

# Where activities without a due time stand among the others.
NEVER_DUE = datetime(9999, 1, 1, tzinfo=timezone.get_fixed_timezone(0))
BOARD_STAGES = (Stage.INQUIRY, Stage.ENGAGED, Stage.MQL, Stage.HANDED_OFF, Stage.SAL, Stage.SQL, Stage.RECYCLED)
CARDS = 25


def shown() -> QuerySet[Lead]:
    """Leads with whatever a list or a page shows of them, in one query."""
    return Lead.objects.select_related("contact", "account", "owner__user", "owner__tenant")


@dataclass
class Column:
    """A column of the board: a stage, how many leads are in it, what they may be worth, and the best of them."""

    stage: Stage
    count: int = 0
    values: list[tuple[int, str]] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)

    @property
    def name(self) -> str:
        return name_of(self.stage)


def board(member: Member, *, only_mine: bool) -> list[Column]:
    """The columns of the board. One query per column (index lead_by_stage), one for the counts, one for the money."""
    leads = Lead.objects.filter(owner=member) if only_mine else Lead.objects.all()
    counts = dict(leads.filter(stage__in=BOARD_STAGES).values_list("stage").annotate(Count("pk")))
    worth: dict[str, list[tuple[int, str]]] = {}
    deals = Opportunity.objects.filter(state=Opportunity.State.OPEN, lead__stage__in=BOARD_STAGES)
    deals = deals.filter(lead__owner=member) if only_mine else deals
    for stage, currency, amount in deals.values_list("lead__stage", "currency").annotate(Sum("amount_minor")):
        if amount:
            worth.setdefault(stage, []).append((amount, currency))
    columns = [Column(stage, counts.get(stage, 0), worth.get(stage, [])) for stage in BOARD_STAGES]
    for column in columns:
        if column.count:
            best = shown().filter(stage=column.stage).order_by("-rank", "-pk")
            column.leads = list((best.filter(owner=member) if only_mine else best)[:CARDS])
    return columns


def call_queue(member: Member, count: int = 50) -> list[Lead]:
    """Whom a rep should call, in order: who waits for an answer by when, then accepted leads by score.

    An accepted lead is left out while something is planned for it, and on the day it was called. Index: lead_of_owner.
    """
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    of_lead = Activity.objects.filter(lead=OuterRef("pk"))
    is_cared_for = Exists(of_lead.filter(done_at=None, due_at__gt=timezone.now())) | Exists(
        of_lead.filter(kind=Activity.Kind.CALL, done_at__gte=today)
    )
    mine = shown().filter(owner=member)
    waiting = list(mine.filter(stage=Stage.HANDED_OFF).order_by("respond_by", "-rank", "-pk")[:count])
    worked = mine.filter(stage__in=WORKED).exclude(is_cared_for).order_by("-rank", "-pk")
    return waiting + list(worked[: count - len(waiting)])


def due_today(member: Member) -> list[Activity]:
    """A member's open activities that are due by the end of her day, the longest overdue first."""
    tomorrow = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return list(open_activities().filter(owner=member, due_at__lt=tomorrow).order_by("due_at", "pk")[:100])


def open_activities(owner: Member | None = None) -> QuerySet[Activity]:
    """What is planned (by or for one member), most urgent first, with a due moment that lists can sort by.

    Index: activity_open_of_owner.
    """
    when = Coalesce("due_at", Value(NEVER_DUE), output_field=DateTimeField())
    found = activities().filter(done_at=None).annotate(due=when).order_by("due", "pk")
    return found.filter(owner=owner) if owner else found


def activities() -> QuerySet[Activity]:
    """Activities with whatever a list shows of them."""
    return Activity.objects.select_related("contact", "account", "lead__contact", "owner__user")


def opportunities() -> QuerySet[Opportunity]:
    """Opportunities with whatever a list or a page shows of them."""
    return Opportunity.objects.select_related("contact", "account", "owner__user", "lead__contact")


def totals(state: str) -> list[Any]:
    """How many opportunities of a state there are and what they are worth, per currency."""
    found = Opportunity.objects.filter(state=state).values("currency")
    return list(found.annotate(count=Count("pk"), amount=Sum("amount_minor")).order_by("currency"))


def members_here(member: Member) -> QuerySet[Member]:
    """The people of a member's company, for filters."""
    here = Member.objects.filter(tenant_id=member.tenant_id, is_active=True)
    return here.select_related("user").order_by("user__name", "pk")


def find_leads(member: Member, text: str, limit: int) -> list[Hit]:
    """What search finds among leads."""
    ids = [pk for _kind, pk in search.find(text, kinds=(SEARCH_KIND,), limit=limit)]
    found = shown().in_bulk(ids)
    return [
        Hit(lead.person, reverse("leads:detail", args=(lead.pk,)), f"{lead.topic} · {lead.stage_name}")
        for pk in ids
        if (lead := found.get(pk))
    ]
