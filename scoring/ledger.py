"""The ledger in SQL: what the rows of a model give to its subjects, and the statement that writes the differences."""

import logging
from datetime import datetime

from psycopg import sql

from scoring.models import Grade, ScoringModel, ScoringRule
from scoring.points import contribution
from scoring.subjects import EVERYBODY, Selection, Subject, eligible
from segments import compiler
from segments.rules import Rule, RuleError, Vocabulary, parse

logger = logging.getLogger(__name__)

_NOTHING = sql.SQL(
    """SELECT NULL::bigint AS rule_id, NULL::bigint AS subject_id, 0 AS hits, 0 AS points,
              NULL::timestamptz AS last_at, NULL::timestamptz AS until WHERE false"""
)
SUBJECT = sql.Identifier("subject")


def compiled(row: ScoringRule, subject: str, vocabulary: Vocabulary) -> Rule | None:
    """The row's rule for a subject; None when it cannot be read, e.g. a field was deleted: it then gives nothing.

    The model's page shows why (see `scoring.checks`); one row never stops the others.
    """
    try:
        return parse(row.rule, subject, vocabulary)
    except RuleError as error:
        logger.warning("Row %s of scoring model %s gives nothing: %s", row.pk, row.model_id, error)
        return None


def contributions(
    model: ScoringModel, subject: Subject, ids: list[int] | None = None, at: datetime | None = None
) -> sql.Composed:
    """SELECT rule_id, subject_id, hits, points, last_at, until of all rows at `at`, or now, for `subject(id)`.

    For few, each rule looks up their facts; for many, facts that several rules ask for are read once.
    """
    vocabulary, about = Vocabulary(), subject.of_rules(model)
    rules = [(row, compiled(row, about, vocabulary)) for row in model.rules.all()]
    readable = [(row, rule) for row, rule in rules if rule is not None]
    moment = None if at is None else sql.Literal(at)
    shared = compiler.SharedFacts([rule for _row, rule in readable], SUBJECT, moment) if ids is None else None
    parts: list[sql.Composable] = [
        contribution(row, _relation(row, rule, ids, at, shared), SUBJECT, at) for row, rule in readable
    ]
    union = sql.SQL(" UNION ALL ").join([sql.SQL("({})").format(part) for part in parts or [_NOTHING]])
    if shared is None or not shared.tables:
        return union
    return sql.SQL("WITH {} {}").format(sql.SQL(", ").join(shared.tables), union)


def _relation(
    row: ScoringRule, rule: Rule, ids: list[int] | None, at: datetime | None, shared: compiler.SharedFacts | None
) -> sql.Composed:
    is_counting = row.frequency == ScoringRule.Frequency.EACH
    return compiler.relation(rule, ids, at, is_counting=is_counting, shared=shared)


def grade_of(points: sql.Composable, grades: list[Grade]) -> sql.Composed:
    """The name of the grade in whose range the points lie; empty without grades."""
    ranges = [
        sql.SQL("WHEN {} >= {} THEN {}").format(points, sql.Literal(grade.lower_bound), sql.Literal(grade.name))
        for grade in grades
        if grade.lower_bound is not None
    ]
    lowest = next((grade.name for grade in grades if grade.lower_bound is None), "")
    if not ranges:
        return sql.SQL("{}::text").format(sql.Literal(lowest))
    return sql.SQL("CASE {} ELSE {} END").format(sql.SQL(" ").join(ranges), sql.Literal(lowest))


def write(model: ScoringModel, subject: Subject, selection: Selection = EVERYBODY) -> sql.Composed:
    """One statement: bring ledger and scores of a model's subjects up to date.

    Writes only differences. Returns one row: the moment that marks the changed scores (`changed_at`), how many
    changed, and the next moment at which one will change by time alone.

    The rows' relations are computed once each and hashed; the ledger is joined by (rule, subject), read by
    `entries_of_rule` for a whole model and by `one_entry_per_lead` / `one_entry_per_contact` for a few. Cost: the
    relations, plus one pass over the model's entries and scores.
    """
    return sql.SQL(_WRITE).format(
        model=sql.Literal(model.pk),
        key=subject.foreign_key,
        eligible=eligible(model, subject, selection),
        contributions=contributions(model, subject, selection.ids),
        grade=grade_of(sql.SQL("given.points"), list(model.grades.all())),
        is_wanted=sql.SQL("true") if subject.is_always_scored else sql.SQL("subject_id IS NOT NULL"),
    )


