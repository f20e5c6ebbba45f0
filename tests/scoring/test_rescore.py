from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from contacts import timeline
from contacts.models import Account, Contact, ContactFacts, Interaction
from leads.creation import create_lead
from scoring import ledger
from scoring import rescore as rescore_module
from scoring.models import Score, ScoreEntry, ScoringModel
from scoring.rescore import rescore
from scoring.subjects import LEAD, Selection
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.scoring.world import (
    CLICKED,
    CLICKED_LATELY,
    CLICKED_TWICE_LATELY,
    IS_HEAD,
    contact,
    happened,
    lead,
    live_model,
    row,
)


def test_rows_that_hold_add_up(acme: Tenant) -> None:
    with tenant_scope(acme):
        head = lead("amara", job_title="Head of IT")
        happened("scoring.clicked", head.contact, days_ago=3)
        other = lead("bo")
        live_model(row(IS_HEAD, 20), row(CLICKED_LATELY, 35))
        assert rescore() == 2
        head.refresh_from_db()
        other.refresh_from_db()
        assert (head.score, head.grade) == (55, "A")
        assert (other.score, other.grade) == (0, "C")
        entries = ScoreEntry.objects.filter(lead=head).order_by("points")
        assert list(entries.values_list("points", "hits")) == [(20, 1), (35, 1)]


def test_a_second_pass_writes_nothing(acme: Tenant) -> None:
    with tenant_scope(acme):
        happened("scoring.clicked", lead().contact)
        live_model(row(CLICKED, 10))
        assert rescore() == 1
        before = list(ScoreEntry.objects.values_list("pk", flat=True)), Interaction.objects.count()
        assert rescore() == 0
        assert before == (list(ScoreEntry.objects.values_list("pk", flat=True)), Interaction.objects.count())


def test_a_change_is_recorded_with_what_it_was_before(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = lead()
        happened("scoring.clicked", hot.contact)
        model = live_model(row(CLICKED, 30, "each"), threshold=50, lower_limit=20)
        rescore()
        happened("scoring.clicked", hot.contact)
        rescore(contact_ids=[hot.contact_id])
        facts = Interaction.objects.filter(kind="score.changed").order_by("pk")
        assert [(fact.detail["from"], fact.detail["to"], fact.detail["grade"]) for fact in facts] == [
            (None, 30, "B"),
            (30, 60, "A"),
        ]
        last = facts.last()
        assert last is not None
        assert (last.lead_id, last.contact_id, last.object_id) == (hot.pk, hot.contact_id, model.pk)
        assert last.detail | {"threshold": 50, "lower_limit": 20, "is_primary": True} == last.detail


def test_a_contact_without_a_lead_is_scored_herself(acme: Tenant) -> None:
    with tenant_scope(acme):
        happened("scoring.clicked", contact("amara"))
        contact("bo")
        live_model(row(CLICKED, 10))
        rescore()
        assert [(score.contact.first_name, score.score) for score in Score.objects.all()] == [("Amara", 10)]
        assert ContactFacts.objects.get(contact__first_name="Amara").score == 10


@pytest.mark.parametrize("ever", [{}, {"object": 3}])
def test_rows_that_share_a_reading_of_the_facts_give_what_each_gives_alone(acme: Tenant, ever: dict[str, int]) -> None:
    """With a row that looks at all times, and with windows only."""
    with tenant_scope(acme):
        people = [lead("amara"), lead("bo"), lead("cleo"), create_lead("Unmatched", account=company(), source="test")]
        contact("dana")
        for place, (days_ago, object_id) in enumerate([(1, 1), (20, 1), (40, 2), (40, 1), (80, 3), (2, 3), (95, 2)]):
            moment = timezone.now() - timedelta(days=days_ago)
            who = Contact.objects.order_by("pk")[place % 5]
            timeline.record("scoring.clicked", contact=who, object_id=object_id, occurred_at=moment)
        rows = (
            row({**CLICKED_LATELY, "object": 1}, 5, "each"),
            row({**CLICKED_LATELY, "within_days": 90}, 7),
            row({"not": {**CLICKED, "within_days": 60}}, -3),
            row(CLICKED_TWICE_LATELY | {"within_days": 90}, 13),
            row(CLICKED_LATELY, 2, "none"),
            *([row(CLICKED | ever, 11, "each", half_life_days=30)] if ever else []),
        )
        model = live_model(*rows)
        rescore()
        together = ledger_of(model)
        assert {entry[0] for entry in together} >= {each.pk for each in rows[:3]}
        ScoreEntry.objects.all().delete()
        rescore(lead_ids=[one.pk for one in people], contact_ids=Contact.objects.values_list("pk", flat=True))
        assert ledger_of(model) == together


def test_everybody_of_a_large_company_is_not_scored_in_one_transaction(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_scope(acme):
        one = lead()
        live_model(row(IS_HEAD, 20))
        monkeypatch.setattr(rescore_module, "AT_ONCE", 1)
        with pytest.raises(rescore_module.TooMany):
            rescore()
        assert rescore(lead_ids=[one.pk]) == 1


def test_however_many_rows_ask_for_a_kind_its_facts_are_read_once(acme: Tenant) -> None:
    with tenant_scope(acme):
        rules = [row({**CLICKED_LATELY, "object": n}, n, "each") for n in range(1, 6)]
        model = live_model(*rules, row({"did": "scoring.visited"}, 3))
        for_all = ledger.write(model, LEAD).as_string()
        assert for_all.count("FROM contacts_interaction ") == 2
        for_few = ledger.write(model, LEAD, Selection([1, 2])).as_string()
        assert for_few.count("FROM contacts_interaction ") == 6


def ledger_of(model: ScoringModel) -> list[tuple[Any, ...]]:
    entries = ScoreEntry.objects.filter(model=model)
    return sorted(entries.values_list("rule", "lead", "contact", "hits", "points", "last_at", "until"), key=str)


def company() -> Account:
    """An account with a person who has no lead."""
    account = Account.objects.create(name="Uhuru", name_key="uhuru")
    contact("eli", account=account)
    return account
