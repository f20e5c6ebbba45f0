"""Shared reads of scoring."""

from typing import NamedTuple

from django.db.models import Count, Max, Min, QuerySet

from leads.transitions import OPEN
from scoring.charts import Histogram, histogram
from scoring.models import Score, ScoringModel


class GradeCount(NamedTuple):
    """How many open leads have a grade."""

    name: str
    leads: int


class Results(NamedTuple):
    """What a live model has made of the open leads."""

    leads: int
    ready: int
    grades: list[GradeCount]
    distribution: Histogram


def models() -> QuerySet[ScoringModel]:
    """Models that stand for themselves (a draft beside a live one is shown with it), the primary one first."""
    rows = ScoringModel.objects.filter(replaces=None).annotate(row_count=Count("rules"))
    return rows.prefetch_related("drafts").order_by("-is_primary", "-state", "name")


def results(model: ScoringModel) -> Results:
    """Grades and distribution over a model's open leads: one pass over its scores, index score_by_model."""
    scores = Score.objects.filter(model=model, lead__stage__in=OPEN)
    counts = dict(scores.values_list("score").annotate(n=Count("pk")))
    by_grade = dict(scores.values_list("grade").annotate(n=Count("pk")))
    bounds = scores.aggregate(low=Min("score"), high=Max("score"))
    low, high = min(bounds["low"] or 0, 0), max(bounds["high"] or 0, model.threshold)
    return Results(
        leads=sum(counts.values()),
        ready=sum(n for score, n in counts.items() if score >= model.threshold),
        grades=[GradeCount(grade.name, by_grade.get(grade.name, 0)) for grade in model.grades.all()],
        distribution=histogram(counts, low, high, model.threshold),
    )
