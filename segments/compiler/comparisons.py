"""Tests of fields as SQL: one boolean expression per operator, never NULL, and when it changes by time alone."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from psycopg import sql

from segments.compiler.literals import hours, literal, text
from segments.fields import Field, Type
from segments.rules.nodes import FieldTest

Sql = sql.Composable


def expression(field: Field, t: Sql, j: Sql) -> Sql:
    """The field's value; `t` is its entity's table and `j` what the field joins.

    A custom field is read by its type: a value of another type (the field's type was changed) counts as none.
    """
    if not field.custom_key:
        return sql.SQL(field.expression).format(t=t, j=j)  # type: ignore[arg-type]
    key = text(field.custom_key)
    raw = sql.SQL("({t}.custom ->> {key})").format(t=t, key=key)
    if field.type in (Type.TEXT, Type.CHOICE):
        return raw
    cast = {Type.NUMBER: "bigint", Type.DATE: "date", Type.BOOLEAN: "boolean"}[Type(field.type)]
    return sql.SQL("CASE WHEN pg_input_is_valid({raw}, '{cast}') THEN {raw}::{cast} END").format(
        raw=raw,
        cast=sql.SQL(cast),  # type: ignore[arg-type]
    )


def holds(test: FieldTest, value: Sql, at: Sql, zone: ZoneInfo) -> Sql:
    """Whether the test holds at the moment `at`: true or false, also for empty values.

    What is negated ("is not", "does not contain", "is none of") holds for an empty value.
    """
    write = _WRITERS.get((test.field.type, test.op)) or _BY_OP[test.op]
    return write(_Parts(test, value, at, zone))


def next_change(test: FieldTest, value: Sql, at: Sql, zone: ZoneInfo) -> Sql | None:
    """The first moment after `at` at which the test's answer changes by time alone (NULL: never); None: it has none."""
    if test.op not in ("in_last_days", "in_next_days", "days_ago"):
        return None
    days = int(test.value)  # type: ignore[arg-type]
    starts, ends = {"in_last_days": (0, days), "in_next_days": (-days, 0), "days_ago": (days, None)}[test.op]
    moments = [_moved(test, value, offset, zone) for offset in (starts, ends) if offset is not None]
    cases = [sql.SQL("WHEN {m} > {at} THEN {m}").format(m=moment, at=at) for moment in moments]
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(cases))


