"""From rules to SQL. Two outputs: a *condition* (whom it holds for) and a *relation* (how often, and until when).

Run both inside `rule_settings()`. They are `sql.Composed` without parameters, in the tenant's scope, and may be put
into larger statements, with or without parameters of their own.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection
from psycopg import sql

from segments.compiler.literals import hours, literal
from segments.compiler.plan import Answer, Plan
from segments.compiler.sharing import SharedFacts
from segments.rules.nodes import Did, Group, Node, Not, Rule, Sequence

__all__ = ["SharedFacts", "condition", "relation", "rule_settings", "select_ids"]

Sql = sql.Composable
_NULL = sql.SQL("NULL::timestamptz")


def condition(rule: Rule, ids: Iterable[int] | None = None, at: datetime | None = None) -> sql.Composed:
    """SELECT subject_id of the subjects for whom the rule holds, each once; among `ids` if given; at `at` or now.

    Cost: each behaviour is one pass over its kind's facts and one hash join; with `ids`, index look-ups per id.
    """
    plan = Plan(rule, None if ids is None else list(ids), _moment(at))
    holds = _holds(plan, rule.root, is_wanted=True)
    return sql.SQL("SELECT s.id AS subject_id {source} AND {holds}").format(source=plan.source(), holds=holds)


def relation(
    rule: Rule,
    ids: Iterable[int] | None = None,
    at: datetime | None = None,
    *,
    is_counting: bool = False,
    shared: SharedFacts | None = None,
) -> sql.Composed:
    """SELECT subject_id, times, first_at, last_at, next_change_at, a row per subject at most.

    Rows are of the subjects for whom the rule holds (`times` ≥ 1) or may come to hold by time alone (`times` = 0).
    `times`, `first_at` and `last_at` are those of what was done: of one behaviour its count; of `all` the largest of
    its parts; of `any` their sum; 1 where nothing is counted (fields, membership, "did not"). `next_change_at` is the
    next moment at which the answer may change although nothing happens (NULL: never); for a single condition it does
    change then. With `is_counting` it is the next moment at which `times` may change. `shared`: facts that the
    statement around it has read, for the subjects that it asks about.
    """
    plan = Plan(rule, None if ids is None else list(ids), _moment(at), is_timed=True, shared=shared)
    answer = _answer(plan, rule.root, is_counting)
    return sql.SQL(
        """SELECT subject_id, CASE WHEN holds THEN coalesce(times, 1) ELSE 0 END AS times,
                  CASE WHEN holds THEN first_at END AS first_at, CASE WHEN holds THEN last_at END AS last_at,
                  next_change_at
           FROM (SELECT s.id AS subject_id, {holds} AS holds, {times} AS times, {first} AS first_at, {last} AS last_at,
                        {next} AS next_change_at {source}) answers
           WHERE holds OR next_change_at IS NOT NULL"""
    ).format(
        holds=answer.holds,
        times=answer.times or sql.SQL("1::bigint"),
        first=answer.first_at or _NULL,
        last=answer.last_at or _NULL,
        next=answer.next_at or _NULL,
        source=plan.source(),
    )


@contextmanager
def rule_settings(*, is_full: bool = True) -> Iterator[None]:
    """Settings of the transaction for running rules: room to hash in, no compilation of expressions.

    Over everybody (`is_full`) no nested loops either: behind row-level security Postgres guesses the selectivity of
    what is not leakproof, and a guess of one row would make a loop over whole sets. With ids, loops are index look-ups.
    """
    wanted = {"work_mem": "128MB", "jit": "off", "enable_nestloop": "off" if is_full else "on"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in wanted))
        before = cursor.fetchone()
        _set(dict(wanted))
        yield
        if not connection.needs_rollback:
            _set(dict(zip(wanted, before, strict=True)))


def select_ids(rule: Rule, ids: Iterable[int] | None = None) -> list[int]:
    """The ids of the subjects for whom the rule holds (among `ids`), for callers that need them in Python."""
    with rule_settings(is_full=ids is None), connection.cursor() as cursor:
        cursor.execute(condition(rule, ids))
        return [id_ for (id_,) in cursor.fetchall()]


def _set(settings: dict[str, str]) -> None:
    calls = ", ".join("set_config(%s, %s, true)" for _ in settings)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [part for pair in settings.items() for part in pair])


def _moment(at: datetime | None) -> Sql | None:
    return None if at is None else literal(at)


def _holds(plan: Plan, node: Node, *, is_wanted: bool) -> Sql:
    """Whether the node holds (or does not, `is_wanted` being False). Negation is pushed down to the conditions, where
    Postgres recognises `key IS NULL` as an anti-join.
    """
    if isinstance(node, Not):
        return _holds(plan, node.child, is_wanted=not is_wanted)
    if isinstance(node, Group):
        if not node.children:
            return sql.SQL("true") if (node.mode == "all") == is_wanted else sql.SQL("false")
        joiner = " AND " if (node.mode == "all") == is_wanted else " OR "
        parts = [_holds(plan, child, is_wanted=is_wanted) for child in node.children]
        return sql.SQL("({})").format(sql.SQL(joiner).join(parts))
    return _plain(node, plan.answer(node), is_wanted)


def _plain(leaf: Node, answer: Answer, is_wanted: bool) -> Sql:
    return answer.holds if is_wanted else sql.SQL("NOT ({})").format(answer.holds)


def _answer(plan: Plan, node: Node, is_counting: bool) -> Answer:
    """The answer of a whole tree, put together from those of its conditions."""
    if isinstance(node, Not):
        inner = _answer(plan, node.child, is_counting)
        return Answer(sql.SQL("NOT ({})").format(inner.holds), next_at=inner.next_at)
    if isinstance(node, Group):
        return _combined(node, [_answer(plan, child, is_counting) for child in node.children])
    answer = plan.answer(node)
    days = node.within_days if isinstance(node, Did) else node.in_last_days if isinstance(node, Sequence) else None
    if is_counting and days and answer.first_at is not None:
        next_at = sql.SQL("({} + {})").format(answer.first_at, hours(days))
        return Answer(answer.holds, answer.times, answer.first_at, answer.last_at, next_at)
    return answer


def _combined(group: Group, answers: list[Answer]) -> Answer:
    if not answers:
        return Answer(sql.SQL("true") if group.mode == "all" else sql.SQL("false"))
    is_all = group.mode == "all"
    counted = [answer for answer in answers if answer.times is not None]
    # Of `any`, only what holds counts.
    shown = counted if is_all else [_where_it_holds(answer) for answer in counted]
    return Answer(
        holds=sql.SQL("({})").format(sql.SQL(" AND " if is_all else " OR ").join(a.holds for a in answers)),
        times=_times([a.times for a in shown if a.times], is_all) if shown else None,
        first_at=_extreme("least", [a.first_at for a in shown if a.first_at]),
        last_at=_extreme("greatest", [a.last_at for a in shown if a.last_at]),
        next_at=_extreme("least", [a.next_at for a in answers if a.next_at]),
    )


def _where_it_holds(answer: Answer) -> Answer:
    def guarded(expression: Sql | None) -> Sql | None:
        return expression and sql.SQL("CASE WHEN {} THEN {} END").format(answer.holds, expression)

    return Answer(answer.holds, guarded(answer.times), guarded(answer.first_at), guarded(answer.last_at))


def _times(times: list[Sql], is_all: bool) -> Sql:
    if is_all:
        return sql.SQL("greatest({}, 1)").format(sql.SQL(", ").join(times))
    return sql.SQL("greatest({}, 1)").format(sql.SQL(" + ").join(sql.SQL("coalesce({}, 0)").format(t) for t in times))


def _extreme(function: str, moments: list[Sql]) -> Sql | None:
    if not moments:
        return None
    return sql.SQL(function + "({})").format(sql.SQL(", ").join(moments))  # type: ignore[arg-type]
