"""A sales rep's and a marketer's way through the pages of sales."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from contacts import people
from leads import activities, lifecycle, opportunities, registry, territories
from leads.models import Activity, Lead, Opportunity, Stage
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


PAGES = [
    *("my-day/", "leads/", "leads/?tab=mine&stage=sal", "leads/?q=nobody", "leads/board/", "leads/unmatched/"),
    *("leads/new/", "calls/new/", "activities/", "activities/?tab=done&whose=all", "activities/new/"),
    *("opportunities/", "opportunities/?state=lost"),
]


def test_the_pages_of_sales_are_accessible_and_fit_a_phone(
    page: Page, sam: Member, leads: list[Lead], sign_in: SignIn
) -> None:
    sign_in(page, sam)
    for path in PAGES:
        page.goto(f"/t/acme/sales/{path}")
        name = re.sub(r"[^a-z]+", "-", path).strip("-")
        screenshot(page, f"sales-{name}")
        check_accessibility(page)
        check_reflow(page)
        page.set_viewport_size({"width": 390, "height": 844})
        screenshot(page, f"sales-phone-{name}")
        page.set_viewport_size({"width": 1440, "height": 900})


def test_a_lead_s_page_is_accessible_and_fits_a_phone(
    page: Page, sam: Member, leads: list[Lead], sign_in: SignIn
) -> None:
    sign_in(page, sam)
    page.goto(f"/t/acme/sales/leads/{leads[0].pk}/")
    screenshot(page, "sales-lead")
    check_accessibility(page)
    check_reflow(page)
    with tenant_scope(sam.tenant):
        deal, task = Opportunity.objects.get(), Activity.objects.get()
    ticked = "&".join(f"ids={lead.pk}" for lead in leads)
    for path in (
        *(f"leads/{leads[0].pk}/{part}/" for part in ("reject", "assign", "disqualify", "edit")),
        f"leads/{leads[1].pk}/qualify/",
        f"leads/bulk/?action=recycle&{ticked}",
        f"calls/new/?lead={leads[0].pk}",
        f"activities/new/?lead={leads[0].pk}",
        f"activities/{task.pk}/",
        f"opportunities/{deal.pk}/",
    ):
        page.goto(f"/t/acme/sales/{path}")
        check_accessibility(page)
        check_reflow(page)


def test_the_lead_rules_and_territories_are_accessible_and_fit_a_phone(
    page: Page, acme: Tenant, ana: Member, sam: Member, sign_in: SignIn
) -> None:
    with tenant_scope(acme):
        territories.save(None, "Nordics", ["SE", "NO"], [sam], by=ana)
    sign_in(page, ana)
    for path in ("leads/rules/", "leads/territories/new/"):
        page.goto(f"/t/acme/sales/{path}")
        screenshot(page, "sales-" + path.strip("/").replace("/", "-"))
        check_accessibility(page)
        check_reflow(page)
    page.expected_errors.append("422")  # type: ignore[attr-defined]
    page.goto("/t/acme/sales/leads/rules/")
    page.get_by_label("Hours to answer").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_focused()
    check_accessibility(page)


def test_a_lead_out_of_the_way_says_why_and_what_brings_it_back(
    page: Page, acme: Tenant, sam: Member, leads: list[Lead], sign_in: SignIn
) -> None:
    with tenant_scope(acme):
        lifecycle.reject(leads[0], "No budget", sam)
    sign_in(page, sam)
    page.goto(f"/t/acme/sales/leads/{leads[0].pk}/")
    expect(page.locator("main").get_by_role("status")).to_contain_text("Recycled: No budget")
    expect(page.get_by_text("Rests until")).to_be_visible()
    expect(page.get_by_role("list", name="Where the lead stands")).to_have_count(0)
    check_accessibility(page)


def test_many_leads_are_disqualified_and_put_back(
    page: Page, acme: Tenant, sam: Member, leads: list[Lead], sign_in: SignIn
) -> None:
    sign_in(page, sam)
    page.goto("/t/acme/sales/leads/")
    bar = page.locator("[data-bulk-bar]")
    expect(bar).to_be_hidden()
    page.get_by_label("Tick Mei Tanaka").check()
    page.get_by_label("Tick Jonas Keller").check()
    expect(bar).to_contain_text("2 ticked")
    bar.get_by_role("button", name="Disqualify").click()
    page.get_by_label("Why?").select_option("No budget")
    page.get_by_role("button", name="Disqualify · 2").click()
    expect(page.get_by_text("Disqualified: 2 leads.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 leads are back where they were.")).to_be_visible()
    with tenant_scope(acme):
        stages = set(Lead.objects.filter(pk__in=[leads[3].pk, leads[4].pk]).values_list("stage", flat=True))
    assert stages == {Stage.MQL, Stage.INQUIRY}


def test_filters_swap_the_rows_keep_the_focus_and_become_a_tab(
    page: Page, sam: Member, leads: list[Lead], sign_in: SignIn
) -> None:
    sign_in(page, sam)
    page.goto("/t/acme/sales/leads/")
    find = page.get_by_label("Find by name")
    find.press_sequentially("priya")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(find).to_be_focused()
    expect(page).to_have_url(re.compile("q=priya"))
    page.get_by_text("Save view").click()
    page.get_by_label("Name of the tab").fill("Priyas")
    check_accessibility(page)
    page.get_by_role("button", name="Save", exact=True).click()
    tab = page.get_by_role("link", name="Priyas")
    expect(tab).to_have_attribute("aria-current", "page")
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