_WRITE = """
WITH subject AS MATERIALIZED ({eligible}),
given AS MATERIALIZED ({contributions}),
held AS MATERIALIZED (
    SELECT entry.id, entry.rule_id, entry.{key} AS subject_id, entry.hits, entry.points, entry.last_at, entry.until
    FROM scoring_scoreentry entry JOIN subject ON subject.id = entry.{key}
    WHERE entry.model_id = {model}
),
difference AS MATERIALIZED (
    SELECT held.id AS entry_id, given.*
    FROM given FULL JOIN (SELECT * FROM held WHERE rule_id IS NOT NULL) held
        ON held.rule_id = given.rule_id AND held.subject_id = given.subject_id
    WHERE (held.hits, held.points, held.last_at, held.until)
        IS DISTINCT FROM (given.hits, given.points, given.last_at, given.until)
),
removed AS (
    DELETE FROM scoring_scoreentry entry USING (
        SELECT entry_id FROM difference WHERE rule_id IS NULL
        UNION ALL SELECT id FROM held WHERE rule_id IS NULL AND until <= now()
    ) gone WHERE entry.id = gone.entry_id
),
corrected AS (
    UPDATE scoring_scoreentry entry
    SET hits = difference.hits, points = difference.points, last_at = difference.last_at, until = difference.until
    FROM difference WHERE entry.id = difference.entry_id AND difference.rule_id IS NOT NULL
),
added AS (
    INSERT INTO scoring_scoreentry (model_id, rule_id, {key}, hits, points, last_at, until, reason)
    SELECT {model}, rule_id, subject_id, hits, points, last_at, until, '' FROM difference WHERE entry_id IS NULL
),
total AS (
    SELECT subject_id, sum(points)::int AS points, min(until) AS next_change_at FROM (
        SELECT subject_id, points, until FROM given
        UNION ALL
        SELECT subject_id, points, until FROM held WHERE rule_id IS NULL AND (until IS NULL OR until > now())
    ) entries GROUP BY subject_id
),
outcome AS MATERIALIZED (
    SELECT *, {grade} AS grade FROM (
        SELECT subject.id, total.subject_id, score.id AS score_id, score.score AS held_points,
               score.grade AS held_grade, score.next_change_at AS held_next_change_at,
               coalesce(total.points, 0) AS points, total.next_change_at
        FROM subject LEFT JOIN total ON total.subject_id = subject.id
        LEFT JOIN (SELECT * FROM scoring_score WHERE model_id = {model}) score ON score.{key} = subject.id
    ) given
),
moved AS (
    UPDATE scoring_score score
    SET score = outcome.points, grade = outcome.grade, previous = outcome.held_points,
        next_change_at = outcome.next_change_at,
        changed_at = CASE WHEN (outcome.points, outcome.grade) IS DISTINCT FROM (held_points, held_grade)
                          THEN statement_timestamp() ELSE score.changed_at END
    FROM outcome
    WHERE score.id = outcome.score_id AND (outcome.points, outcome.grade, outcome.next_change_at)
        IS DISTINCT FROM (held_points, held_grade, held_next_change_at)
    RETURNING score.changed_at = statement_timestamp() AS is_changed
),
started AS (
    INSERT INTO scoring_score (model_id, {key}, score, grade, changed_at, next_change_at)
    SELECT {model}, id, points, grade, statement_timestamp(), next_change_at
    FROM outcome WHERE score_id IS NULL AND {is_wanted}
    RETURNING id
)
SELECT statement_timestamp(),
       (SELECT count(*) FROM moved WHERE is_changed) + (SELECT count(*) FROM started),
       (SELECT min(next_change_at) FROM outcome)
"""
