"""LinkedIn in journeys: who enters, and what a branch waits for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contacts.models import Contact
from integrations.models import AdCampaign, LeadForm
from journeys import publishing, tree
from journeys.models import Journey, JourneyVersion, Participant, Visit
from journeys.tiles.audience import AudienceForm
from journeys.tiles.if_then import IfThenForm
from leads.models import Lead
from scoring.rescore import rescore
from segments import compiler
from segments.rules import parse
from tenants.scope import tenant_scope
from tests.integrations.linkedin.world import LinkedInWorld
from tests.scoring.world import live_model, row

WAIT = {"event": "linkedin.submitted", "amount": 3, "unit": "days"}


def person(name: str) -> dict[str, str]:
    return {"EMAIL": f"{name}@firma.example", "LAST_NAME": name}


@pytest.fixture
def form(linkedin: LinkedInWorld) -> LeadForm:
    """The form, known from a first sync; another campaign runs beside the first."""
    linkedin.seed(campaigns=[{"id": 6, "account": 1, "name": "Autumn"}])
    linkedin.connect()
    linkedin.leads(person("Old"), at=(datetime.now(UTC) - timedelta(days=2)).isoformat())
    linkedin.sync()
    with tenant_scope(linkedin.tenant):
        return LeadForm.objects.get()


def journey(linkedin: LinkedInWorld, form: LeadForm) -> tuple[Journey, str]:
    """For whoever submits the form: the tile of the campaign Autumn, then: do they submit a form of it?"""
    with tenant_scope(linkedin.tenant):
        autumn = AdCampaign.objects.get(name="Autumn")
        made = Journey.objects.create(name="Nurture", reentry=Journey.Reentry.NEVER)
        shape = tree.new()
        root = shape["root"]
        shape["tiles"][root]["settings"] = {"source": "linkedin", "lead_forms": [form.pk]}
        tile = tree.insert(shape, "linkedin_campaign", root, "next", {"campaign": autumn.pk})
        branch = tree.insert(shape, "if_then", tile, "next", WAIT | {"ad_campaign": autumn.pk})
        JourneyVersion.objects.create(journey=made, tiles=shape)
        assert publishing.check(made.versions.get()) == []
        publishing.go_live(made, by=linkedin.owner)
        return made, branch


def outcomes(linkedin: LinkedInWorld, branch: str) -> dict[str, str]:
    with tenant_scope(linkedin.tenant):
        names = dict(Contact.objects.values_list("pk", "last_name"))
        return {names[v.contact_id]: v.outcome for v in Visit.objects.filter(tile=branch) if v.contact_id}


def test_who_submits_enters_and_a_campaigns_form_says_yes(linkedin: LinkedInWorld, form: LeadForm) -> None:
    made, branch = journey(linkedin, form)
    linkedin.leads(person("Amara"), person("Bo"))
    linkedin.leads(person("Cy"), at=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    linkedin.sync()
    linkedin.work()
    with tenant_scope(linkedin.tenant):
        inside = set(Participant.objects.filter(journey=made).values_list("contact__last_name", flat=True))
    assert inside == {"Amara", "Bo"}, "not who submitted before the journey began, however late we hear of it"
    linkedin.leads(person("Amara"), campaign=6)
    linkedin.leads(person("Bo"), campaign=5)
    linkedin.sync()
    linkedin.work()
    assert outcomes(linkedin, branch) == {"Amara": "yes"}


def test_the_tiles_forms_offer_forms_and_campaigns(linkedin: LinkedInWorld, form: LeadForm) -> None:
    with tenant_scope(linkedin.tenant):
        shape = tree.new()
        where: dict[str, Any] = {"tree": shape, "key": shape["root"]}
        filled = AudienceForm({"source": "linkedin", "lead_forms_": [form.pk], "match": "any"}, **where)
        assert filled.is_valid(), filled.errors
        assert filled.to_settings() == {"source": "linkedin", "lead_forms": [form.pk]}
        assert not AudienceForm({"source": "linkedin", "match": "any"}, **where).is_valid()
        spring = AdCampaign.objects.get(name="Spring")
        asked = IfThenForm({"about": "does", **WAIT, "ad_campaign": spring.pk}, **where)
        assert asked.is_valid(), asked.errors
        assert asked.to_settings() == WAIT | {"ad_campaign": spring.pk}
        names = list(asked.fields)
        assert names.index("form") < names.index("ad_campaign") < names.index("amount")
        assert asked.when_shown("ad_campaign") == {"about": ["does"], "event": ["linkedin.submitted"]}


def test_segments_and_scores_can_ask_who_submitted(linkedin: LinkedInWorld, form: LeadForm) -> None:
    with tenant_scope(linkedin.tenant):
        named = {"op": "is", "value": "Spring"}
        rule = {"did": "linkedin.submitted", "object": form.pk, "where": {"campaign": named}}
        old = Contact.objects.get()
        assert list(compiler.select_ids(parse({"all": [rule]}, "contact"), [old.pk])) == [old.pk]
        live_model(row(rule, 30), row({**rule, "where": {"campaign": {**named, "value": "Autumn"}}}, 5))
        rescore()
        assert Lead.objects.get().score == 30
