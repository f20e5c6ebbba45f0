"""Behaviours as SQL: the facts of a condition grouped into one set that Postgres hashes, never counted per subject."""

from datetime import timedelta
from typing import NamedTuple

from psycopg import sql

from contacts import timeline
from segments.compiler.comparisons import midnight
from segments.compiler.literals import array, hours, literal, text
from segments.rules.nodes import Detail, Did, Rule, Sequence
from segments.rules.vocabulary import ANY_ACTIVITY

Sql = sql.Composable


class People(NamedTuple):
    """Whose facts count for which key: `key` is an expression over `join` (facts are `i`), `where` restricts both.

    `facts` is the timeline, or a relation that has what is asked for of it.
    """

    key: Sql
    join: Sql = sql.SQL("")
    where: Sql = sql.SQL("true")
    facts: Sql = sql.SQL("contacts_interaction")


def matches(did: Did, rule: Rule, at: Sql) -> Sql:
    """Whether a row `i` of the timeline is such a fact, its window included.

    A fact is never recorded before it happened, so a bound of `occurred_at` is one of `recorded_at` too, and leaves
    the other months' partitions alone.
    """
    kinds = timeline.activity_kinds() if did.kind == ANY_ACTIVITY else [did.kind]
    tests: list[Sql] = (
        [sql.SQL("i.kind IN ({})").format(sql.SQL(", ").join(map(text, kinds)))] if kinds else [sql.SQL("false")]
    )
    if len(kinds) == 1:
        tests = [sql.SQL("i.kind = {}").format(text(kinds[0]))]
    if did.objects:
        tests.append(sql.SQL("i.object_id = ANY({})").format(array(did.objects)))
    if did.links:
        tests.append(sql.SQL("i.link_id = ANY({})").format(array(did.links)))
    tests += [_detail(detail) for detail in did.where]
    if did.within_days is not None:
        tests.append(since(sql.SQL("{} - {}").format(at, hours(did.within_days))))
    if did.between is not None:
        low, high = did.between
        tests.append(since(literal(midnight(low, rule.zone)), "i.occurred_at >= "))
        tests.append(sql.SQL("i.occurred_at < {}").format(literal(midnight(high + timedelta(days=1), rule.zone))))
    return sql.SQL("({})").format(sql.SQL(" AND ").join(tests))


def did_set(did: Did, rule: Rule, people: People, at: Sql, *, is_timed: bool) -> Sql:
    """SELECT key, times, first_at, last_at, leaves_at of the keys with at least as many facts as asked.

    `leaves_at` (if `is_timed`) is the fact whose leaving the window changes the answer: the n-th most recent one.
    Index: interaction_of_kind (tenant, kind, occurred_at), or interaction_of_contact when `people` names ids. One
    pass and one hash aggregate.
    """
    nth = did.at_least if did.at_most is None else None
    return sql.SQL(
        """SELECT {key} AS key, count(*) AS times, min(i.occurred_at) AS first_at, max(i.occurred_at) AS last_at{leaves}
           FROM {facts} i {join}
           WHERE i.contact_id IS NOT NULL AND {matches} AND {where}
           GROUP BY 1{having}"""
    ).format(
        key=people.key,
        facts=people.facts,
        leaves=_leaves(did, nth) if is_timed else sql.SQL(""),
        join=people.join,
        matches=matches(did, rule, at),
        where=people.where,
        having=sql.SQL(" HAVING count(*) >= {}").format(sql.SQL(str(did.at_least)))  # type: ignore[arg-type]
        if did.at_least > 1
        else sql.SQL(""),
    )


def sequence_set(sequence: Sequence, rule: Rule, people: People, at: Sql) -> Sql:
    """SELECT key, times, first_at, last_at, leaves_at over the moments at which the sequence was completed.

    Each level finds, for a fact that is the next step, the latest start of a run up to the step before it: the widest
    choice for what follows. One pass over the steps' facts, sorted once by key and time; no join of facts with facts.
    """
    steps = [matches(step, rule, at) for step in sequence.steps]
    recent: Sql = sql.SQL("true")
    if sequence.in_last_days:
        span = sequence.in_last_days + sequence.within_days
        recent = since(sql.SQL("{} - {}").format(at, hours(span)), "i.occurred_at >= ")
    inner: Sql = sql.SQL(
        """SELECT {key} AS key, i.occurred_at, i.id, {flags}, CASE WHEN {first} THEN i.occurred_at END AS start0
           FROM {facts} i {join}
           WHERE i.contact_id IS NOT NULL AND ({any}) AND {recent} AND {where}"""
    ).format(
        key=people.key,
        facts=people.facts,
        flags=sql.SQL(", ").join(sql.SQL("{} AS is{}").format(step, _number(n)) for n, step in enumerate(steps)),
        first=steps[0],
        join=people.join,
        any=sql.SQL(" OR ").join(steps),
        recent=recent,
        where=people.where,
    )
    for n in range(1, len(steps)):
        inner = sql.SQL(
            """SELECT f.*, CASE WHEN f.is{n} THEN max(f.start{before}) OVER (PARTITION BY f.key
               ORDER BY f.occurred_at, f.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) END AS start{n}
               FROM ({inner}) f"""
        ).format(n=_number(n), before=_number(n - 1), inner=inner)
    window = (
        sql.SQL(" AND i.occurred_at > {} - {}").format(at, hours(sequence.in_last_days))
        if sequence.in_last_days
        else sql.SQL("")
    )
    return sql.SQL(
        """SELECT i.key, count(*) AS times, min(i.occurred_at) AS first_at, max(i.occurred_at) AS last_at,
                  max(i.occurred_at) AS leaves_at
           FROM ({inner}) i WHERE i.start{last} >= i.occurred_at - {within}{window} GROUP BY 1"""
    ).format(inner=inner, last=_number(len(steps) - 1), within=hours(sequence.within_days), window=window)


def since(moment: Sql, compare: str = "i.occurred_at > ") -> Sql:
    """Whether a row `i` of the timeline happened since a moment."""
    return sql.SQL("(" + compare + "{m} AND i.recorded_at >= {m})").format(m=moment)  # type: ignore[arg-type]


def _leaves(did: Did, nth: int | None) -> Sql:
    if nth == 1:
        return sql.SQL(", max(i.occurred_at) AS leaves_at")
    place = sql.SQL(str(nth)) if nth else _place_within(did)  # type: ignore[arg-type]
    return sql.SQL(", (array_agg(i.occurred_at ORDER BY i.occurred_at DESC))[{}] AS leaves_at").format(place)


def _place_within(did: Did) -> Sql:
    """Too many: the answer changes when only `at_most` are left; else when fewer than `at_least` are."""
    low, high = sql.SQL(str(did.at_least)), sql.SQL(str(did.at_most))  # type: ignore[arg-type]
    return sql.SQL("CASE WHEN count(*) > {high} THEN {high} + 1 ELSE {low} END").format(low=low, high=high)


def _detail(detail: Detail) -> Sql:
    value = sql.SQL("lower(i.detail ->> {})").format(text(detail.key))
    template = {"is": "{v} = {x}", "contains": "strpos({v}, {x}) > 0", "begins": "starts_with({v}, {x})"}[detail.op]
    compared = sql.SQL("lower({})").format(text(detail.value))
    return sql.SQL("coalesce(" + template + ", false)").format(v=value, x=compared)  # type: ignore[arg-type]


def _number(n: int) -> Sql:
    return sql.SQL(str(n))  # type: ignore[arg-type]
