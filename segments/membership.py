"""Who is in a segment: the difference between two sets, applied and recorded in one transaction.

Every change of a dynamic segment's members locks the segment's row first and then evaluates in one statement, so the
later of two evaluations always sees what the earlier one wrote and everything that it saw: the last word is the right
one. The unique row (segment, contact) decides whoever else is at it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from psycopg import sql

from contacts import timeline
from contacts.models.timeline import Lane
from segments.compiler import condition, relation, rule_settings
from segments.compiler.literals import array
from segments.models import Segment, SegmentClock, SegmentMember
from segments.rules import Rule, RuleError, Vocabulary, parse, watches
from tenants.models import Member

# Members that one transaction changes at most; what is left over is the next one's.
STEP = 20_000
# More than this at once (a go-live) is no live event: its rows are read behind what people do right now.
MANY = 1_000


@dataclass(frozen=True)
class Cause:
    """The row of the timeline that made somebody enter or leave, and how far from a person's act it is."""

    id: int
    depth: int


@dataclass
class Diff:
    """What one evaluation changed."""

    entered: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left over for another step."""
        return len(self.entered) < STEP and len(self.left) < STEP

    @property
    def contact_ids(self) -> list[int]:
        return self.entered + self.left


def rule_of(segment: Segment, vocabulary: Vocabulary | None = None) -> Rule:
    """The segment's rule; raises RuleError if it names what no longer exists."""
    return parse(segment.rule, "contact", vocabulary)


def refresh(segment: Segment, rule: Rule | None = None) -> Diff:
    """Evaluate a dynamic segment for everybody and apply at most STEP changes; the rest is another call's.

    For the caller: repeat, each time in a new transaction, until the answer `is_complete`.
    """
    diff = _evaluate(segment, rule or rule_of(segment), None, {})
    if diff.is_complete:
        Segment.objects.filter(pk=segment.pk).update(evaluated_at=Now(), pending="", error="")
    return diff


def retest(segment: Segment, rule: Rule, contact_ids: Iterable[int], causes: Mapping[int, Cause] | None = None) -> Diff:
    """Evaluate a dynamic segment for some contacts, e.g. those to whom something happened."""
    return _evaluate(segment, rule, sorted(contact_ids), causes or {})


def add(segment: Segment, contact_ids: Iterable[int], by: Member | None = None) -> int:
    """Put active contacts into a static segment by hand; returns how many were not in it."""
    statement = """INSERT INTO segments_segmentmember (segment_id, contact_id)
                   SELECT %s, id FROM contacts_contact WHERE id = ANY(%s) AND is_active
                   ON CONFLICT DO NOTHING RETURNING contact_id"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [segment.pk, list(contact_ids)])
        diff = Diff(entered=[id_ for (id_,) in cursor.fetchall()])
    _record(segment, diff, {}, by)
    return len(diff.entered)


def remove(segment: Segment, contact_ids: Iterable[int], by: Member | None = None) -> int:
    """Take contacts out of a static segment by hand; returns how many were in it."""
    statement = "DELETE FROM segments_segmentmember WHERE segment_id = %s AND contact_id = ANY(%s) RETURNING contact_id"
    with connection.cursor() as cursor:
        cursor.execute(statement, [segment.pk, list(contact_ids)])
        diff = Diff(left=[id_ for (id_,) in cursor.fetchall()])
    _record(segment, diff, {}, by)
    return len(diff.left)


def empty_clocks(segment: Segment) -> None:
    """Stop looking at a segment by the clock, e.g. because its rule is broken or it was archived."""
    SegmentClock.objects.filter(segment=segment).delete()


def _evaluate(segment: Segment, rule: Rule, ids: list[int] | None, causes: Mapping[int, Cause]) -> Diff:
    """One step: lock, difference, clocks, rows of the timeline."""
    if ids == []:
        return Diff()
    _lock(segment)
    with rule_settings(is_full=ids is None), connection.cursor() as cursor:
        cursor.execute(_statement(segment.pk, rule, ids))
        diff = Diff()
        for contact_id, has_entered in cursor.fetchall():
            (diff.entered if has_entered else diff.left).append(contact_id)
    _record(segment, diff, causes, None)
    return diff


def _lock(segment: Segment) -> None:
    """Let one evaluation at a time change the segment's members."""
    Segment.objects.select_for_update(no_key=True).only("pk").get(pk=segment.pk)


