"""A score follows the clock: events leave their windows, half-lives step, given points end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from leads.models import Lead
from scoring.giving import adjust
from scoring.models import Score, ScoreEntry
from scoring.rescore import rescore
from tenants import clock, wakeups
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope
from tests.scoring.world import CLICKED_LATELY, happened, lead, live_model, row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sample(acme: Tenant) -> Tenant:
    """Acme as a sample company, whose clock can be moved."""
    Tenant.objects.filter(pk=acme.pk).update(is_sample=True)
    acme.refresh_from_db()
    return acme


def score_of(tenant: Tenant, hot: Lead) -> int:
    with tenant_scope(tenant):
        return Score.objects.get(lead=hot).score


def test_a_score_follows_a_click_by_itself(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = lead()
        live_model(row(CLICKED_LATELY, 30))
    wakeups.run_due()
    assert score_of(acme, hot) == 0
    with tenant_scope(acme):
        happened("scoring.clicked", hot.contact)
    wakeups.run_due()
    assert score_of(acme, hot) == 30
    with tenant_scope(acme):
        assert Lead.objects.get(pk=hot.pk).grade == "B"


def test_points_go_when_the_event_leaves_its_window(sample: Tenant) -> None:
    with tenant_scope(sample):
        hot = lead()
        happened("scoring.clicked", hot.contact, days_ago=28.5)
        live_model(row(CLICKED_LATELY, 30))
    wakeups.run_due()
    assert score_of(sample, hot) == 30
    clock.forward(sample, days=1)
    wakeups.run_due()
    assert score_of(sample, hot) == 30
    clock.forward(sample, days=1)
    wakeups.run_due()
    assert score_of(sample, hot) == 0


def test_points_for_silence_come_when_the_last_event_leaves_its_window(sample: Tenant) -> None:
    with tenant_scope(sample):
        hot = lead()
        happened("scoring.clicked", hot.contact, days_ago=29.5)
        live_model(row(CLICKED_LATELY, -10, "none"))
    wakeups.run_due()
    assert score_of(sample, hot) == 0
    clock.forward(sample, days=1)
    wakeups.run_due()
    assert score_of(sample, hot) == -10


def test_a_half_life_steps_down_day_by_day(sample: Tenant) -> None:
    with tenant_scope(sample):
        hot = lead()
        happened("scoring.clicked", hot.contact)
        live_model(row({"did": "scoring.clicked"}, 40, half_life_days=2))
    seen = []
    for _ in range(5):
        wakeups.run_due()
        seen.append(score_of(sample, hot))
        clock.forward(sample, days=1)
    assert seen == [40, 28, 20, 14, 10]


def test_given_points_end(sample: Tenant) -> None:
    with tenant_scope(sample):
        hot = lead()
        live_model(row(CLICKED_LATELY, 30))
        rescore()
        assert adjust(hot, 15, until=timezone.now() + timedelta(hours=30), reason="Met at the fair", key="visit:1")
        assert not adjust(hot, 15, key="visit:1")
    assert score_of(sample, hot) == 15
    clock.forward(sample, days=1)
    wakeups.run_due()
    assert score_of(sample, hot) == 15
    clock.forward(sample, days=1)
    wakeups.run_due()
    assert score_of(sample, hot) == 0
    with tenant_scope(sample):
        assert not ScoreEntry.objects.exists()


def test_the_next_look_is_when_the_next_score_changes(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = lead()
        happened("scoring.clicked", hot.contact, days_ago=10)
        live_model(row(CLICKED_LATELY, 30))
        rescore()
    wakeups.run_due()
    assert not wakeups.due()
    with tenant_scope(acme):
        due_at = Wakeup.objects.filter(tenant=acme, queue="reactor").values_list("due_at", flat=True)
        assert min(due_at) == Score.objects.get(lead=hot).next_change_at
