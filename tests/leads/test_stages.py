"""What the score and people's own doing make of a lead."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts import timeline
from contacts.models import Contact, Interaction
from contacts.timeline import Kind
from leads import lifecycle, qualifying, registry
from leads.models import Lead, Stage, StageChange
from leads.qualifying import may_qualify
from tenants import clock, wakeups
from tenants.models import Member, Notification, Setting, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
MakeLead = Callable[..., Lead]
NOW = timezone.now()
timeline.register(Kind("test.looked_at_leads", title="Looked", icon="eye", sentence="looked", is_activity=True))


def stage(lead: Lead, tenant: Tenant) -> str:
    with tenant_scope(tenant):
        return Lead.objects.get(pk=lead.pk).stage


@pytest.fixture
def no_hand_off(acme: Tenant) -> None:
    with tenant_scope(acme):
        Setting.objects.create(key="leads.auto_hand_off", value=False)


@pytest.mark.parametrize(
    ("lead", "before", "score", "is_qualified"),
    [
        (Lead(stage=Stage.INQUIRY), 40, 50, True),
        (Lead(stage=Stage.INQUIRY), None, 50, True),
        (Lead(stage=Stage.ENGAGED), 40, 49, False),
        (Lead(stage=Stage.ENGAGED), 55, 60, False),  # no crossing: it was above before
        (Lead(stage=Stage.ENGAGED), 60, 55, False),
        (Lead(stage=Stage.SAL), 40, 60, False),
        (Lead(stage=Stage.DISQUALIFIED), 40, 60, False),
        (Lead(stage=Stage.RECYCLED, recycled_until=NOW + timedelta(days=1), recycled_score=60), 40, 90, False),
        (Lead(stage=Stage.RECYCLED, recycled_until=NOW, recycled_score=60), 40, 59, False),
        (Lead(stage=Stage.RECYCLED, recycled_until=NOW, recycled_score=60), 40, 60, True),
        (Lead(stage=Stage.RECYCLED, recycled_until=NOW, recycled_score=60), 61, 62, True),  # rested meanwhile
        (Lead(stage=Stage.ENGAGED, recycled_until=NOW, recycled_score=50), 40, 50, True),  # raised the hand again
    ],
)
def test_what_score_qualifies(lead: Lead, before: int | None, score: int, is_qualified: bool) -> None:
    assert may_qualify(lead, before, score, 50, NOW) is is_qualified


def test_crossing_the_threshold_upwards_makes_an_mql_that_a_rep_gets_by_itself(
    acme: Tenant, sam: Member, person: Contact, make_lead: MakeLead, record_score: Callable[..., None]
) -> None:
    lead = make_lead(contact=person)
    with tenant_scope(acme):
        record_score(lead, 40, 55)
    wakeups.run_due()
    with tenant_scope(acme):
        lead = Lead.objects.get(pk=lead.pk)
        assert (lead.stage, lead.owner) == (Stage.HANDED_OFF, sam)
        change = StageChange.objects.get(lead=lead, to_stage=Stage.MQL)
        assert (change.score, change.scoring_model_id) == (55, 1)
        cause = Interaction.objects.get(kind="score.changed")
        made = Interaction.objects.get(kind="lead.stage_changed", detail__to="mql")
        assert (made.cause_id, made.depth) == (cause.pk, 1)
        assert Notification.objects.filter(member=sam).count() == 1


def test_another_model_than_the_primary_one_counts_only_if_the_company_says_so(
    acme: Tenant, no_hand_off: None, make_lead: MakeLead, record_score: Callable[..., None]
) -> None:
    lead = make_lead()
    with tenant_scope(acme):
        record_score(lead, 40, 55, is_primary=False)
    wakeups.run_due()
    assert stage(lead, acme) == Stage.INQUIRY
    with tenant_scope(acme):
        Setting.objects.create(key="leads.qualifies_by", value="any")
        record_score(lead, 40, 55, is_primary=False)
    wakeups.run_due()
    assert stage(lead, acme) == Stage.MQL


def test_all_models_asked_for_have_to_agree(
    acme: Tenant,
    no_hand_off: None,
    make_lead: MakeLead,
    record_score: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lead, behaviour = make_lead(), 30

    def standings(ids: list[int]) -> dict[int, list[registry.Standing]]:
        rows = [("Fit", 55, 50), ("Behaviour", behaviour, 40), ("Unasked", None, 10)]
        return {pk: [registry.Standing(n, *row) for n, row in enumerate(rows, start=1)] for pk in ids}

    monkeypatch.setattr(qualifying, "standings", [standings])
    with tenant_scope(acme):
        Setting.objects.create(key="leads.qualifies_by", value="all")
        Setting.objects.create(key="leads.qualifying_models", value=[1, 2])
        record_score(lead, 40, 55)
    wakeups.run_due()
    assert stage(lead, acme) == Stage.INQUIRY, "the other model does not agree yet"
    behaviour = 42
    detail = {"model": "Behaviour", "from": 30, "to": 42, "threshold": 40, "is_primary": False}
    with tenant_scope(acme):
        timeline.record("score.changed", lead=lead, object_id=2, detail=detail)
    wakeups.run_due()
    with tenant_scope(acme):
        lead = Lead.objects.get(pk=lead.pk)
        assert (lead.stage, lead.stage_reason) == (Stage.MQL, "Fit: 55 of 50, Behaviour: 42 of 40")


def test_an_mql_whose_score_falls_stays_unless_there_is_a_limit(
    acme: Tenant, mql: Lead, no_hand_off: None, record_score: Callable[..., None]
) -> None:
    with tenant_scope(acme):
        record_score(mql, 62, 10)
    wakeups.run_due()
    assert stage(mql, acme) == Stage.MQL


def test_below_the_lower_limit_the_rep_loses_it_and_is_told_why(
    acme: Tenant, sam: Member, mql: Lead, record_score: Callable[..., None]
) -> None:
    with tenant_scope(acme):
        lifecycle.hand_off(mql)
        record_score(mql, 62, 10, lower_limit=20)
    wakeups.run_due()
    with tenant_scope(acme):
        lead = Lead.objects.get(pk=mql.pk)
        assert (lead.stage, lead.owner, lead.respond_by) == (Stage.ENGAGED, None, None)
        told = Notification.objects.get(member=sam, kind="lead.taken_back")
        assert "fell to 10" in told.body


def test_an_accepted_lead_is_never_taken_back(
    acme: Tenant, sam: Member, mql: Lead, record_score: Callable[..., None]
) -> None:
    with tenant_scope(acme):
        lifecycle.accept(mql, sam)
        record_score(mql, 62, 10, lower_limit=20)
    wakeups.run_due()
    assert stage(mql, acme) == Stage.SAL


def test_what_the_contact_does_afterwards_engages_an_inquiry(
    acme: Tenant, person: Contact, make_lead: MakeLead
) -> None:
    lead = make_lead(contact=person)
    with tenant_scope(acme):
        timeline.record("test.looked_at_leads", contact=person, occurred_at=lead.created_at - timedelta(hours=1))
    wakeups.run_due()
    assert stage(lead, acme) == Stage.INQUIRY
    with tenant_scope(acme):
        timeline.record("test.looked_at_leads", contact=person)
    wakeups.run_due()
    assert stage(lead, acme) == Stage.ENGAGED


def test_a_recycled_lead_that_kept_growing_comes_back_when_it_has_rested(
    acme: Tenant, sam: Member, mql: Lead, no_hand_off: None, record_score: Callable[..., None]
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(is_sample=True)
    acme.refresh_from_db()
    with tenant_scope(acme):
        record_score(mql, 40, 62)
        lifecycle.recycle(mql, "Not now", sam)
        record_score(mql, 62, 80)
    wakeups.run_due()
    assert stage(mql, acme) == Stage.RECYCLED
    clock.forward(acme, days=31)
    wakeups.run_due()
    assert stage(mql, acme) == Stage.MQL


def test_a_recycled_lead_that_has_rested_but_not_grown_stays(
    acme: Tenant, sam: Member, mql: Lead, no_hand_off: None, record_score: Callable[..., None]
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(is_sample=True)
    acme.refresh_from_db()
    with tenant_scope(acme):
        record_score(mql, 40, 62)
        lifecycle.recycle(mql, "Not now", sam)
        record_score(mql, 62, 71)  # 72 are needed
    clock.forward(acme, days=31)
    wakeups.run_due()
    assert stage(mql, acme) == Stage.RECYCLED
    with tenant_scope(acme):
        record_score(mql, 71, 72)
    wakeups.run_due()
    assert stage(mql, acme) == Stage.MQL
