"""A sales rep's and a marketer's way through the pages of sales."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from contacts import people
from leads import activities, lifecycle, opportunities, registry
from leads.models import Lead, Stage
from leads.registry import Reason
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

SignIn = Callable[[Page, Member], None]
NAMES = [("Priya", "Raman"), ("Daniel", "Okafor"), ("Amélie", "Laurent"), ("Jonas", "Keller"), ("Mei", "Tanaka")]


@pytest.fixture
def leads(acme: Tenant, sam: Member, monkeypatch: pytest.MonkeyPatch) -> list[Lead]:
    """Five leads of known people, one at each of five stages; the first waits for Sam's answer."""
    known = [Reason("Visited the price list 4 times", 20), Reason("Head of a department", 12)]
    monkeypatch.setattr(registry, "reasons", [lambda lead: known])
    stages = (Stage.HANDED_OFF, Stage.SAL, Stage.SQL, Stage.MQL, Stage.INQUIRY)
    made = []
    with tenant_scope(acme):
        account = people.create_account({"name": "Tailspin Toys", "domain": "tailspin.example"})
        for place, (first, last) in enumerate(NAMES):
            values = {"first_name": first, "last_name": last, "email": f"{first.lower()}@tailspin.example"}
            values |= {"job_title": "Head of Procurement", "phone": "+4930123456"}
            contact = people.create_contact(values, account=account)
            lead = lifecycle.create_lead(f"Pumps for plant {place + 1}", contact=contact, source="form", by=sam)
            columns = {"score": 80 - 10 * place, "grade": "AABCD"[place], "owner": sam if place < 3 else None}
            late = timezone.now() + timedelta(hours=2)
            if stages[place] == Stage.SQL:
                Lead.objects.filter(pk=lead.pk).update(stage=Stage.SAL)
                opportunities.qualify(Lead.objects.get(pk=lead.pk), sam, amount_minor=1_250_000)
            Lead.objects.filter(pk=lead.pk).update(stage=stages[place], **columns, respond_by=late)
            made.append(Lead.objects.select_related("contact").get(pk=lead.pk))
        activities.create("task", "Send the data sheet", lead=made[1], owner=sam, due_at=timezone.now())
        lifecycle.create_lead("Spare parts", source="form", values={"last_name": "Raman", "first_name": "Priya"})
    return made


@pytest.mark.parametrize(
    "path",
    ["my-day/", "leads/", "leads/board/", "leads/unmatched/", "leads/new/", "activities/", "opportunities/"],
)
def test_the_pages_of_sales_are_accessible_and_fit_a_phone(
    path: str, page: Page, sam: Member, leads: list[Lead], sign_in: SignIn
) -> None:
    sign_in(page, sam)
    page.goto(f"/t/acme/sales/{path}")
    screenshot(page, "sales-" + path.strip("/").replace("/", "-"))
    check_accessibility(page)
    check_reflow(page)
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "sales-phone-" + path.strip("/").replace("/", "-"))


def test_a_lead_s_page_is_accessible_and_fits_a_phone(
    page: Page, sam: Member, leads: list[Lead], sign_in: SignIn
) -> None:
    sign_in(page, sam)
    page.goto(f"/t/acme/sales/leads/{leads[0].pk}/")
    screenshot(page, "sales-lead")
    check_accessibility(page)
    check_reflow(page)
    page.goto(f"/t/acme/sales/leads/{leads[0].pk}/reject/")
    screenshot(page, "sales-reject")
    check_accessibility(page)


def test_a_rep_works_off_her_day_on_a_phone(page: Page, sam: Member, leads: list[Lead], sign_in: SignIn) -> None:
    sign_in(page, sam)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/t/acme/sales/my-day/")
    expect(page.get_by_role("heading", level=2, name="Priya Raman")).to_be_visible()
    expect(page.get_by_text("Visited the price list 4 times")).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Priya Raman is yours.")).to_be_visible()
    page.get_by_text("Log the call", exact=True).click()
    page.get_by_label("What came of it?").select_option("Left a message")
    page.get_by_role("button", name="Log the call, show the next").click()
    expect(page.get_by_role("heading", level=2, name="Daniel Okafor")).to_be_visible()
    page.get_by_role("button", name="Done: Send the data sheet").click()
    expect(page.get_by_text("Nothing is due today.")).to_be_visible()


def test_a_card_is_dragged_to_another_column_or_moved_by_its_menu(
    page: Page, acme: Tenant, max_: Member, leads: list[Lead], sign_in: SignIn
) -> None:
    sign_in(page, max_)
    page.set_viewport_size({"width": 2200, "height": 900})
    page.goto("/t/acme/sales/leads/board/")
    card = page.locator(".board-card", has_text="Mei Tanaka")
    card.locator("span.text-secondary").first.drag_to(page.locator('[data-stage="mql"]'))
    expect(page.get_by_text("Mei Tanaka is sales-ready.")).to_be_visible()
    with tenant_scope(acme):
        assert Lead.objects.get(pk=leads[4].pk).stage == Stage.MQL
    page.get_by_role("button", name="Move Mei Tanaka to…").click()
    page.get_by_role("button", name="Disqualified").click()
    expect(page.get_by_role("heading", level=1, name="Disqualify")).to_be_visible()
    page.get_by_label("Why?").select_option("No budget")
    page.get_by_role("button", name="Disqualify").click()
    expect(page.get_by_text("Mei Tanaka is disqualified.")).to_be_visible()
    with tenant_scope(acme):
        assert Lead.objects.get(pk=leads[4].pk).stage == Stage.DISQUALIFIED
