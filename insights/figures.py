"""The figures of the home page. Each names the list of those behind it, so that every number leads to its people."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncWeek
from django.utils import timezone
from django.utils.translation import gettext_lazy

from contacts.models import Interaction
from contacts.registry import ContactSet
from journeys.models import Journey, Participant
from leads.models import CLOSED_STAGES, Activity, Lead, Stage, StageChange
from leads.stage_names import name_of
from messaging.models import Email
from tenants.days import begin_of
from tenants.models import Member

WEEKS = 12
DAYS = 30
# What people did with an e-mail: the name of the figure, its kind in the timeline, and what the list is called.
EMAIL_DEEDS = {
    "sent": ("email.sent", gettext_lazy("Was sent “%(email)s” in %(days)d days")),
    "opened": ("email.opened", gettext_lazy("Opened “%(email)s” in %(days)d days")),
    "clicked": ("email.clicked", gettext_lazy("Clicked in “%(email)s” in %(days)d days")),
}
# The way a lead goes; the other stages are ways out.
PIPELINE = (Stage.INQUIRY, Stage.ENGAGED, Stage.MQL, Stage.HANDED_OFF, Stage.SAL, Stage.SQL, Stage.WON)


@dataclass(frozen=True)
class StageFigure:
    stage: str
    label: str
    count: int
    is_way_out: bool


@dataclass(frozen=True)
class WeekFigure:
    """Leads that came in during the week beginning on `monday` (in the viewer's zone)."""

    monday: date
    count: int

    @property
    def until(self) -> date:
        return self.monday + timedelta(days=7)


@dataclass(frozen=True)
class EmailFigure:
    """People an e-mail was sent to, who opened it, and who clicked, within DAYS."""

    email: Email
    sent: int
    opened: int
    clicked: int

    @property
    def click_rate(self) -> float:
        """Clicks per hundred sent."""
        return 100 * self.clicked / self.sent if self.sent else 0.0


@dataclass(frozen=True)
class JourneyFigure:
    journey: Journey
    active: int
    done: int
    exited: int
    stopped: int


def begin() -> datetime:
    """The first moment of the last 30 days: a midnight in the viewer's zone, so that a list by days shows the same."""
    return begin_of(timezone.localdate() - timedelta(days=DAYS))


def leads_by_stage() -> list[StageFigure]:
    """How many leads stand at each stage, the pipeline first. One group over lead_by_stage."""
    counts = dict(Lead.objects.order_by().values_list("stage").annotate(Count("pk")))
    ways_out = [stage for stage in Stage if stage not in PIPELINE]
    return [
        StageFigure(stage, name_of(stage), counts.get(stage, 0), stage in ways_out) for stage in (*PIPELINE, *ways_out)
    ]


def leads_per_week(weeks: int = WEEKS) -> list[WeekFigure]:
    """New leads of the last weeks, oldest first, the running week last."""
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    first = monday - timedelta(weeks=weeks - 1)
    since = begin_of(first)
    rows = (
        Lead.objects.filter(created_at__gte=since).order_by().values_list(TruncWeek("created_at")).annotate(Count("pk"))
    )
    counts = {moment.date(): count for moment, count in rows}
    mondays = [first + timedelta(weeks=week) for week in range(weeks)]
    return [WeekFigure(day, counts.get(day, 0)) for day in mondays]


def qualified_since(since: datetime) -> int:
    """Leads that became marketing-qualified since a moment."""
    return StageChange.objects.filter(to_stage=Stage.MQL, at__gte=since).aggregate(n=Count("lead", distinct=True))["n"]


def email_results(limit: int = 5) -> list[EmailFigure]:
    """The e-mails sent most in the last 30 days, with what people did.

    Reads interaction_of_kind over the last two partitions; rows count people, not messages. `people_of_email` lists
    them, without those deleted since.
    """
    counts: dict[str, Any] = {
        name: Count("contact_id", distinct=True, filter=Q(kind=kind)) for name, (kind, _label) in EMAIL_DEEDS.items()
    }
    kinds = [kind for kind, _label in EMAIL_DEEDS.values()]
    deeds: Any = _deeds(kinds)
    rows = deeds.order_by().values("object_id").annotate(**counts).order_by("-sent", "object_id")[:limit]
    found = list(rows)
    emails = Email.objects.in_bulk([row["object_id"] for row in found])
    return [
        EmailFigure(emails[row["object_id"]], row["sent"], row["opened"], row["clicked"])
        for row in found
        if row["object_id"] in emails
    ]


def people_of_email(key: str) -> ContactSet | None:
    """The people behind a figure of `email_results`, by a key such as "opened-5"; None for a key that says nothing."""
    deed, _dash, pk = key.partition("-")
    if deed not in EMAIL_DEEDS or not pk.isdecimal() or len(pk) > 18:
        return None
    email = Email.objects.filter(pk=pk).first()
    if email is None:
        return None
    kind, label = EMAIL_DEEDS[deed]
    ids = _deeds([kind]).filter(object_id=email.pk).values("contact_id")
    return ContactSet(str(label) % {"email": email, "days": DAYS}, ids)


def _deeds(kinds: list[str]) -> QuerySet[Interaction]:
    since = begin()
    rows = Interaction.objects.filter(kind__in=kinds, occurred_at__gte=since, recorded_at__gte=since)
    return rows.filter(contact_id__isnull=False)


def journey_results(limit: int = 5) -> list[JourneyFigure]:
    """Journeys that are live or paused, and how many people are in them, through, left early and stopped."""
    journeys = Journey.objects.filter(state__in=(Journey.State.LIVE, Journey.State.PAUSED)).order_by("name")[:limit]
    rows = Participant.objects.filter(journey__in=[journey.pk for journey in journeys]).order_by()
    counts = {(j, state): n for j, state, n in rows.values_list("journey", "state").annotate(n=Count("pk"))}
    states = Participant.State
    return [
        JourneyFigure(
            journey,
            counts.get((journey.pk, states.ACTIVE), 0),
            counts.get((journey.pk, states.DONE), 0),
            counts.get((journey.pk, states.EXITED), 0),
            counts.get((journey.pk, states.STOPPED), 0),
        )
        for journey in journeys
    ]


def my_tasks(member: Member, limit: int = 6) -> tuple[int, list[Activity]]:
    """How many open activities a member has, and the most urgent of them. Index: activity_open_of_owner."""
    open_ones = Activity.objects.filter(owner=member, done_at=None)
    return open_ones.count(), list(open_ones.select_related("contact", "lead").order_by("due_at", "pk")[:limit])


def open_lead_count() -> int:
    return Lead.objects.exclude(stage__in=CLOSED_STAGES).count()
