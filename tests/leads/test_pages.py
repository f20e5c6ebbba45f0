"""The pages of sales, as people use them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact, Interaction
from leads import activities, lifecycle, opportunities
from leads.models import Activity, Lead, Opportunity, Stage
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
Clients = Callable[..., Client]
MakeLead = Callable[..., Lead]
PAGES = [
    "my-day/",
    "leads/",
    "leads/?tab=ready",
    "leads/?tab=mine&order=latest",
    "leads/?tab=recycled&q=priya&stage=mql&source=form&owner=1&grade=A",
    "leads/?tab=closed&stage=nonsense&owner=x&order=y&after=forged",
    "leads/?since=2026-02-31&until=x&qualified_since=2026-01-01",
    "leads/board/",
    "leads/board/?whose=mine",
    "leads/unmatched/",
    "activities/",
    "activities/?tab=done&whose=all",
    "opportunities/",
    "opportunities/?state=lost",
]


def text(answer: Any) -> str:
    return answer.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_every_list_opens_empty_and_full_for_a_reader(
    path: str, ava: Member, mql: Lead, make_lead: MakeLead, client_of: Clients
) -> None:
    make_lead(values={"last_name": "Lovelace", "company": "Initech"})
    assert client_of(ava).get(f"/sales/{path}").status_code == 200


@pytest.mark.parametrize(
    "path", ["my-day/", "leads/", "leads/?order=latest", "leads/board/", "leads/unmatched/", "activities/?whose=all"]
)
def test_a_list_costs_the_same_at_one_row_and_at_many(
    path: str, acme: Tenant, sam: Member, person: Contact, make_lead: MakeLead, client_of: Clients
) -> None:
    client = client_of(sam)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/sales/{path}").status_code == 200
        return len(queries)

    def fill(count: int) -> None:
        for n in range(count):
            lead = make_lead(
                f"Topic {n}",
                contact=person if n % 2 else None,
                values={"last_name": f"Name {n}"},
                stage=Stage.HANDED_OFF,
                owner=sam,
                respond_by=timezone.now(),
            )
            with tenant_scope(acme):
                activities.create("task", f"Task {n}", lead=lead, owner=sam, due_at=timezone.now())

    fill(2)
    few = cost()
    fill(30)
    assert cost() == few <= 20


def test_a_rep_sees_first_who_waits_longest_then_the_best_score(
    acme: Tenant, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    now = timezone.now()
    make_lead("Late", stage=Stage.HANDED_OFF, owner=sam, respond_by=now + timedelta(hours=2), score=90)
    make_lead("Urgent", stage=Stage.HANDED_OFF, owner=sam, respond_by=now + timedelta(hours=1), score=10)
    make_lead("Good", stage=Stage.SAL, owner=sam, score=80)
    make_lead("Planned", stage=Stage.SAL, owner=sam, score=99)
    make_lead("Not mine", stage=Stage.SAL, score=99)
    with tenant_scope(acme):
        planned = Lead.objects.get(topic="Planned")
        activities.create("call", "Call again", lead=planned, owner=sam, due_at=now + timedelta(days=2))
    answer = client_of(sam).get("/sales/my-day/")
    assert [lead.topic for lead in answer.context["queue"]] == ["Urgent", "Late", "Good"]
    assert answer.context["current"].topic == "Urgent"
    assert "Log the call" in text(answer)


def test_a_call_is_logged_from_my_day_and_the_next_person_comes_up(
    acme: Tenant, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    first = make_lead("First", stage=Stage.SAL, owner=sam, score=80)
    make_lead("Second", stage=Stage.SAL, owner=sam, score=70)
    client = client_of(sam)
    form = {"call-outcome": "no_answer", "call-follow_up": "1", "call-notes": "Voicemail is full", "back": "my_day"}
    answer = client.post(f"/sales/calls/new/?lead={first.pk}", form)
    assert (answer.status_code, answer["Location"]) == (302, "/t/acme/sales/my-day/")
    assert client.get("/sales/my-day/").context["current"].topic == "Second"
    with tenant_scope(acme):
        call = Activity.objects.get(lead=first, done_at__isnull=False)
        assert (call.outcome, call.notes, call.owner) == ("No answer", "Voicemail is full", sam)
        again = Activity.objects.get(lead=first, done_at=None)
        assert again.due_at is not None
        assert again.due_at > timezone.now()


def test_a_call_with_a_contact_can_make_a_lead(acme: Tenant, sam: Member, person: Contact, client_of: Clients) -> None:
    form = {"outcome": "reached", "new_lead_topic": "Spare parts"}
    answer = client_of(sam).post(f"/sales/calls/new/?contact={person.pk}", form)
    with tenant_scope(acme):
        lead = Lead.objects.get()
    assert (lead.topic, lead.contact_id, lead.source) == ("Spare parts", person.pk, "call")
    assert answer["Location"] == f"/t/acme/sales/leads/{lead.pk}/"


def test_accepting_and_rejecting_by_the_page(
    acme: Tenant, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    good, bad = (
        make_lead("Good", stage=Stage.HANDED_OFF, owner=sam),
        make_lead("Bad", stage=Stage.HANDED_OFF, owner=sam),
    )
    client = client_of(sam)
    client.post(f"/sales/leads/{good.pk}/accept/")
    refused = client.post(f"/sales/leads/{bad.pk}/reject/", {"why": "other", "note": ""})
    assert refused.status_code == 422
    assert "Please say why." in text(refused)
    client.post(f"/sales/leads/{bad.pk}/reject/", {"why": "budget", "note": "until spring"})
    with tenant_scope(acme):
        assert Lead.objects.get(pk=good.pk).stage == Stage.SAL
        lead = Lead.objects.get(pk=bad.pk)
        assert (lead.stage, lead.stage_reason) == (Stage.RECYCLED, "No budget: until spring")


def test_who_accepts_too_late_is_told_who_was_faster(sam: Member, kim: Member, mql: Lead, client_of: Clients) -> None:
    client_of(kim).post(f"/sales/leads/{mql.pk}/accept/")
    answer = client_of(sam).post(f"/sales/leads/{mql.pk}/accept/", {"back": "my_day"}, follow=True)
    assert "Kim Acme was faster" in text(answer)


def test_every_action_that_asks_shows_its_form(sam: Member, mql: Lead, client_of: Clients) -> None:
    client = client_of(sam)
    for key in ("reject", "qualify", "assign", "recycle", "disqualify", "accept"):
        answer = client.get(f"/sales/leads/{mql.pk}/{key}/")
        assert answer.status_code == 200, key
    assert client.get(f"/sales/leads/{mql.pk}/explode/").status_code == 404


def test_a_stage_that_cannot_follow_is_answered_at_the_form(sam: Member, mql: Lead, client_of: Clients) -> None:
    answer = client_of(sam).post(f"/sales/leads/{mql.pk}/qualify/", {"name": "Pumps", "currency": "EUR"})
    assert answer.status_code == 422
    assert "cannot go from" in text(answer)


def test_a_lead_is_qualified_won_and_shown(acme: Tenant, sam: Member, mql: Lead, client_of: Clients) -> None:
    with tenant_scope(acme):
        lifecycle.accept(mql, sam)
    client = client_of(sam)
    form = {"name": "Forty pumps", "amount": "12500.50", "currency": "EUR", "closes_on": "2027-03-01"}
    client.post(f"/sales/leads/{mql.pk}/qualify/", form)
    with tenant_scope(acme):
        deal = Opportunity.objects.get()
    assert (deal.amount_minor, str(deal.closes_on)) == (1_250_050, "2027-03-01")
    assert "12,500.50" in text(client.get("/sales/opportunities/"))
    form["amount"] = "13000"
    assert client.post(f"/sales/opportunities/{deal.pk}/", form).status_code == 302
    client.post(f"/sales/opportunities/{deal.pk}/win/")
    page = client.get(f"/sales/opportunities/{deal.pk}/")
    assert "13,000.00" in text(page)
    assert "Won" in text(page)
    answer = client.post(f"/sales/opportunities/{deal.pk}/lose/", {"why": "budget"}, follow=True)
    assert "already" in text(answer)


def test_losing_asks_why(acme: Tenant, sam: Member, mql: Lead, client_of: Clients) -> None:
    with tenant_scope(acme):
        lifecycle.accept(mql, sam)
        deal = opportunities.qualify(mql, sam)
    client = client_of(sam)
    assert client.post(f"/sales/opportunities/{deal.pk}/lose/", {}).status_code == 422
    client.post(f"/sales/opportunities/{deal.pk}/lose/", {"why": "timing"})
    with tenant_scope(acme):
        assert Opportunity.objects.get().lost_reason == "Not now"


def test_the_board_shows_counts_value_and_where_a_lead_may_go(
    acme: Tenant, sam: Member, mql: Lead, make_lead: MakeLead, client_of: Clients
) -> None:
    with tenant_scope(acme):
        lifecycle.accept(mql, sam)
        opportunities.qualify(mql, sam, amount_minor=5_000_00)
    make_lead("New")
    columns = {column.stage: (column.count, column.values) for column, _ in _board(client_of(sam))}
    assert columns[Stage.SQL] == (1, [(500_000, "EUR")])
    assert columns[Stage.INQUIRY] == (1, [])


def _board(client: Client) -> Any:
    return client.get("/sales/leads/board/").context["columns"]


def test_moving_a_card_does_it_or_asks_first(
    acme: Tenant, max_: Member, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    lead, client = make_lead(), client_of(max_)
    assert client.post(f"/sales/leads/{lead.pk}/move/", {"to": "mql"})["Location"] == "/t/acme/sales/leads/board/"
    with tenant_scope(acme):
        assert Lead.objects.get(pk=lead.pk).stage == Stage.MQL
    asked = client.post(f"/sales/leads/{lead.pk}/move/", {"to": "disqualified"})
    assert asked["Location"] == f"/t/acme/sales/leads/{lead.pk}/disqualify/?back=board"
    client.post(f"/sales/leads/{lead.pk}/move/", {"to": "handed_off"})
    client.post(f"/sales/leads/{lead.pk}/move/", {"to": "won"})
    with tenant_scope(acme):
        lead = Lead.objects.get(pk=lead.pk)
        assert (lead.stage, lead.owner) == (Stage.HANDED_OFF, sam)


def test_a_lead_entered_by_hand_for_a_known_contact_keeps_no_second_copy_of_her(
    acme: Tenant, sam: Member, person: Contact, client_of: Clients
) -> None:
    client = client_of(sam)
    assert "Priya Raman" in text(client.get("/sales/leads/find/?about=pri"))
    form = {"topic": "Pumps", "whom": f"contact:{person.pk}", "email": "other@example.com"}
    client.post("/sales/leads/new/", form)
    with tenant_scope(acme):
        lead = Lead.objects.get()
        assert (lead.contact_id, lead.account_id, lead.email) == (person.pk, person.account_id, "")
    assert client.post("/sales/leads/new/", {"topic": ""}).status_code == 422


def test_an_unknown_person_is_matched_side_by_side(
    acme: Tenant, sam: Member, person: Contact, make_lead: MakeLead, client_of: Clients
) -> None:
    known = make_lead("A", values={"email": "priya@initech.example"})
    named = make_lead("B", values={"first_name": "Priya", "last_name": "Raman", "company": "Initech GmbH"})
    fresh = make_lead("C", values={"last_name": "Lovelace", "email": "ada@globex.example", "company": "Globex"})
    nameless = make_lead("D", values={"email": "info@initech.example"})
    client = client_of(sam)
    rows = {lead.topic: found for lead, found in client.get("/sales/leads/unmatched/").context["rows"]}
    assert rows["A"].contacts == rows["B"].contacts == [person]
    assert [account.name for account in rows["B"].accounts] == ["Initech"]
    assert (rows["C"].contacts, rows["C"].accounts) == ([], [])
    client.post(f"/sales/leads/{known.pk}/match/", {"to": f"contact:{person.pk}"})
    client.post(f"/sales/leads/{named.pk}/match/", {"to": "leave"})
    client.post(f"/sales/leads/{fresh.pk}/match/", {"to": "new"})
    client.post(f"/sales/leads/{nameless.pk}/match/", {"to": f"account:{person.account_id}"})
    with tenant_scope(acme):
        assert Lead.objects.get(pk=known.pk).contact == person
        made = Lead.objects.get(pk=fresh.pk)
        assert made.contact is not None
        assert (made.contact.email, made.account.name) == ("ada@globex.example", "Globex")
        assert Lead.objects.values_list("contact", "account").get(pk=nameless.pk) == (None, person.account_id)
    assert client.get("/sales/leads/unmatched/").context["rows"] == []


def test_an_activity_is_planned_and_done(acme: Tenant, sam: Member, mql: Lead, client_of: Clients) -> None:
    client = client_of(sam)
    form = {"kind": "task", "subject": "Send the offer", "due_at": "2026-01-02T09:00", "owner": sam.pk}
    client.post(f"/sales/activities/new/?lead={mql.pk}", form)
    assert "Send the offer" in text(client.get("/sales/my-day/"))
    with tenant_scope(acme):
        task = Activity.objects.get()
    client.post(f"/sales/activities/{task.pk}/", {"outcome": "Sent", "back": "my_day"})
    again = client.post(f"/sales/activities/{task.pk}/", {}, follow=True)
    assert "was done already" in text(again)
    with tenant_scope(acme):
        task = Activity.objects.get()
        assert (task.outcome, task.contact_id) == ("Sent", mql.contact_id)


def test_names_are_escaped_everywhere(sam: Member, make_lead: MakeLead, client_of: Clients) -> None:
    evil = "<script>alert(1)</script>"
    lead = make_lead(
        evil, values={"last_name": evil, "company": evil, "description": evil}, owner=sam, stage="handed_off"
    )
    client = client_of(sam)
    for path in ("my-day/", "leads/", "leads/board/", "leads/unmatched/", f"leads/{lead.pk}/"):
        assert evil not in text(client.get(f"/sales/{path}")), path


def test_an_analyst_sees_no_buttons_and_may_not_post(ava: Member, mql: Lead, client_of: Clients) -> None:
    client = client_of(ava)
    page = text(client.get(f"/sales/leads/{mql.pk}/"))
    assert "accept/" not in page
    assert client.post(f"/sales/leads/{mql.pk}/accept/").status_code == 403


def test_search_finds_leads_by_topic_and_company(sam: Member, make_lead: MakeLead, client_of: Clients) -> None:
    make_lead("Waterjet", values={"last_name": "Lovelace", "company": "Globex"})
    for words in ("waterj", "globex lovel"):
        assert "Waterjet" in text(client_of(sam).get(f"/company/search/?q={words}"))


def test_what_is_known_about_a_lead_can_be_changed(
    acme: Tenant, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    lead, client = make_lead("Pumps", values={"last_name": "Lovelace"}), client_of(sam)
    assert client.get(f"/sales/leads/{lead.pk}/edit/").status_code == 200
    assert client.post(f"/sales/leads/{lead.pk}/edit/", {"topic": ""}).status_code == 422
    client.post(f"/sales/leads/{lead.pk}/edit/", {"topic": "Valves", "last_name": "Lovelace", "company": "Globex"})
    client.post(f"/sales/leads/{lead.pk}/edit/", {"topic": "Valves", "last_name": "Lovelace", "company": "Globex"})
    with tenant_scope(acme):
        row = Interaction.objects.get(kind="lead.changed")
        assert row.detail["fields"] == {"topic": ["Pumps", "Valves"], "company": ["", "Globex"]}
    assert "Valves" in text(client.get("/company/search/?q=globex"))


def test_the_list_behind_a_figure_has_that_figure_s_leads(
    acme: Tenant, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    now = timezone.now()
    make_lead("Old", created_at=now - timedelta(days=30))
    won = make_lead("Won", stage=Stage.WON)
    with tenant_scope(acme):
        lifecycle.make_mql(Lead.objects.get(topic="Old"))
    client = client_of(sam)

    def topics(query: str) -> list[str]:
        return sorted(lead.topic for lead in client.get(f"/sales/leads/?{query}").context["listing"].page.rows)

    yesterday = f"{timezone.localdate() - timedelta(days=1):%Y-%m-%d}"
    assert topics(f"since={yesterday}") == ["Won"]
    assert topics(f"until={yesterday}") == ["Old"]
    assert topics(f"qualified_since={yesterday}") == ["Old"]
    assert topics("stage=won") == [won.topic]
    assert topics(f"tab=open&since={yesterday}") == []


def test_a_contact_s_and_an_account_s_page_show_leads_and_activities(
    acme: Tenant, sam: Member, person: Contact, mql: Lead, client_of: Clients
) -> None:
    with tenant_scope(acme):
        activities.create("task", "Send the offer", lead=mql, owner=sam)
    client = client_of(sam)
    for path in (f"contacts/{person.pk}/", f"accounts/{person.account_id}/"):
        page = text(client.get(f"/audience/{path}"))
        assert f'href="/t/acme/sales/leads/{mql.pk}/"' in page
        assert "Send the offer" in page
    page = text(client.get(f"/audience/contacts/{person.pk}/"))
    assert f"/t/acme/sales/calls/new/?contact={person.pk}" in page
    assert "Became a lead" in page


def test_a_lead_s_page_tells_the_whole_story_in_words(acme: Tenant, sam: Member, mql: Lead, client_of: Clients) -> None:
    with tenant_scope(acme):
        lifecycle.hand_off(mql)
        lifecycle.reject(mql, "No budget", sam)
        activities.log_call(by=sam, lead=mql, outcome="Reached", notes="Call in May")
    page = text(client_of(sam).get(f"/sales/leads/{mql.pk}/"))
    for words in ("is looked after by Sam Acme", "No budget", "was called: Reached", "Call in May", "Became a lead"):
        assert words.lower() in page.lower(), words


def test_a_lead_s_page_costs_the_same_however_much_has_happened(
    acme: Tenant, sam: Member, person: Contact, mql: Lead, make_lead: MakeLead, client_of: Clients
) -> None:
    client = client_of(sam)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/sales/leads/{mql.pk}/").status_code == 200
        return len(queries)

    def happen(count: int) -> None:
        for n in range(count):
            make_lead(f"Another {n}", contact=person)
            with tenant_scope(acme):
                activities.log_call(by=sam, lead=mql, outcome="Reached")

    happen(1)
    few = cost()
    happen(15)
    assert cost() == few <= 28, "panels of other apps included"