def _statement(segment_id: int, rule: Rule, ids: list[int] | None) -> sql.Composed:
    """Writes the members and clocks that differ; returns (contact_id, has it entered).

    One evaluation of the rule, two anti-joins with the members through in_a_segment_once (tenant, segment, contact).
    """
    has_clock = watches(rule).has_clock
    tested = relation(rule, ids) if has_clock else condition(rule, ids)
    among = sql.SQL("") if ids is None else sql.SQL(" AND m.contact_id = ANY({})").format(array(ids))
    return sql.SQL(
        """WITH tested AS MATERIALIZED ({tested}),
        entered AS (
            INSERT INTO segments_segmentmember (segment_id, contact_id)
            SELECT {segment}, t.subject_id FROM tested t WHERE {holds} AND NOT EXISTS (
                SELECT FROM segments_segmentmember m WHERE m.segment_id = {segment} AND m.contact_id = t.subject_id)
            LIMIT {step} ON CONFLICT DO NOTHING RETURNING contact_id),
        leaving AS (
            SELECT m.id FROM segments_segmentmember m WHERE m.segment_id = {segment}{among} AND NOT EXISTS (
                SELECT FROM tested t WHERE t.subject_id = m.contact_id AND {holds})
            LIMIT {step}),
        gone AS (
            DELETE FROM segments_segmentmember m USING leaving l WHERE m.id = l.id RETURNING m.contact_id)
        {clocks}
        SELECT contact_id, true FROM entered UNION ALL SELECT contact_id, false FROM gone"""
    ).format(
        tested=tested,
        segment=sql.SQL("{}::bigint").format(sql.Literal(segment_id)),
        holds=sql.SQL("t.times > 0") if has_clock else sql.SQL("true"),
        among=among,
        step=sql.SQL(str(STEP)),  # type: ignore[arg-type]
        clocks=_clocks(segment_id, among) if has_clock else sql.SQL(""),
    )


def _clocks(segment_id: int, among: sql.Composable) -> sql.Composed:
    """Sets when the tested contacts are looked at again, and forgets those for whom time changes nothing."""
    return sql.SQL(
        """, set_clocks AS (
            INSERT INTO segments_segmentclock AS c (segment_id, contact_id, next_change_at)
            SELECT {segment}, t.subject_id, t.next_change_at FROM tested t
            LEFT JOIN segments_segmentclock o ON o.segment_id = {segment} AND o.contact_id = t.subject_id
            WHERE t.next_change_at IS NOT NULL AND o.next_change_at IS DISTINCT FROM t.next_change_at
            ON CONFLICT (tenant_id, segment_id, contact_id) DO UPDATE SET next_change_at = excluded.next_change_at),
        forgotten AS (
            DELETE FROM segments_segmentclock m WHERE m.segment_id = {segment}{among} AND NOT EXISTS (
                SELECT FROM tested t WHERE t.subject_id = m.contact_id AND t.next_change_at IS NOT NULL))"""
    ).format(segment=sql.SQL("{}::bigint").format(sql.Literal(segment_id)), among=among)


def _record(segment: Segment, diff: Diff, causes: Mapping[int, Cause], by: Member | None) -> None:
    """Count the change and put it on the timeline."""
    for kind, ids in (("segment.entered", diff.entered), ("segment.left", diff.left)):
        if ids:
            timeline.record_select(
                kind,
                """SELECT g.contact_id, c.account_id, g.cause_id, g.depth, %(segment)s::bigint AS object_id,
                          %(actor)s::bigint AS actor_id, jsonb_build_object('segment', %(name)s::text) AS detail
                   FROM unnest(%(ids)s::bigint[], %(cause_ids)s::bigint[], %(depths)s::smallint[])
                        AS g (contact_id, cause_id, depth)
                   LEFT JOIN contacts_contact c ON c.id = g.contact_id ORDER BY g.contact_id""",
                _row_values(segment, sorted(ids), causes, by),
                columns=["contact_id", "account_id", "cause_id", "depth", "object_id", "actor_id", "detail"],
                lane=Lane.BULK if len(ids) > MANY else Lane.LIVE,
            )
    if diff.contact_ids:
        change = len(diff.entered) - len(diff.left)
        Segment.objects.filter(pk=segment.pk).update(member_count=F("member_count") + change)


def _row_values(segment: Segment, ids: list[int], causes: Mapping[int, Cause], by: Member | None) -> dict[str, Any]:
    found = [causes.get(id_) for id_ in ids]
    return {
        "segment": segment.pk,
        "name": segment.name,
        "actor": by.pk if by else None,
        "ids": ids,
        "cause_ids": [cause.id if cause else None for cause in found],
        "depths": [cause.depth + 1 if cause else 0 for cause in found],
    }


def error_of(segment: Segment, vocabulary: Vocabulary | None = None) -> RuleError | None:
    """What is wrong with the segment's rule now, if anything."""
    try:
        rule_of(segment, vocabulary)
    except RuleError as error:
        return error
    return None


def is_member(segment_id: int, contact_id: int) -> bool:
    """Whether the contact is in the segment."""
    return SegmentMember.objects.filter(segment=segment_id, contact=contact_id).exists()
