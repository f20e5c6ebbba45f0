"""Segments follow the timeline and the clock by themselves."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from contacts import deletion, people
from contacts.models import Account, Contact, Field, Interaction
from segments import following, lifecycle, membership
from segments.models import Segment, SegmentClock
from tenants import wakeups
from tenants.models import Heartbeat, Tenant, Wakeup
from tenants.scope import tenant_scope
from tests.segments.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)
CLICKED = {"did": "rules.clicked"}
LATELY = {"did": "rules.clicked", "within_days": 90}


def test_going_live_evaluates_everybody(stage: Stage, acme: Tenant) -> None:
    stage.person("Amara", job_title="Head of Sales")
    stage.person("Ben", job_title="Clerk")
    segment = stage.segment({"field": "contact.job_title", "op": "contains", "value": "head"})
    assert stage.members(segment) == set(), "not in the request"
    wakeups.run_due()
    assert stage.members(segment) == {"Amara"}
    segment = stage.reload(segment)
    assert (segment.member_count, segment.pending, segment.error) == (1, "", "")
    assert segment.evaluated_at is not None


def test_a_fact_moves_its_person_in_and_says_what_caused_it(stage: Stage, acme: Tenant) -> None:
    amara = stage.person("Amara")
    stage.person("Ben")
    segment = stage.segment(CLICKED)
    wakeups.run_due()
    cause = stage.happened("rules.clicked", amara)
    wakeups.run_due()
    assert stage.members(segment) == {"Amara"}
    with tenant_scope(acme):
        row = Interaction.objects.get(kind="segment.entered")
    assert (row.contact_id, row.object_id, row.cause_id, row.depth) == (amara.pk, segment.pk, cause, 1)
    assert row.detail == {"segment": "Segment"}


def test_a_change_of_a_field_moves_its_person_out(stage: Stage, acme: Tenant) -> None:
    amara = stage.person("Amara", job_title="Head")
    segment = stage.segment({"field": "contact.job_title", "op": "is", "value": "head"})
    wakeups.run_due()
    with tenant_scope(acme):
        people.update_contact(amara, {"job_title": "Retired"})
    wakeups.run_due()
    assert stage.members(segment) == set()
    assert stage.entries(segment) == [("entered", "Amara"), ("left", "Amara")]


def test_a_window_lets_its_person_out_when_it_ends(stage: Stage, acme: Tenant) -> None:
    segment = stage.segment(LATELY)
    stage.happened("rules.clicked", stage.person("Amara"))
    wakeups.run_due()
    assert stage.members(segment) == {"Amara"}
    stage.later(timedelta(days=90) - timedelta(minutes=5))
    wakeups.run_due()
    assert stage.members(segment) == {"Amara"}
    stage.later(timedelta(minutes=6))
    wakeups.run_due()
    assert stage.members(segment) == set()
    with tenant_scope(acme):
        assert not SegmentClock.objects.exists()


def test_who_has_been_silent_long_enough_comes_in_by_the_clock(stage: Stage) -> None:
    segment = stage.segment({"did_not": "activity", "within_days": 30})
    amara = stage.person("Amara")
    stage.happened("rules.visited", amara)
    wakeups.run_due()
    assert stage.members(segment) == set()
    stage.later(timedelta(days=30, minutes=1))
    wakeups.run_due()
    assert stage.members(segment) == {"Amara"}


def test_the_worker_is_woken_at_the_moment_a_window_ends(stage: Stage) -> None:
    stage.segment(LATELY)
    stage.happened("rules.clicked", stage.person("Amara"), days_ago=10)
    wakeups.run_due()
    (due_at,) = Wakeup.objects.values_list("due_at", flat=True)
    with_margin = timedelta(days=80)
    assert abs(due_at - timezone.now() - with_margin) < timedelta(minutes=1)


def test_a_colleague_counts_for_the_whole_account(stage: Stage, acme: Tenant) -> None:
    with tenant_scope(acme):
        company = Account.objects.create(name="A", name_key="a")
    amara = stage.person("Amara", company=company)
    stage.person("Ben", company=company)
    stage.person("Cleo")
    segment = stage.segment({**CLICKED, "by": "account_contacts"})
    wakeups.run_due()
    stage.happened("rules.clicked", amara)
    wakeups.run_due()
    assert stage.members(segment) == {"Amara", "Ben"}


def test_a_change_of_the_account_concerns_its_people(stage: Stage, acme: Tenant) -> None:
    with tenant_scope(acme):
        company = people.create_account({"name": "A", "industry": "Retail"})
    stage.person("Amara", company=company)
    segment = stage.segment({"field": "account.industry", "op": "is", "value": "Energy"})
    wakeups.run_due()
    assert stage.members(segment) == set()
    with tenant_scope(acme):
        people.update_account(company, {"industry": "Energy"})
    wakeups.run_due()
    assert stage.members(segment) == {"Amara"}


def test_a_segment_on_another_ones_members_follows_it_without_a_glitch(stage: Stage) -> None:
    """The second is made first and watches the same kind: tested before the first, Amara would come in for a moment."""
    second = stage.segment({"did": "rules.visited"}, name="Second")
    first = stage.segment(CLICKED, name="First")
    third = stage.segment({"member_of": first.pk}, name="Third")
    amara = stage.person("Amara")
    with tenant_scope(amara.tenant_id):
        rule = {"all": [CLICKED, {"not": {"member_of": first.pk}}]}
        lifecycle.change(second, {"rule": rule}, None)
    wakeups.run_due()
    stage.happened("rules.clicked", amara)
    wakeups.run_due()
    assert (stage.members(first), stage.members(second), stage.members(third)) == ({"Amara"}, set(), {"Amara"})
    assert stage.entries(second) == []


def test_who_is_deactivated_leaves(stage: Stage, acme: Tenant) -> None:
    amara = stage.person("Amara", job_title="Head")
    segment = stage.segment({"field": "contact.job_title", "op": "has_value"})
    wakeups.run_due()
    with tenant_scope(acme):
        deletion.deactivate(amara, by=None)
    wakeups.run_due()
    assert stage.members(segment) == set()


def test_reading_the_same_rows_twice_changes_nothing(stage: Stage, acme: Tenant) -> None:
    segment = stage.segment(CLICKED)
    amara = stage.person("Amara")
    stage.happened("rules.clicked", amara)
    wakeups.run_due()
    with tenant_scope(acme):
        rule = membership.rule_of(segment)
        for _again in range(2):
            assert membership.retest(segment, rule, [amara.pk]).contact_ids == []
            assert membership.refresh(segment).contact_ids == []
    assert stage.entries(segment) == [("entered", "Amara")]


def test_large_segments_are_filled_in_steps(stage: Stage, monkeypatch: pytest.MonkeyPatch, acme: Tenant) -> None:
    monkeypatch.setattr(membership, "STEP", 2)
    for n in range(5):
        stage.person(f"P{n}")
    segment = stage.segment({"field": "contact.created_at", "op": "has_value"})
    wakeups.run_due()
    assert len(stage.members(segment)) == 5
    with tenant_scope(acme):
        segment.refresh_from_db()
        assert (segment.member_count, segment.pending) == (5, "")


def test_a_rule_that_names_a_retired_field_says_so_and_stops_nobody(stage: Stage, acme: Tenant) -> None:
    with tenant_scope(acme):
        field = Field.objects.create(entity="contact", key="tier", label="Tier")
    amara = stage.person("Amara", custom={"tier": "gold"})
    broken = stage.segment({"field": "contact.custom.tier", "op": "is", "value": "Gold"}, name="Gold")
    sound = stage.segment(CLICKED, name="Clickers")
    wakeups.run_due()
    with tenant_scope(acme):
        Field.objects.filter(pk=field.pk).update(retired_at=timezone.now())
    stage.happened("rules.clicked", amara)
    wakeups.run_due()
    assert (stage.members(broken), stage.members(sound)) == ({"Amara"}, {"Amara"})
    with tenant_scope(acme):
        broken.refresh_from_db()
        assert "Tier" in broken.error
        Field.objects.filter(pk=field.pk).update(retired_at=None)
    following.check_all()
    wakeups.run_due()
    with tenant_scope(acme):
        broken.refresh_from_db()
        assert broken.error == ""


def test_the_nightly_check_corrects_and_reports_what_following_missed(stage: Stage, acme: Tenant) -> None:
    amara = stage.person("Amara", job_title="Head")
    segment = stage.segment({"field": "contact.job_title", "op": "is", "value": "Head"})
    wakeups.run_due()
    following.check_all()
    wakeups.run_due()
    assert not Heartbeat.objects.filter(name=following.DRIFT).exists()
    with tenant_scope(acme):
        # Behind the product's back: nothing is recorded.
        Contact.objects.filter(pk=amara.pk).update(job_title="Clerk")
    following.check_all()
    wakeups.run_due()
    assert stage.members(segment) == set()
    segment = stage.reload(segment)
    assert segment.drift == 1
    assert segment.checked_at is not None
    assert Heartbeat.objects.filter(name=following.DRIFT).exists()


@pytest.mark.parametrize("is_guarded", [True, False])
def test_of_two_evaluations_at_once_the_later_has_the_last_word(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    """An evaluation that takes Amara out must not undo a later one that finds her in; without the lock it does."""
    segment = stage.segment({"field": "contact.job_title", "op": "is", "value": "Head"})
    amara = stage.person("Amara", job_title="Head")
    wakeups.run_due()
    if not is_guarded:
        monkeypatch.setattr(membership, "_lock", lambda segment: None)
    has_evaluated, may_commit = threading.Event(), threading.Event()

    def give_title(title: str) -> None:
        with tenant_scope(stage.tenant):
            Contact.objects.filter(pk=amara.pk).update(job_title=title)

    def evaluate(*, is_slow: bool) -> None:
        with tenant_scope(stage.tenant):
            membership.retest(segment, membership.rule_of(segment), [amara.pk])
            if is_slow:
                has_evaluated.set()
                may_commit.wait(10)
        connection.close()

    give_title("Clerk")
    earlier = threading.Thread(target=evaluate, kwargs={"is_slow": True})
    later = threading.Thread(target=evaluate, kwargs={"is_slow": False})
    earlier.start()
    has_evaluated.wait(10)
    give_title("Head")
    later.start()
    later.join(0.3)
    may_commit.set()
    earlier.join()
    later.join()
    assert stage.members(segment) == ({"Amara"} if is_guarded else set())


def test_static_segments_are_kept_by_hand(stage: Stage, acme: Tenant) -> None:
    amara, ben = stage.person("Amara"), stage.person("Ben", is_active=False)
    with tenant_scope(acme):
        segment = lifecycle.create({"name": "By hand", "kind": Segment.Kind.STATIC}, None)
        assert membership.add(segment, [amara.pk, ben.pk]) == 1
        assert membership.add(segment, [amara.pk]) == 0
    wakeups.run_due()
    assert stage.members(segment) == {"Amara"}
    with tenant_scope(acme):
        assert membership.remove(segment, [amara.pk]) == 1
    assert stage.entries(segment) == [("entered", "Amara"), ("left", "Amara")]
