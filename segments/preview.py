"""What a rule would give now: how many of how many, and a few of those inside and outside."""

from dataclasses import dataclass
from typing import NamedTuple

from django.db import OperationalError, connection, transaction
from psycopg import sql

from segments import subjects
from segments.compiler import condition, rule_settings
from segments.rules import Rule

INSIDE, OUTSIDE = 3, 2
# A preview may not hold a page up; going live may take longer.
LONGEST = "3s"


class Sample(NamedTuple):
    """A subject, and whether the rule holds for it."""

    id: int
    name: str
    hint: str
    holds: bool


@dataclass(frozen=True)
class Preview:
    """`count` of `total` subjects; None if counting takes too long."""

    count: int | None
    total: int | None
    samples: list[Sample]


def of(rule: Rule) -> Preview:
    """The preview of a rule, in the scope of its tenant.

    One evaluation; the samples are the latest of both sorts.
    """
    try:
        with transaction.atomic(), rule_settings(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [LONGEST])
            cursor.execute(_statement(rule))
            count, total, samples = cursor.fetchone()
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError:
        return Preview(None, None, [])
    return Preview(count, total, [Sample(*sample) for sample in samples])


def _statement(rule: Rule) -> sql.Composed:
    """SELECT count, total, samples as JSON [id, name, hint, holds]; index: the primary key, from its end."""
    subject = subjects.get(rule.subject)
    s = sql.Identifier("s")
    parts = {
        "table": sql.Identifier(subject.table),
        "where": sql.SQL(subject.where).format(t=s),  # type: ignore[arg-type]
        "name": sql.SQL(subject.name).format(t=s),  # type: ignore[arg-type]
        "hint": sql.SQL(subject.hint).format(t=s),  # type: ignore[arg-type]
    }
    return sql.SQL(
        """WITH found AS MATERIALIZED ({condition}),
        inside AS (SELECT subject_id AS id, true AS holds FROM found ORDER BY subject_id DESC LIMIT {inside}),
        outside AS (
            SELECT s.id, false AS holds FROM {table} s LEFT JOIN found f ON f.subject_id = s.id
            WHERE {where} AND f.subject_id IS NULL ORDER BY s.id DESC LIMIT {outside})
        SELECT (SELECT count(*) FROM found), (SELECT count(*) FROM {table} s WHERE {where}),
               coalesce((SELECT json_agg(json_build_array(s.id, {name}, {hint}, chosen.holds)
                                         ORDER BY chosen.holds DESC, s.id DESC)
                         FROM (SELECT * FROM inside UNION ALL SELECT * FROM outside) chosen
                         JOIN {table} s ON s.id = chosen.id), '[]')"""
    ).format(
        condition=condition(rule),
        inside=sql.SQL(str(INSIDE)),  # type: ignore[arg-type]
        outside=sql.SQL(str(OUTSIDE)),  # type: ignore[arg-type]
        **parts,
    )
