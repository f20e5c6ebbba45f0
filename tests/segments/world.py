"""A small world for rules: kinds of facts, people, and a plain-Python answer to every rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg.types.json import Jsonb

from contacts import timeline
from contacts.models import Contact
from contacts.timeline import Kind
from segments.rules import Did, FieldTest, Group, Not, Rule, Sequence
from segments.rules.nodes import Node

timeline.register(
    Kind(
        "rules.clicked",
        title="Clicked",
        icon="click",
        sentence="clicked",
        object_kind="test",
        fields={"url": "Address"},
        is_activity=True,
    ),
    Kind(
        "rules.visited", title="Visited", icon="world", sentence="visited", fields={"url": "Address"}, is_activity=True
    ),
    Kind("rules.noted", title="Noted", icon="note", sentence="noted"),
)
ACTIVITIES = {"rules.clicked", "rules.visited"}
NOW = datetime(2025, 3, 30, 12, 0, tzinfo=UTC)  # the day Berlin's clocks go forward
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Fact:
    """A row of the timeline of somebody."""

    kind: str
    at: datetime
    object_id: int | None = None
    link_id: int | None = None
    url: str = ""


@dataclass
class Person:
    """A contact of the world with what she did."""

    values: dict[str, Any] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    id: int = 0


def write(people: Iterable[Person]) -> None:
    """Put the people and their facts into the scope's tables; recorded as they happened."""
    rows = []
    for person in people:
        person.id = Contact.objects.create(**person.values).pk
        rows += [(person.id, f.kind, f.at, f.at, f.object_id, f.link_id, Jsonb({"url": f.url})) for f in person.facts]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO contacts_interaction (contact_id, kind, occurred_at, recorded_at, object_id, link_id, detail) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            rows,
        )


# ---- the same rules, in plain Python ----


def holds(rule: Rule, person: Person, now: datetime) -> bool:
    """Whether the rule holds for the person at a moment."""
    return _node(rule.root, person, now)


def _node(node: Node, person: Person, now: datetime) -> bool:
    if isinstance(node, Group):
        answers = [_node(child, person, now) for child in node.children]
        return all(answers) if node.mode == "all" else any(answers)
    if isinstance(node, Not):
        return not _node(node.child, person, now)
    if isinstance(node, FieldTest):
        return _field_test(node, person, now)
    if isinstance(node, Did):
        return did(node, person, now)
    assert isinstance(node, Sequence)
    return bool(completions(node, person, now))


def did(node: Did, person: Person, now: datetime) -> bool:
    count = len(matching(node, person, now))
    happened = count >= node.at_least and (node.at_most is None or count <= node.at_most)
    return happened != node.is_negated


def matching(node: Did, person: Person, now: datetime) -> list[Fact]:
    """The facts that count, most recent first."""
    return sorted((f for f in person.facts if _is_such(node, f, now)), key=lambda f: f.at, reverse=True)


def _is_such(node: Did, fact: Fact, now: datetime) -> bool:
    kinds = ACTIVITIES if node.kind == "activity" else {node.kind}
    tests = {"is": str.__eq__, "contains": str.__contains__, "begins": str.startswith}
    return (
        fact.kind in kinds
        and (not node.objects or fact.object_id in node.objects)
        and (not node.links or fact.link_id in node.links)
        and all(tests[d.op](fact.url.lower(), d.value.lower()) for d in node.where)
        and (node.within_days is None or now - fact.at < timedelta(hours=24 * node.within_days))
        and (node.between is None or node.between[0] <= fact.at.astimezone(BERLIN).date() <= node.between[1])
    )


