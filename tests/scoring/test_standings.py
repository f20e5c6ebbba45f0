"""Where leads stand in each live model, as lead rules ask it."""

import pytest

from leads.lifecycle import create_lead
from leads.models import Lead
from leads.registry import Standing, scoring_models, standings
from scoring.models import Score, ScoringModel
from tenants.models import Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
State = ScoringModel.State


def test_lead_rules_learn_where_leads_stand_in_every_live_model(acme: Tenant) -> None:
    with tenant_scope(acme):
        fit = ScoringModel.objects.create(name="Fit", state=State.LIVE, is_primary=True, threshold=50)
        interest = ScoringModel.objects.create(name="Interest", state=State.LIVE, threshold=30)
        ScoringModel.objects.create(name="Draft", state=State.DRAFT)
        scored, fresh = (create_lead(topic, source="manual") for topic in ("Scored", "Fresh"))
        Score.objects.create(model=fit, lead=Lead.objects.get(pk=scored.pk), score=55)
        (ask,) = standings
        found = ask([scored.pk, fresh.pk])
        assert [name for _key, name in scoring_models()] == ["Fit", "Interest"]
    assert found[scored.pk] == [Standing(fit.pk, "Fit", 55, 50), Standing(interest.pk, "Interest", None, 30)]
    assert [row.score for row in found[fresh.pk]] == [None, None]