def _moved(test: FieldTest, value: Sql, days: int, zone: ZoneInfo) -> Sql:
    """The moment so many days after the value: exact hours after a moment, the start of a day after a day."""
    if test.field.type == Type.MOMENT:
        return sql.SQL("({v} + {h})").format(v=value, h=hours(days))
    return sql.SQL("(({v} + {n})::timestamp AT TIME ZONE {zone})").format(
        v=value,
        n=sql.SQL(str(int(days))),
        zone=text(zone.key),  # type: ignore[arg-type]
    )


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a calendar day begins."""
    return datetime.combine(day, time(), zone)


class _Parts:
    """What the writers of operators put together."""

    def __init__(self, test: FieldTest, value: Sql, at: Sql, zone: ZoneInfo) -> None:
        self.test, self.value, self.at, self.zone = test, value, at, zone

    def sure(self, template: str, **parts: Sql) -> Sql:
        """The condition, false where the value is NULL."""
        return sql.SQL("coalesce(" + template + ", false)").format(v=self.value, **parts)  # type: ignore[arg-type]

    def pair(self) -> tuple[Any, Any]:
        """Both ends of a range."""
        low, high = cast("tuple[Any, Any]", self.test.value)
        return low, high

    def day(self, value: Any, plus: int = 0) -> Sql:
        """A day as the field's type: itself, or the moment at which it begins in the tenant's zone."""
        moved = value + timedelta(days=plus)
        return literal(midnight(moved, self.zone) if self.test.field.type == Type.MOMENT else moved)

    def today(self) -> Sql:
        return sql.SQL("({at} AT TIME ZONE {zone})::date").format(at=self.at, zone=text(self.zone.key))

    def list(self, wrap: str = "{}") -> Sql:
        """The values of a list, comma separated."""
        values = self.test.value if isinstance(self.test.value, tuple) else (self.test.value,)
        return sql.SQL(", ").join(sql.SQL(wrap).format(literal(each)) for each in values)  # type: ignore[arg-type]


def _compare(operator: str) -> Callable[[_Parts], Sql]:
    return lambda p: p.sure("{v} " + operator + " {x}", x=literal(p.test.value))


def _text(template: str) -> Callable[[_Parts], Sql]:
    """Text is compared without regard to case."""
    return lambda p: p.sure(template, x=sql.SQL("lower({})").format(literal(p.test.value)))


def _not(write: Callable[[_Parts], Sql]) -> Callable[[_Parts], Sql]:
    return lambda p: sql.SQL("NOT {}").format(write(p))


def _is_day(p: _Parts) -> Sql:
    if p.test.field.type == Type.DATE:
        return p.sure("{v} = {x}", x=literal(p.test.value))
    return p.sure("{v} >= {low} AND {v} < {high}", low=p.day(p.test.value), high=p.day(p.test.value, 1))


def _between(p: _Parts) -> Sql:
    low, high = p.pair()
    return p.sure("{v} BETWEEN {low} AND {high}", low=literal(low), high=literal(high))


def _between_days(p: _Parts) -> Sql:
    low, high = p.pair()
    return p.sure("{v} >= {low} AND {v} < {high}", low=p.day(low), high=p.day(high, 1))


def _in_last(p: _Parts) -> Sql:
    if p.test.field.type == Type.MOMENT:
        return p.sure("{v} <= {at} AND {v} > {at} - {h}", at=p.at, h=hours(int(p.test.value)))  # type: ignore[arg-type]
    return p.sure("{v} <= {today} AND {v} > {today} - {n}", today=p.today(), n=_int(p))


def _in_next(p: _Parts) -> Sql:
    if p.test.field.type == Type.MOMENT:
        return p.sure("{v} > {at} AND {v} <= {at} + {h}", at=p.at, h=hours(int(p.test.value)))  # type: ignore[arg-type]
    return p.sure("{v} > {today} AND {v} <= {today} + {n}", today=p.today(), n=_int(p))


def _days_ago(p: _Parts) -> Sql:
    if p.test.field.type == Type.MOMENT:
        return p.sure("{v} <= {at} - {h}", at=p.at, h=hours(int(p.test.value)))  # type: ignore[arg-type]
    return p.sure("{v} <= {today} - {n}", today=p.today(), n=_int(p))


def _int(p: _Parts) -> Sql:
    return sql.SQL(str(int(p.test.value)))  # type: ignore[arg-type]


def _has_text(p: _Parts) -> Sql:
    return p.sure("{v} <> ''")


def _has_value(p: _Parts) -> Sql:
    return sql.SQL("({} IS NOT NULL)").format(p.value)


_BY_OP: dict[str, Callable[[_Parts], Sql]] = {
    "is": _compare("="),
    "is_not": _not(_compare("=")),
    "in": lambda p: p.sure("{v} IN ({x})", x=p.list()),
    "not_in": _not(lambda p: p.sure("{v} IN ({x})", x=p.list())),
    "gt": _compare(">"),
    "gte": _compare(">="),
    "lt": _compare("<"),
    "lte": _compare("<="),
    "between": _between,
    "has_value": _has_value,
    "has_none": _not(_has_value),
    # Text; strpos and left know no wildcards.
    "contains": _text("strpos(lower({v}), {x}) > 0"),
    "contains_not": _not(_text("strpos(lower({v}), {x}) > 0")),
    "begins": _text("starts_with(lower({v}), {x})"),
    "ends": _text("right(lower({v}), length({x})) = {x}"),
    # Days and moments.
    "before": lambda p: p.sure("{v} < {x}", x=p.day(p.test.value)),
    "after": lambda p: p.sure("{v} >= {x}", x=p.day(p.test.value, 1)),
    "in_last_days": _in_last,
    "in_next_days": _in_next,
    "days_ago": _days_ago,
}
_WRITERS: dict[tuple[str, str], Callable[[_Parts], Sql]] = {
    (Type.TEXT, "is"): _text("lower({v}) = {x}"),
    (Type.TEXT, "is_not"): _not(_text("lower({v}) = {x}")),
    (Type.TEXT, "in"): lambda p: p.sure("lower({v}) IN ({x})", x=p.list("lower({})")),
    (Type.TEXT, "not_in"): _not(lambda p: p.sure("lower({v}) IN ({x})", x=p.list("lower({})"))),
    (Type.TEXT, "has_value"): _has_text,
    (Type.TEXT, "has_none"): _not(_has_text),
    (Type.CHOICE, "has_value"): _has_text,
    (Type.CHOICE, "has_none"): _not(_has_text),
    (Type.DATE, "is"): _is_day,
    (Type.MOMENT, "is"): _is_day,
    (Type.DATE, "between"): _between_days,
    (Type.MOMENT, "between"): _between_days,
}
