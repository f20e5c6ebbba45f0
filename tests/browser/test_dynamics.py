"""The way of a lead to sales and back: connect the sandbox, map a field, hand over, accept there, see it here."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from contacts import people
from integrations.connections import verbs
from integrations.models import Connection, CrmChange
from integrations.sandbox import server
from leads import assignment, lifecycle
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

SignIn = Callable[[Page, Member], None]


def look(page: Page, name: str) -> None:
    """The page as everybody may need it, and a picture of it in both themes and on a phone."""
    check_accessibility(page)
    check_reflow(page)
    for theme in ("dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
        screenshot(page, f"dynamics-{name}-{theme}")
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, f"dynamics-{name}-phone")
    page.set_viewport_size({"width": 1440, "height": 900})


def sync(tenant: Tenant) -> None:
    """The next read is due, and the workers do it."""
    with tenant_scope(tenant):
        verbs.sync_now(Connection.objects.get())
    wakeups.run_due()


def test_a_lead_is_handed_over_accepted_there_and_its_stage_changes_here(
    page: Page, acme: Tenant, ana: Member, sam: Member, sign_in: SignIn, settings: Any
) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": "Hafen Pumpen", "domain": "hafen.example"})
        values = {
            "first_name": "Ada",
            "last_name": "Krüger",
            "email": "ada@hafen.example",
            "job_title": "Plant Manager",
        }
        contact = people.create_contact(values, account=account)
        lead = lifecycle.create_lead("Ten pumps", contact=contact, source="form")
        other = lifecycle.create_lead("T" * 200, contact=contact, source="form")
        assignment.give(lead, assignment.named(sam, ana))
        early = lifecycle.create_lead("Handed over before", contact=contact, source="call")
        lifecycle.hand_off(early, member=sam, is_told=False)
    wakeups.run_due()
    page.expected_errors.append("422")  # type: ignore[attr-defined]
    with server.start() as running:
        settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = running.url, [running.url]
        sign_in(page, ana)
        page.get_by_role("link", name="Integrations").click()
        page.get_by_role("link", name="Connect Dynamics 365 Sales").click()
        look(page, "new")
        page.get_by_role("button", name="Connect the sandbox").click()
        expect(page.get_by_text("It is being synced.")).to_be_visible()
        wakeups.run_due()
        expect(page.get_by_text("From Dynamics")).to_be_visible()
        expect(page.get_by_role("button", name="Hand over 1 lead")).to_be_visible()
        look(page, "overview")

        page.get_by_role("link", name="Fields", exact=True).click()
        look(page, "fields")
        page.get_by_role("link", name="Map a field of the lead").click()
        page.get_by_role("button", name="Map", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("This field is required.")
        look(page, "field-new")
        page.get_by_label("Field in Onward").select_option("lead.source")
        page.get_by_label("Column in Dynamics").select_option("leadsourcecode")
        page.get_by_role("radio", name="Marketing").check()
        page.get_by_role("button", name="Map", exact=True).click()
        page.get_by_label("Form", exact=True).select_option(label="Seminar")
        look(page, "field")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="People", exact=True).click()
        expect(page.get_by_label("Sam Acme").locator("option:checked")).to_contain_text("sam@acme.example")
        look(page, "people")
        page.get_by_role("link", name="Rules", exact=True).click()
        look(page, "rules")

        page.goto(f"/t/acme/sales/leads/{lead.pk}/")
        page.get_by_role("button", name="Hand over now").click()
        wakeups.run_due()
        page.reload()
        look(page, "lead")
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Open in Dynamics").click()
        sales = opened.value
        theirs = sales.locator("li", has_text="Ten pumps")
        expect(theirs).to_contain_text("Owner: Sam Acme")
        check_accessibility(sales)
        check_reflow(sales)
        screenshot(sales, "dynamics-sales-side")
        theirs.get_by_role("button", name="Accept").click()
        expect(sales.locator("li", has_text="Ten pumps")).to_contain_text("Contacted")
        (row,) = (row for row in running.place("dynamics", _key(acme)).world.organisation.rows.all("lead")
                  if row.values["subject"] == "Ten pumps")  # fmt: skip
        assert row.values["leadsourcecode"] == 6, "the source goes where it was mapped to"
        sync(acme)
        page.reload()
        expect(page.get_by_text("Was accepted in Dynamics sandbox").first).to_be_visible()
        expect(page.get_by_text("Sales-accepted").first).to_be_visible()

        with tenant_scope(acme):
            people.update_contact(contact, {"job_title": "Head of everything that flows " * 4})
            lifecycle.hand_off(other, member=sam, is_told=False)
        wakeups.run_due()
        page.get_by_role("link", name="Integrations").first.click()
        page.get_by_role("link", name="Dynamics sandbox").click()
        page.get_by_role("link", name="Outbox", exact=True).last.click()
        look(page, "outbox")
        page.get_by_role("link", name="Parked").click()
        page.get_by_role("row").filter(has_text="Handoff").get_by_role("link").click()
        expect(page.get_by_text("Job Title takes 100 characters").first).to_be_visible()
        look(page, "change")
        with tenant_scope(acme):
            people.update_contact(contact, {"job_title": "Head of Flow"})
        page.get_by_role("button", name="Try again").click()
        wakeups.run_due()
        page.reload()
        expect(page.get_by_text("Done").first).to_be_visible()
    with tenant_scope(acme):
        assert CrmChange.objects.filter(kind="handoff", state="done").count() >= 2


def _key(tenant: Tenant) -> str:
    with tenant_scope(tenant):
        return f"{tenant.pk}-{Connection.objects.get().pk}"
