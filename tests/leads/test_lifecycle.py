"""What each verb changes, keeps and records."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact, ContactFacts, Interaction
from leads import lifecycle, opportunities
from leads.lifecycle import MovedMeanwhile, NewLead, NotPossible
from leads.models import Lead, Opportunity, Stage, StageChange
from leads.transitions import NEXT, PATH, RANK
from messaging.models import Message
from tenants.models import Member, Notification, Setting, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
MakeLead = Callable[..., Lead]


@pytest.fixture(autouse=True)
def scope(acme: Tenant) -> Iterator[None]:
    with tenant_scope(acme):
        yield


def kinds(lead: Lead) -> list[str]:
    return list(Interaction.objects.filter(lead_id=lead.pk).order_by("pk").values_list("kind", flat=True))


def test_a_new_lead_has_a_history_and_a_row_in_the_timeline(person: Contact, max_: Member) -> None:
    lead = lifecycle.create_lead("Pumps", contact=person, source="manual", by=max_)
    assert (lead.stage, lead.account_id) == (Stage.INQUIRY, person.account_id)
    change = StageChange.objects.get(lead=lead)
    assert (change.from_stage, change.to_stage, change.actor) == ("", Stage.INQUIRY, max_)
    row = Interaction.objects.get(kind="lead.created")
    assert (row.lead_id, row.contact_id, row.account_id, row.actor_id) == (
        lead.pk, person.pk, person.account_id, max_.pk,
    )  # fmt: skip


def test_one_cause_makes_one_lead() -> None:
    first = lifecycle.create_lead("Pumps", source="form", origin_key="submission:1")
    second = lifecycle.create_lead("Pumps", source="form", origin_key="submission:1")
    assert first.pk == second.pk
    assert kinds(first) == ["lead.created"]


def test_a_set_of_leads_comes_back_in_order_with_the_known_ones_among_them() -> None:
    known = lifecycle.create_lead("B", source="form", origin_key="b")
    made = lifecycle.create_leads([NewLead(topic, "form", origin_key=topic.lower()) for topic in ("A", "B", "C", "B")])
    assert [lead.topic for lead in made] == ["A", "B", "C", "B"]
    assert made[1].pk == made[3].pk == known.pk
    assert Lead.objects.count() == 3


def test_what_is_entered_is_kept_as_its_columns_take_it() -> None:
    lead = lifecycle.create_lead(
        "X" * 300, source="manual", values={"email": " Ada@Initech.Example ", "country": "DEU"}
    )
    assert (len(lead.topic), lead.email, lead.country) == (200, "ada@initech.example", "DE")
    with pytest.raises(TypeError, match="shoe_size"):
        lifecycle.create_lead("X", source="manual", values={"shoe_size": 43})


def test_making_a_set_costs_the_same_as_making_one(person: Contact) -> None:
    def cost(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            lifecycle.create_leads([NewLead(f"{count}.{n}", "form", contact_id=person.pk) for n in range(count)])
        return len(queries)

    cost(1)  # hers is the first lead: from now on she has facts
    assert cost(1) == cost(30) <= 15


def test_every_stage_has_its_place() -> None:
    assert set(NEXT) == set(RANK) == set(Stage)
    assert all(step in NEXT[PATH[place]] for place, step in enumerate(PATH[1:]))


def test_a_stage_that_cannot_follow_is_refused_in_words(make_lead: MakeLead) -> None:
    with pytest.raises(NotPossible, match="from “Inquiry” to “Won”"):
        lifecycle.change_stage(make_lead(), Stage.WON)


def test_who_comes_second_is_told_who_was_faster(mql: Lead, sam: Member, kim: Member) -> None:
    seen_by_kim = Lead.objects.get(pk=mql.pk)
    lifecycle.accept(mql, sam)
    with pytest.raises(MovedMeanwhile, match=r"Sam Acme was faster.*Sales-accepted"):
        lifecycle.accept(seen_by_kim, kim)
    lead = Lead.objects.get(pk=mql.pk)
    assert (lead.stage, lead.owner) == (Stage.SAL, sam)
    assert kinds(lead).count("lead.accepted") == 1
    assert StageChange.objects.filter(lead=lead, to_stage=Stage.SAL).count() == 1


def test_the_contact_shows_the_stage_of_her_most_advanced_lead(person: Contact, make_lead: MakeLead) -> None:
    first, second = make_lead(contact=person), make_lead(contact=person)
    lifecycle.make_mql(second, reason="Asked for an offer")
    assert ContactFacts.objects.get(contact=person).stage == Stage.MQL
    lifecycle.disqualify(make_lead(contact=person), "Twice")
    assert ContactFacts.objects.get(contact=person).stage == Stage.MQL, "a new lead says less"
    lifecycle.disqualify(second, "No budget")
    assert ContactFacts.objects.get(contact=person).stage == Stage.INQUIRY
    lifecycle.disqualify(first, "No budget")
    assert ContactFacts.objects.get(contact=person).stage == Stage.DISQUALIFIED
    make_lead(contact=person)
    assert ContactFacts.objects.get(contact=person).stage == Stage.INQUIRY, "an open lead says more than closed ones"


def test_handing_off_names_a_rep_a_reason_and_a_time(mql: Lead, sam: Member) -> None:
    given = lifecycle.hand_off(mql)
    assert given is not None
    lead = Lead.objects.get(pk=mql.pk)
    assert (lead.stage, lead.owner) == (Stage.HANDED_OFF, sam)
    assert lead.respond_by is not None
    assert lead.respond_by > timezone.now()
    assert "turn" in given.why
    assert lead.stage_reason == given.why
    told = Notification.objects.get(member=sam)
    assert "Priya Raman, Initech" in told.title
    assert "Score 62 B" in told.body
    assert told.path == f"/t/acme/sales/leads/{lead.pk}/"
    mail = Message.objects.get(address=sam.user.email)
    assert mail.content["button"][1].endswith(told.path)
    assert "Score 62 B" in mail.content["text"]
    assert kinds(lead) == ["lead.created", "lead.stage_changed", "lead.assigned"]


def test_without_a_rep_the_lead_stays_sales_ready(mql: Lead) -> None:
    assert lifecycle.hand_off(mql) is None
    assert Lead.objects.get(pk=mql.pk).stage == Stage.MQL


def test_a_rejected_lead_goes_back_to_marketing_with_the_reason(mql: Lead, sam: Member) -> None:
    lifecycle.hand_off(mql)
    with pytest.raises(NotPossible, match="why"):
        lifecycle.reject(mql, "  ", sam)
    lifecycle.reject(mql, "Student", sam)
    lead = Lead.objects.get(pk=mql.pk)
    assert (lead.stage, lead.stage_reason, lead.owner, lead.respond_by) == (Stage.RECYCLED, "Student", None, None)
    assert lead.recycled_until is not None
    assert (lead.recycled_until - timezone.now()).days in (29, 30)
    assert kinds(lead)[-1] == "lead.rejected"


def test_an_accepted_lead_cannot_be_rejected_any_more(mql: Lead, sam: Member) -> None:
    lifecycle.accept(mql, sam)
    with pytest.raises(NotPossible):
        lifecycle.reject(mql, "Too late", sam)


def test_a_disqualified_lead_can_be_taken_up_again(make_lead: MakeLead, max_: Member) -> None:
    lead = make_lead()
    lifecycle.disqualify(lead, "Wrong number", max_)
    lifecycle.reopen(lead, max_)
    assert lead.stage == Stage.ENGAGED


def test_a_qualified_lead_gets_an_opportunity_that_is_won_once(mql: Lead, sam: Member) -> None:
    lifecycle.accept(mql, sam)
    opportunity = opportunities.qualify(mql, sam, amount_minor=1_250_000)
    assert (opportunity.currency, opportunity.account_id, opportunity.owner) == ("EUR", mql.account_id, sam)
    opportunities.win(opportunity, sam)
    assert Lead.objects.get(pk=mql.pk).stage == Stage.WON
    with pytest.raises(NotPossible, match="already"):
        opportunities.lose(Opportunity.objects.get(), "Changed their mind", sam)
    assert kinds(mql).count("opportunity.won") == 1


def test_a_lead_is_lost_with_its_last_open_opportunity(mql: Lead, sam: Member) -> None:
    lifecycle.accept(mql, sam)
    first = opportunities.qualify(mql, sam)
    second = Opportunity.objects.create(name="Spare parts", lead=mql, currency="EUR")
    opportunities.lose(first, "Price", sam)
    assert Lead.objects.get(pk=mql.pk).stage == Stage.SQL
    opportunities.lose(Opportunity.objects.get(pk=second.pk), "Price", sam)
    assert Lead.objects.get(pk=mql.pk).stage == Stage.LOST


def test_the_needed_score_after_recycling_is_the_margin_above_what_it_had(
    mql: Lead, sam: Member, record_score: Callable[..., None]
) -> None:
    record_score(mql, 40, 62)
    lifecycle.recycle(mql, "No time", sam)
    assert Lead.objects.get(pk=mql.pk).recycled_score == 72
    Setting.objects.create(key="leads.margin_percent", value=0)
    lead = Lead.objects.get(pk=mql.pk)
    lifecycle.reopen(lead, sam)
    lifecycle.recycle(lead, "Still no time", sam)
    assert Lead.objects.get(pk=mql.pk).recycled_score == 62
