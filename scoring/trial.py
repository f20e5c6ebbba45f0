"""Trying a draft on the real leads before it goes live: the same computation, and nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from psycopg import sql

from leads.models import Lead
from leads.transitions import NURTURED, OPEN
from scoring import ledger
from scoring.models import ScoringModel
from scoring.subjects import LEAD, Selection, eligible
from segments.compiler import rule_settings

# Of more open leads, the latest are tried.
AT_MOST = 50_000
SAMPLE = 20
BINS = 20


class Moved(NamedTuple):
    """A lead whose readiness the draft would change."""

    lead: Lead
    before: int | None
    after: int


@dataclass(frozen=True)
class Trial:
    """Before (the live model; empty without one) and after (the draft) over the leads that were tried."""

    tried: int
    is_complete: bool
    before: list[int]
    after: list[int]
    grades: list[tuple[str, int, int]]
    newly_ready: int
    no_longer_ready: int
    ready_sample: list[Moved]
    lost_sample: list[Moved]


def compare(draft: ScoringModel) -> Trial:
    """Score the open leads by a draft, beside the scores that the live model gave them."""
    ids = list(Lead.objects.filter(stage__in=OPEN).order_by("-pk").values_list("pk", flat=True)[: AT_MOST + 1])
    is_complete, ids = len(ids) <= AT_MOST, sorted(ids[:AT_MOST])
    rows = _scores(draft, ids, is_complete)
    live = draft.replaces
    was = live.threshold if live else draft.threshold
    nurtured = [row for row in rows if row[1] in NURTURED]
    ready = [row for row in nurtured if row[3] >= draft.threshold and (row[2] is None or row[2] < was)]
    lost = [row for row in rows if row[3] < draft.threshold and row[2] is not None and row[2] >= was]
    return Trial(
        tried=len(rows),
        is_complete=is_complete,
        before=[row[2] for row in rows if row[2] is not None],
        after=[row[3] for row in rows],
        grades=_grades(draft, rows),
        newly_ready=len(ready),
        no_longer_ready=len(lost),
        ready_sample=_sample(sorted(ready, key=lambda row: -row[3])),
        lost_sample=_sample(sorted(lost, key=lambda row: row[3])),
    )


Row = tuple[int, str, int | None, int, str, str]


def _scores(draft: ScoringModel, ids: list[int], is_complete: bool) -> list[Row]:
    """(lead, stage, score before or None, score after, grade before, grade after) of each lead that is scored."""
    # Of all of them the sets are computed once and hashed; of some by index.
    selection = Selection() if is_complete else Selection(ids)
    statement = sql.SQL(_COMPARE).format(
        eligible=eligible(draft, LEAD, selection),
        contributions=ledger.contributions(draft, LEAD, selection.ids),
        live=sql.Literal(draft.replaces_id),
        grade=ledger.grade_of(sql.SQL("tried.points"), list(draft.grades.all())),
    )
    with rule_settings(), connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


# Points that journeys or people gave stay as they are: they belong to the lead, not to the rows.
_COMPARE = """
WITH subject AS MATERIALIZED ({eligible}),
total AS (
    SELECT subject_id, sum(points)::int AS points FROM (
        SELECT subject_id, points FROM ({contributions}) contributions
        UNION ALL
        SELECT lead_id, points FROM scoring_scoreentry
        WHERE model_id = {live} AND rule_id IS NULL AND lead_id IS NOT NULL AND (until IS NULL OR until > now())
    ) entries GROUP BY subject_id
)
SELECT tried.id, tried.stage, tried.held, tried.points, tried.held_grade, {grade} FROM (
    SELECT lead.id, lead.stage, score.score AS held, coalesce(total.points, 0) AS points,
           coalesce(score.grade, '') AS held_grade
    FROM subject JOIN leads_lead lead ON lead.id = subject.id
    LEFT JOIN total ON total.subject_id = lead.id
    LEFT JOIN scoring_score score ON score.lead_id = lead.id AND score.model_id = {live}
) tried
"""


def _grades(draft: ScoringModel, rows: Sequence[Row]) -> list[tuple[str, int, int]]:
    """(grade, leads before, leads after), the best grade first."""
    names = [grade.name for grade in draft.grades.all()]
    if draft.replaces:
        names += [grade.name for grade in draft.replaces.grades.all() if grade.name not in names]
    return [(name, sum(row[4] == name for row in rows), sum(row[5] == name for row in rows)) for name in names]


def _sample(rows: Sequence[Row]) -> list[Moved]:
    leads = Lead.objects.select_related("contact", "account").in_bulk([row[0] for row in rows[:SAMPLE]])
    return [Moved(leads[row[0]], row[2], row[3]) for row in rows[:SAMPLE]]
