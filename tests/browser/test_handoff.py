"""The way of a lead from LinkedIn to sales and back: both sandboxes, each connected as a newcomer would."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contacts.models import Field
from integrations.models import Connection
from integrations.sandbox import server
from integrations.sandbox.server import Running
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

SignIn = Callable[[Page, Member], None]


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Running]:
    """The stand-ins, as `./onward run` starts them beside the application."""
    with server.start() as running:
        settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = running.url, [running.url]
        yield running


def test_a_lead_comes_from_linkedin_goes_to_dynamics_is_accepted_there_and_its_stage_changes_here(
    page: Page, acme: Tenant, ana: Member, sandbox: Running, sign_in: SignIn, settings: Any
) -> None:
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="seniority", label="Level", type="text")
    page.expected_hosts.append(sandbox.url.removeprefix("http://"))  # type: ignore[attr-defined]
    sign_in(page, ana)
    settings.PUBLIC_URL = page.url.partition("/t/")[0]

    # LinkedIn: connect, allow, map, sync.
    page.get_by_role("link", name="LinkedIn").click()
    page.get_by_role("link", name="Connect LinkedIn").click()
    page.get_by_role("button", name="Connect the sandbox").click()
    page.get_by_role("link", name="Authorise again").click()
    check_accessibility(page)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Authorised. It goes on.")).to_be_visible()
    page.get_by_role("link", name="Mapping of all forms").click()
    page.get_by_label("Seniority", exact=True).select_option(label="Level")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved")
    page.get_by_role("link", name="LinkedIn").click()
    page.get_by_role("link", name="LinkedIn sandbox").click()
    expect(page.get_by_text("It begins in a moment.")).to_be_visible()
    wakeups.run_due()
    # The page finds out by itself.
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    page.get_by_role("link", name="Sandbox", exact=True).click()
    page.get_by_label("How many").fill("2")
    page.get_by_role("button", name="Let them send a form").click()
    expect(page.get_by_text("2 people have sent a form.")).to_be_visible()
    wakeups.run_due()
    page.get_by_role("link", name="See what has come in").click()
    page.get_by_role("combobox", name="Form").select_option(label="Webinar: less downtime")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Became leads").click()
    page.get_by_role("main").locator("tbody a").first.click()
    level = page.locator("dt", has_text="Seniority").locator("+ dd").inner_text()
    page.get_by_role("link", name="Open the lead").click()
    expect(page.get_by_role("heading", name="Sent at LinkedIn")).to_be_visible()
    lead = page.url

    # Dynamics: connect, map.
    page.get_by_role("link", name="Integrations").click()
    page.get_by_role("link", name="Connect Dynamics 365 Sales").click()
    page.get_by_role("button", name="Connect the sandbox").click()
    expect(page.get_by_text("It is being synced.")).to_be_visible()
    wakeups.run_due()
    expect(page.get_by_text("From Dynamics")).to_be_visible()
    page.get_by_role("link", name="Fields", exact=True).click()
    page.get_by_role("link", name="Map a field of the lead").click()
    page.get_by_label("Field in Onward").select_option("lead.source")
    page.get_by_label("Column in Dynamics").select_option("leadsourcecode")
    page.get_by_role("radio", name="Marketing").check()
    page.get_by_role("button", name="Map", exact=True).click()
    page.get_by_label("LinkedIn", exact=True).select_option(label="Seminar")
    page.get_by_role("button", name="Save").click()

    # The lead: hand it over, accept it there, see it here.
    page.goto(lead)
    page.get_by_role("button", name="Hand over now").click()
    wakeups.run_due()
    page.reload()
    check_accessibility(page)
    check_reflow(page)
    screenshot(page, "handoff-lead")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open in Dynamics").click()
    sales = opened.value
    theirs = sales.locator("li", has_text="from Onward")
    expect(theirs).to_have_count(1)
    check_accessibility(sales)
    check_reflow(sales)
    screenshot(sales, "handoff-sales-side")
    theirs.get_by_role("button", name="Accept").click()
    expect(theirs).to_contain_text("Contacted")
    assert _source_there(sandbox, acme) == 6, "the source goes where it was mapped to"
    page.get_by_role("link", name="Integrations").click()
    page.get_by_role("link", name="Dynamics sandbox").click()
    page.get_by_role("button", name="Sync now").click()
    wakeups.run_due()
    page.goto(lead)
    expect(page.get_by_text("Was accepted in Dynamics sandbox").first).to_be_visible()
    expect(page.get_by_text("Sales-accepted").first).to_be_visible()
    page.get_by_role("main").locator("a[href*='/audience/contacts/']").first.click()
    expect(page.locator("dt", has_text="Level").locator("+ dd")).to_have_text(level)


def _source_there(sandbox: Running, tenant: Tenant) -> object:
    """The source of the lead that was handed over, as it stands at the stand-in."""
    with tenant_scope(tenant):
        connection = Connection.objects.get(system="dynamics")
    rows = sandbox.place("dynamics", f"{tenant.pk}-{connection.pk}").world.organisation.rows.all("lead")
    (source,) = (row.values["leadsourcecode"] for row in rows if row.values.get("new_crmkey"))
    return source
