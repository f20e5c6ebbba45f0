"""The scores that SQL computes are those of a plain reading of the rules, and change no earlier than they say."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import trunc
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contacts import timeline
from leads.models import Lead
from scoring.models import Score, ScoreEntry
from scoring.rescore import rescore
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.scoring.world import contact, lead, live_model, row

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Row:
    """A row about one behaviour, read plainly."""

    kind: str
    points: int
    frequency: str
    at_least: int
    within_days: int | None
    cap: int | None
    half_life_days: int | None

    def given(self, history: list[tuple[str, datetime]], now: datetime) -> int:
        counted = [at for kind, at in history if kind == self.kind and at <= now and self._is_recent(at, now)]
        holds = len(counted) >= self.at_least
        if self.frequency == "none":
            return 0 if holds else self.points
        if not holds:
            return 0
        if self.frequency == "once":
            base = self.points
        else:
            base = self.points * len(counted)
            base = base if self.cap is None else max(-self.cap, min(self.cap, base))
        if not self.half_life_days:
            return base
        age = (now - max(counted)) // timedelta(days=1)
        return trunc(base * 2 ** (-age / self.half_life_days))

    def _is_recent(self, at: datetime, now: datetime) -> bool:
        return self.within_days is None or at > now - timedelta(days=self.within_days)

    def as_model(self) -> Any:
        rule: dict[str, Any] = {"did": self.kind, "at_least": self.at_least}
        if self.within_days:
            rule["within_days"] = self.within_days
        return row(rule, self.points, self.frequency, cap=self.cap, half_life_days=self.half_life_days)


kinds = st.sampled_from(["scoring.clicked", "scoring.visited"])
rows = st.builds(
    Row,
    kind=kinds,
    points=st.integers(-40, 40).filter(bool),
    frequency=st.sampled_from(["once", "each", "none"]),
    at_least=st.integers(1, 3),
    within_days=st.sampled_from([None, 1, 7, 30]),
    cap=st.sampled_from([None, 5, 25]),
    half_life_days=st.sampled_from([None, None, 1, 5, 30]),
)
# Hours ago; never on the edge of a window or of a day, where a test's own microseconds would decide.
histories = st.lists(st.tuples(kinds, st.integers(0, 40 * 24).map(lambda hours: hours + 0.5)), max_size=8)


TWO_CLICKS = [("scoring.clicked", 60.5), ("scoring.clicked", 492.5)]


@pytest.mark.django_db
@example(wanted=[Row("scoring.clicked", 6, "each", 1, 30, None, None)], history=TWO_CLICKS, is_lead=True)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(rows, min_size=1, max_size=4), history=histories, is_lead=st.booleans())
def test_scores_are_the_sum_of_their_entries_and_change_when_they_say(
    acme: Tenant, wanted: list[Row], history: list[tuple[str, float]], is_lead: bool
) -> None:
    with tenant_scope(acme), transaction.atomic():
        person: Any = lead().contact if is_lead else contact()
        now = _now()
        facts = [(kind, now - hours * HOUR) for kind, hours in history]
        for kind, at in facts:
            timeline.record(kind, contact=person, occurred_at=at)
        live_model(*(each.as_model() for each in wanted))
        rescore()
        expected = [each.given(facts, now) for each in wanted]
        score = Score.objects.filter(lead__isnull=not is_lead).first()
        entries = ScoreEntry.objects.exclude(points=0)
        assert (score.score if score else 0) == sum(expected)
        assert sorted(entries.values_list("points", flat=True)) == sorted(points for points in expected if points)
        assert (entries.aggregate(total=Sum("points"))["total"] or 0) == sum(expected)
        _assert_still_until(score.next_change_at if score else None, wanted, facts, now)
        assert rescore() == 0
        transaction.set_rollback(True)


def _assert_still_until(
    next_change_at: datetime | None, wanted: list[Row], facts: list[tuple[str, datetime]], now: datetime
) -> None:
    """Between now and the announced moment no row gives anything else; and the next change is announced at all."""
    moments = {at + timedelta(days=day) for _, at in facts for day in range(1, 200)}
    before = [each.given(facts, now) for each in wanted]
    changes = [at for at in sorted(moments) if at > now and [each.given(facts, at) for each in wanted] != before]
    if changes:
        assert next_change_at is not None
        assert next_change_at <= changes[0]
    if next_change_at is not None:
        assert next_change_at > now


def _now() -> datetime:
    """The moment that the transaction's statements take as now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_the_incremental_pass_and_the_full_one_agree(acme: Tenant) -> None:
    with tenant_scope(acme):
        people = [lead(name) for name in ("amara", "bo", "cem")]
        live_model(
            row({"did": "scoring.clicked", "within_days": 30}, 10, "each", half_life_days=7),
            row({"did": "scoring.visited", "within_days": 7}, -5, "none"),
            row({"field": "contact.first_name", "op": "is", "value": "Bo"}, 7),
        )
        rescore()
        for number, each in enumerate(people):
            for _ in range(number):
                timeline.record("scoring.clicked", contact=each.contact_id)
        rescore(contact_ids=[each.contact_id for each in people if each.contact_id])
        assert list(Lead.objects.order_by("pk").values_list("score", flat=True)) == [-5, 12, 15]
        assert rescore() == 0