def completions(node: Sequence, person: Person, now: datetime) -> list[datetime]:
    """The moments at which the sequence was completed: every way of choosing its steps is tried."""
    ordered = sorted(enumerate(person.facts), key=lambda pair: (pair[1].at, pair[0]))
    found = set()

    def choose(step: int, place: int, start: datetime | None) -> None:
        for i in range(place, len(ordered)):
            fact = ordered[i][1]
            if not _is_such(node.steps[step], fact, now):
                continue
            begun = start or fact.at
            if step + 1 < len(node.steps):
                choose(step + 1, i + 1, begun)
            elif fact.at - begun <= timedelta(days=node.within_days):
                found.add(i)

    choose(0, 0, None)
    moments = [ordered[i][1].at for i in found]
    if node.in_last_days:
        moments = [moment for moment in moments if now - moment < timedelta(days=node.in_last_days)]
    return sorted(moments)


def _field_test(test: FieldTest, person: Person, now: datetime) -> bool:
    name = test.field.key.removeprefix("contact.")
    value = (
        person.values.get("custom", {}).get(name.removeprefix("custom."))
        if name.startswith("custom.")
        else person.values.get(name)
    )
    if test.field.type in ("date", "moment"):
        return _day_test(test, value, now)
    return _plain_test(test, value)


def _plain_test(test: FieldTest, value: Any) -> bool:
    is_text = isinstance(value, str)
    value = value.lower() if is_text else value
    wanted: Any = test.value
    if isinstance(wanted, str):
        wanted = wanted.lower()
    if isinstance(wanted, tuple):
        wanted = tuple(each.lower() if isinstance(each, str) else each for each in wanted)
    has = value is not None and value != ""
    known = value is not None
    answers: Mapping[str, Any] = {
        "is": lambda: known and value == wanted,
        "is_not": lambda: not (known and value == wanted),
        "contains": lambda: known and wanted in value,
        "contains_not": lambda: not (known and wanted in value),
        "begins": lambda: known and value.startswith(wanted),
        "ends": lambda: known and value.endswith(wanted),
        "in": lambda: known and value in wanted,
        "not_in": lambda: not (known and value in wanted),
        "gt": lambda: known and value > wanted,
        "gte": lambda: known and value >= wanted,
        "lt": lambda: known and value < wanted,
        "lte": lambda: known and value <= wanted,
        "between": lambda: known and wanted[0] <= value <= wanted[1],
        "has_value": lambda: has,
        "has_none": lambda: not has,
    }
    return bool(answers[test.op]())


def _day_test(test: FieldTest, value: Any, now: datetime) -> bool:
    wanted: Any = test.value
    if test.op in ("has_value", "has_none"):
        return (value is not None) == (test.op == "has_value")
    if value is None:
        return False
    is_moment = isinstance(value, datetime)
    day = value.astimezone(BERLIN).date() if is_moment else date.fromisoformat(value)
    here, step = (now, timedelta(days=1)) if is_moment else (now.astimezone(BERLIN).date(), timedelta(days=1))
    place = value if is_moment else day
    answers: Mapping[str, Any] = {
        "is": lambda: day == wanted,
        "before": lambda: day < wanted,
        "after": lambda: day > wanted,
        "between": lambda: wanted[0] <= day <= wanted[1],
        "in_last_days": lambda: here - wanted * step < place <= here,
        "in_next_days": lambda: here < place <= here + wanted * step,
        "days_ago": lambda: place <= here - wanted * step,
    }
    return bool(answers[test.op]())


def flips(rule: Rule, person: Person) -> list[datetime]:
    """Every moment after NOW at which any condition about time may change for the person."""
    moments = set()
    days = {1, 2, 3, 7, 30}
    for fact in person.facts:
        moments |= {fact.at + timedelta(days=n) for n in days}
    for value in [person.values.get("created_at"), person.values.get("custom", {}).get("renewal")]:
        if isinstance(value, datetime):
            moments |= {value + timedelta(days=n) for n in [0, *days, *(-n for n in days)]}
        elif value:
            start = date.fromisoformat(value)
            moments |= {
                datetime.combine(start + timedelta(days=n), time(), BERLIN).astimezone(UTC)
                for n in [0, *days, *(-n for n in days)]
            }
    return sorted(moment for moment in moments if moment > NOW)
