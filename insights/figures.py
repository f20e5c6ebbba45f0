"""The figures of the home page. Each names the list of those behind it, so that every number leads to its people."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncWeek
from django.utils import timezone

from journeys.models import Journey, Participant
from leads import queries
from leads.models import CLOSED_STAGES, Activity, Lead, Stage, StageChange
from leads.stage_names import name_of
from tenants.days import begin_of
from tenants.models import Member

WEEKS = 12
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
class JourneyFigure:
    journey: Journey
    active: int
    done: int
    stopped: int
    # Taken out by hand, or by a new version without their step.
    left: int


def leads_by_stage() -> list[StageFigure]:
    """How many leads stand at each stage, the pipeline first. One group over lead_by_stage."""
    counts = dict(Lead.objects.order_by().values_list("stage").annotate(Count("pk")))
    ways_out = [stage for stage in Stage if stage not in PIPELINE]
    return [
        StageFigure(stage, name_of(stage), counts.get(stage, 0), stage in ways_out)
        for stage in (*PIPELINE, *ways_out)
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
    """How many leads became marketing-qualified since a moment."""
    return StageChange.objects.filter(to_stage=Stage.MQL, at__gte=since).aggregate(n=Count("lead", distinct=True))["n"]


def journey_results(limit: int = 5) -> list[JourneyFigure]:
    """Journeys that are live or paused, and how many people are in them, through, stopped and gone."""
    journeys = Journey.objects.filter(state__in=(Journey.State.LIVE, Journey.State.PAUSED)).order_by("name")[:limit]
    rows = Participant.objects.filter(journey__in=[journey.pk for journey in journeys]).order_by()
    counts = {(j, state): n for j, state, n in rows.values_list("journey", "state").annotate(n=Count("pk"))}
    states = Participant.State
    return [
        JourneyFigure(
            journey,
            counts.get((journey.pk, states.ACTIVE), 0),
            counts.get((journey.pk, states.DONE), 0),
            counts.get((journey.pk, states.STOPPED), 0),
            counts.get((journey.pk, states.EXITED), 0),
        )
        for journey in journeys
    ]


def my_tasks(member: Member) -> QuerySet[Activity]:
    """The member's open activities, the most urgent first."""
    return queries.open_activities(member)


def open_lead_count() -> int:
    return Lead.objects.exclude(stage__in=CLOSED_STAGES).count()
