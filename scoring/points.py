"""How many points a row gives: the one formula, in SQL for sets and in Python for words."""

import math
from datetime import datetime

from psycopg import sql

from scoring.models import ScoringRule

# Larger amounts are cut, so that sums stay within an integer.
LIMIT = 1_000_000
# 2^-64 of LIMIT is nothing; Postgres refuses powers that underflow.
MOST_HALF_LIVES = 64


def base_points(rule: ScoringRule, times: int) -> int:
    """Points of a row that holds and happened `times` times, before any half-life."""
    if rule.frequency != ScoringRule.Frequency.EACH:
        return rule.points
    bound = LIMIT if rule.cap is None else rule.cap
    return max(-bound, min(bound, rule.points * times))


def decayed(base: int, age_days: int, half_life_days: int) -> int:
    """What is left of `base` after whole days: base · 2^(-age / half-life), cut towards zero.

    The law of exponential decay N(t) = N0 · 2^(-t/T); t steps once in 24 hours, counted from the last event.
    """
    return math.trunc(base * 2.0 ** -min(age_days / half_life_days, MOST_HALF_LIVES))


def next_step(base: int, age_days: int, half_life_days: int) -> int | None:
    """The age in days at which what is left of `base` changes next; None when nothing is left."""
    value = decayed(base, age_days, half_life_days)
    if value == 0:
        return None
    # The age at which base · 2^(-age/T) = value, then the first whole day behind it; the fraction keeps floating
    # point from landing behind the true day.
    day = max(age_days + 1, math.floor(half_life_days * math.log(base / value) / math.log(2) - 1e-9) + 1)
    return day + 1 if decayed(base, day, half_life_days) == value else day


def contribution(
    rule: ScoringRule, relation: sql.Composable, subject: sql.Composable, at: datetime | None = None
) -> sql.Composed:
    """SELECT rule_id, subject_id, hits, points, last_at, until: what a row gives each of the subjects at `at`, or now.

    `relation` is that of `segments.compiler` (times = 0: the rule does not hold, but may come to by time alone);
    `subject` names a relation with a column `id`. Rows of 0 points stand for what time alone will change.
    """
    if rule.frequency == ScoringRule.Frequency.NONE:
        return _when_absent(rule, relation, subject)
    parts = {
        "rule": sql.Literal(rule.pk),
        "relation": relation,
        "subject": subject,
        "base": _base(rule),
        "hits": sql.SQL("least(relation.times, {})::int").format(sql.Literal(LIMIT)),
    }
    select = sql.SQL(
        """SELECT {rule}::bigint AS rule_id, relation.subject_id, {hits} AS hits, {base} AS points, relation.last_at,
                  relation.next_change_at AS until
           FROM ({relation}) relation JOIN {subject} subject ON subject.id = relation.subject_id"""
    ).format(**parts)
    return _with_half_life(select, rule.half_life_days, at) if rule.half_life_days else select


def _base(rule: ScoringRule) -> sql.Composed:
    if rule.frequency != ScoringRule.Frequency.EACH:
        return sql.SQL("CASE WHEN relation.times > 0 THEN {}::int ELSE 0 END").format(sql.Literal(rule.points))
    bound = LIMIT if rule.cap is None else rule.cap
    # Where the rule does not hold, times is 0 and so is the product.
    return sql.SQL("greatest(-{bound}, least({bound}, {points}::bigint * relation.times))::int").format(
        bound=sql.Literal(bound), points=sql.Literal(rule.points)
    )


def _when_absent(rule: ScoringRule, relation: sql.Composable, subject: sql.Composable) -> sql.Composed:
    """The points for those for whom the rule does not hold; 0 for the others, until it may cease to."""
    return sql.SQL(
        """SELECT {rule}::bigint AS rule_id, subject.id AS subject_id,
                  CASE WHEN relation.times > 0 THEN 0 ELSE 1 END AS hits,
                  CASE WHEN relation.times > 0 THEN 0 ELSE {points}::int END AS points,
                  relation.last_at, relation.next_change_at AS until
           FROM {subject} subject LEFT JOIN ({relation}) relation ON relation.subject_id = subject.id
           WHERE relation.times IS NULL OR relation.times = 0 OR relation.next_change_at IS NOT NULL"""
    ).format(rule=sql.Literal(rule.pk), points=sql.Literal(rule.points), relation=relation, subject=subject)


def _with_half_life(select: sql.Composed, half_life_days: int, at: datetime | None) -> sql.Composed:
    """`decayed` and `next_step` over a contribution; a row without a moment keeps its points."""
    return sql.SQL(
        """SELECT rule_id, subject_id, hits, coalesce(value, base) AS points, last_at,
                  least(until, CASE WHEN value <> 0 THEN last_at + make_interval(hours => 24 *
                      (day + (trunc(base * power(2::float8, -least(day / {days}, {most}))) = value)::int)) END) AS until
           FROM (SELECT *, greatest(age + 1, floor({days} * ln(base / nullif(value, 0)::float8) / ln(2::float8)
                                                   - 1e-9::float8)::int + 1) AS day
                 FROM (SELECT *, trunc(base * power(2::float8, -least(age / {days}, {most})))::int AS value
                       FROM (SELECT rule_id, subject_id, hits, points AS base, last_at, until,
                                    greatest(0, floor(date_part('epoch', {at} - last_at) / 86400))::int AS age
                             FROM ({select}) undecayed) aged) valued) stepping"""
    ).format(
        days=sql.SQL("{}::float8").format(sql.Literal(half_life_days)),
        most=sql.SQL("{}::float8").format(sql.Literal(MOST_HALF_LIVES)),
        at=sql.SQL("now()") if at is None else sql.Literal(at),
        select=select,
    )
