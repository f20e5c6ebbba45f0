"""The compiled rule means what plain Python says, on random people, histories and rules."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Field
from segments.compiler import condition, relation
from segments.rules import Did, Rule, Sequence, leaves, parse
from tenants.models import Tenant
from tenants.postgres import partitions
from tenants.scope import tenant_scope
from tests.segments import strategies, world
from tests.segments.world import NOW, Person

pytestmark = pytest.mark.django_db
often = settings(max_examples=75, deadline=None, suppress_health_check=list(HealthCheck))
CROWD = st.lists(strategies.people(), min_size=1, max_size=5)
SECOND = timedelta(microseconds=1)


@pytest.fixture
def fields(acme: Tenant) -> None:
    partitions.ensure_back_to(NOW - timedelta(days=40))
    with tenant_scope(acme):
        for key, type_ in (("renewal", "date"), ("budget", "number"), ("vip", "boolean")):
            Field.objects.create(entity="contact", key=key, label=key, type=type_)


def rows(statement: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def in_a_world(acme: Tenant, crowd: list[Person], check: Any) -> None:
    """Run the check with the people written, then undo it all."""
    with tenant_scope(acme), transaction.atomic():
        world.write(crowd)
        check()
        transaction.set_rollback(True)


@often
@given(crowd=CROWD, json=strategies.rules())
def test_a_condition_holds_for_exactly_whom_it_says(acme: Tenant, fields: None, crowd: list[Person], json: Any) -> None:
    def check() -> None:
        rule = parse(json, "contact")
        expected = {person.id for person in crowd if world.holds(rule, person, NOW)}
        assert {id_ for (id_,) in rows(condition(rule, at=NOW))} == expected
        some = [person.id for person in crowd[::2]]
        found = rows(condition(rule, some, at=NOW))
        assert sorted(id_ for (id_,) in found) == sorted(expected & set(some))

    in_a_world(acme, crowd, check)


@often
@given(crowd=CROWD, json=strategies.rules())
def test_nothing_changes_before_a_relations_next_change(
    acme: Tenant, fields: None, crowd: list[Person], json: Any
) -> None:
    def check() -> None:
        rule = parse(json, "contact")
        found = {row[0]: row for row in rows(relation(rule, at=NOW))}
        for person in crowd:
            holds = world.holds(rule, person, NOW)
            times, next_change = found[person.id][1::3] if person.id in found else (0, None)
            assert (times > 0) == holds
            assert next_change is None or next_change > NOW
            before = [m for m in world.flips(rule, person) if next_change is None or m < next_change]
            assert all(world.holds(rule, person, moment) == holds for moment in before)

    in_a_world(acme, crowd, check)


@often
@given(crowd=CROWD, json=strategies.leaves())
def test_a_single_condition_changes_exactly_at_its_next_change(
    acme: Tenant, fields: None, crowd: list[Person], json: Any
) -> None:
    def check() -> None:
        rule = parse(json, "contact")
        found = {row[0]: row for row in rows(relation(rule, at=NOW))}
        for person in crowd:
            next_change = found[person.id][4] if person.id in found else None
            holds = world.holds(rule, person, NOW)
            if next_change is not None:
                assert world.holds(rule, person, next_change) != holds
                assert world.holds(rule, person, next_change - SECOND) == holds
            _check_counts(rule, person, found.get(person.id), holds)

    in_a_world(acme, crowd, check)


def _check_counts(rule: Rule, person: Person, row: Any, holds: bool) -> None:
    """A behaviour's times, first and last are those of its facts."""
    (leaf,) = leaves(rule.root)
    if not holds:
        return
    if isinstance(leaf, Did) and not leaf.is_negated:
        moments = [fact.at for fact in world.matching(leaf, person, NOW)]
        assert row[1:4] == (len(moments), min(moments), max(moments))
    elif isinstance(leaf, Sequence):
        moments = world.completions(leaf, person, NOW)
        assert row[1:4] == (len(moments), min(moments), max(moments))
    else:
        assert row[1:4] == (1, None, None)


@often
@given(crowd=CROWD, json=strategies.behaviors())
def test_counting_relations_change_when_the_count_may(
    acme: Tenant, fields: None, crowd: list[Person], json: Any
) -> None:
    def check() -> None:
        rule = parse(json, "contact")
        (leaf,) = leaves(rule.root)
        assert isinstance(leaf, Did)
        if leaf.is_negated or leaf.at_most or not leaf.within_days:
            return
        for person_id, times, _first, _last, next_change in rows(relation(rule, at=NOW, is_counting=True)):
            person = next(p for p in crowd if p.id == person_id)
            assert len(world.matching(leaf, person, next_change)) < times
            assert len(world.matching(leaf, person, next_change - SECOND)) == times

    in_a_world(acme, crowd, check)
