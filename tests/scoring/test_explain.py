import pytest

from leads.models import Lead
from leads.registry import strongest_reasons
from scoring import explain
from scoring.giving import adjust
from scoring.models import Score
from scoring.rescore import rescore
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.scoring.world import IS_HEAD, happened, lead, live_model, row

pytestmark = pytest.mark.django_db


def scored(*rows: object) -> Lead:
    hot = lead(job_title="Head of IT")
    happened("scoring.clicked", hot.contact, days_ago=2.5)
    happened("scoring.clicked", hot.contact, days_ago=20.5)
    live_model(*rows)
    rescore()
    return hot


def test_the_parts_say_in_words_what_adds_up(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = scored(row(IS_HEAD, 20), row({"did": "scoring.clicked", "within_days": 30}, 6, "each"))
        adjust(hot, -3, reason="Asked for a student licence")
        score = Score.objects.get(lead=hot)
        found = explain.parts(score)
        assert [(part.words, part.points, part.hits) for part in found] == [
            ("Job title (contact) contains “head”", 20, 1),
            ("Clicked in the last 30 days", 12, 2),
            ("Asked for a student licence", -3, 1),
        ]
        assert sum(part.points for part in found) == score.score == 29


def test_the_forecast_says_what_time_alone_will_change(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = scored(row(IS_HEAD, 20), row({"did": "scoring.clicked", "within_days": 30}, 6, "each", name="Clicks"))
        score = Score.objects.get(lead=hot)
        ahead = explain.forecast(score, explain.parts(score))
        assert ahead is not None
        assert (ahead.at, ahead.score, ahead.changes) == (score.next_change_at, 26, [("Clicks", 6)])


def test_the_forecast_of_a_half_life(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = scored(row({"did": "scoring.clicked"}, 100, half_life_days=1, name="Clicks"))
        score = Score.objects.get(lead=hot)
        assert score.score == 25
        ahead = explain.forecast(score, explain.parts(score))
        assert ahead is not None
        assert (ahead.score, ahead.changes) == (12, [("Clicks", 12)])


def test_a_score_that_time_does_not_change_has_no_forecast(acme: Tenant) -> None:
    with tenant_scope(acme):
        score = Score.objects.get(lead=scored(row(IS_HEAD, 20)))
        assert explain.forecast(score, explain.parts(score)) is None


def test_a_draft_can_be_tried_on_one_lead(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = lead(job_title="Head of IT")
        draft = live_model(row(IS_HEAD, 20), row({"did": "scoring.clicked"}, 5))
        draft.state = "draft"
        draft.save()
        assert [part.points for part in explain.computed(draft, hot)] == [20]
        assert not Score.objects.exists()


def test_the_strongest_reasons_of_a_lead_come_from_its_score(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = scored(row(IS_HEAD, 20), row({"did": "scoring.clicked"}, 6, "each", name="Clicks"))
        assert [tuple(reason) for reason in strongest_reasons(hot)] == [
            ("Job title (contact) contains “head”", 20),
            ("Clicks, 2 times", 12),
        ]
