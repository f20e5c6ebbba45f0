"""The reader "facts": what lists show, without counting the timeline."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from contacts import facts, people, reactor, timeline
from contacts.models import Contact, ContactFacts, Interaction
from tenants.models import Tenant
from tenants.scope import tenant_scope

ACTIVITY = "page.visited"


def visit(contact: Contact, days_ago: float) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    (row,) = timeline.record_many(ACTIVITY, [{"contact_id": contact.pk, "occurred_at": at, "detail": {"page": "P"}}])
    assert row


@pytest.mark.django_db(transaction=True)
def test_the_reader_writes_last_activity_and_weeks(acme: Tenant) -> None:
    with tenant_scope(acme):
        eva, new = (people.create_contact({"last_name": name}) for name in ("Eva", "New"))
        for days_ago in (0, 0, 30, 400):
            visit(eva, days_ago)
    reactor.react(acme.pk, time.monotonic() + 5)
    with tenant_scope(acme):
        known = ContactFacts.objects.get(contact=eva)
        assert known.last_activity_kind == ACTIVITY
        assert known.last_activity_at > timezone.now() - timedelta(minutes=1)
        assert (len(known.weeks), known.weeks[-1], sum(known.weeks)) == (12, 2, 3)
        assert facts.weeks(ContactFacts.objects.get(contact=new)) == []


def test_a_score_that_another_wrote_stays(acme: Tenant) -> None:
    with tenant_scope(acme):
        eva = people.create_contact({"last_name": "Eva"})
        ContactFacts.objects.create(contact=eva, score=70, grade="A", stage="mql")
        visit(eva, 1)
        facts.refresh([eva.pk])
        known = ContactFacts.objects.get(contact=eva)
        assert (known.score, known.rank, known.grade, known.stage) == (70, 70, "A", "mql")
        assert known.last_activity_at is not None


def test_refreshing_twice_changes_nothing(acme: Tenant) -> None:
    with tenant_scope(acme):
        eva = people.create_contact({"last_name": "Eva"})
        visit(eva, 8)
        facts.refresh([eva.pk])
        before = ContactFacts.objects.values().get()
        facts.refresh([eva.pk])
        assert ContactFacts.objects.values().get() == before


def test_what_others_do_to_her_is_no_activity(acme: Tenant) -> None:
    with tenant_scope(acme):
        eva = people.create_contact({"last_name": "Eva"})
        facts.refresh([eva.pk])
        assert Interaction.objects.filter(contact_id=eva.pk).exists()
        assert ContactFacts.objects.get().last_activity_at is None


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        (facts.week_of(timezone.now()), [0] * 11 + [5]),
        (facts.week_of(timezone.now()) - timedelta(weeks=2), [0] * 9 + [5, 0, 0]),
        (facts.week_of(timezone.now()) - timedelta(weeks=40), []),
    ],
)
def test_weeks_passed_since_count_as_quiet(until: date, shown: list[int]) -> None:
    assert list(facts.weeks(ContactFacts(weeks=[0] * 11 + [5], weeks_until=until))) == shown


def test_a_week_begins_on_monday_in_utc() -> None:
    assert facts.week_of(datetime(2026, 11, 22, 23, 59, tzinfo=UTC)) == date(2026, 11, 16)
    assert facts.week_of(datetime(2026, 11, 23, 0, 0, tzinfo=UTC)) == date(2026, 11, 23)
