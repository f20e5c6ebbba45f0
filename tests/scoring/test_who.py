"""Whom a model scores, and what becomes of the scores of those it scores no more."""

import pytest

from contacts import people
from contacts.models import Contact, ContactFacts
from leads import lifecycle
from leads.creation import create_lead
from leads.models import Lead
from scoring.giving import adjust
from scoring.models import Score, ScoreEntry
from scoring.rescore import rescore
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.scoring.world import CLICKED, contact, happened, lead, live_model, row

pytestmark = pytest.mark.django_db


def test_an_account_lead_counts_what_the_accounts_people_do(acme: Tenant) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": "Globex", "domain": "globex.example"})
        clicker = contact("amara", account=account)
        company_lead = create_lead("Interested", account=account, source="test")
        live_model(row(CLICKED, 10, "each"))
        happened("scoring.clicked", clicker)
        happened("scoring.clicked", contact("bo", account=account))
        happened("scoring.clicked", contact("cem"))
        rescore(contact_ids=[clicker.pk])
        company_lead.refresh_from_db()
        assert company_lead.score == 20


def test_an_account_lead_ignores_people_below_the_models_consent(acme: Tenant) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": "Globex", "domain": "globex.example"})
        willing, unwilling = contact("amara", account=account), contact("bo", account=account)
        Contact.objects.filter(pk=willing.pk).update(consent_level=5)
        company_lead = create_lead("Interested", account=account, source="test")
        for each in (willing, unwilling, unwilling):
            happened("scoring.clicked", each)
        live_model(row(CLICKED, 10, "each"), minimum_consent=3)
        rescore()
        company_lead.refresh_from_db()
        assert company_lead.score == 10


def test_a_lead_is_scored_only_if_its_contacts_consent_suffices(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = lead()
        happened("scoring.clicked", hot.contact)
        live_model(row(CLICKED, 10), minimum_consent=3)
        rescore()
        assert not Score.objects.exists()
        Contact.objects.filter(pk=hot.contact_id).update(consent_level=3)
        rescore(contact_ids=[hot.contact_id])
        assert Lead.objects.get(pk=hot.pk).score == 10
        Contact.objects.filter(pk=hot.contact_id).update(consent_level=0)
        rescore(contact_ids=[hot.contact_id])
        assert Lead.objects.get(pk=hot.pk).score is None
        assert ContactFacts.objects.get(contact=hot.contact_id).score is None
        assert not ScoreEntry.objects.exists()


def test_a_contacts_own_score_gives_way_to_her_leads(acme: Tenant) -> None:
    with tenant_scope(acme):
        amara = contact()
        happened("scoring.clicked", amara)
        live_model(row(CLICKED, 10), row({"field": "lead.source", "op": "is", "value": "fair"}, 5))
        rescore()
        adjust(amara, 7, reason="Called us")
        assert ContactFacts.objects.get(contact=amara).score == 17
        hers = create_lead("Wants a demo", contact=amara, source="fair")
        rescore(lead_ids=[hers.pk])
        assert [(score.lead_id, score.score) for score in Score.objects.all()] == [(hers.pk, 22)]
        assert ContactFacts.objects.get(contact=amara).score == 22
        assert not ScoreEntry.objects.filter(contact=amara).exists(), "what she was given went over to the lead"


def test_a_closed_lead_keeps_its_score_and_the_contact_is_scored_again(acme: Tenant, sam: Member) -> None:
    with tenant_scope(acme):
        hot = lead()
        happened("scoring.clicked", hot.contact)
        live_model(row({"did": "scoring.clicked", "within_days": 30}, 10))
        rescore()
        assert Score.objects.get(lead=hot).next_change_at is not None
        lifecycle.disqualify(hot, "Not interested", by=sam)
        rescore(lead_ids=[hot.pk])
        assert Lead.objects.get(pk=hot.pk).score == 10
        assert Score.objects.get(lead=hot).next_change_at is None
        assert Score.objects.get(contact=hot.contact_id).score == 10


def test_a_contact_shows_the_score_of_her_most_advanced_lead(acme: Tenant) -> None:
    with tenant_scope(acme):
        amara = contact()
        create_lead("Cold", contact=amara, source="test")
        advanced = create_lead("Warm", contact=amara, source="fair")
        Lead.objects.filter(pk=advanced.pk).update(stage="sal")
        live_model(row({"field": "lead.source", "op": "is", "value": "test"}, 50))
        rescore()
        assert sorted(Lead.objects.values_list("score", flat=True)) == [0, 50]
        assert ContactFacts.objects.get(contact=amara).score == 0


def test_only_the_primary_model_is_shown(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = lead()
        happened("scoring.clicked", hot.contact)
        live_model(row(CLICKED, 10))
        live_model(row(CLICKED, 99), name="Other", is_primary=False)
        rescore()
        assert sorted(Score.objects.filter(lead=hot).values_list("score", flat=True)) == [10, 99]
        assert Lead.objects.get(pk=hot.pk).score == 10
