"""LinkedIn's pages with something in them, and a newcomer's way through the sandbox."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from integrations.connections import runs
from integrations.linkedin import gaps, inbound, parsing, processing, setting_up, storing
from integrations.linkedin.responses import Named
from integrations.models import AdAccount, AdCampaign, Connection, LeadForm, LeadSubmission
from integrations.sandbox import server
from integrations.sandbox.linkedin import LinkedIn, elements
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import screenshot
from tests.browser.test_pages import LONG_ADDRESS, LONG_NAME, Company, look_at

SignIn = Callable[[Page, Member], None]


@pytest.fixture
def company(acme: Tenant, ana: Member) -> Company:
    """A connection that has read the built-in LinkedIn, with names as long as they get; nothing is asked for it."""
    world = LinkedIn("pages", "http://127.0.0.1:1/linkedin/pages").store
    with tenant_scope(acme):
        connection = setting_up.add_sandbox(by=ana)
        Connection.objects.filter(pk=connection.pk).update(
            name=LONG_NAME, state="needs_authorisation", reason=LONG_NAME
        )
        known = [Named(str(row.id), LONG_NAME, row.status, row.is_test) for row in world.accounts.values()]
        storing.keep_accounts(connection, known)
        AdAccount.objects.update(is_chosen=True, problem=LONG_NAME)
        for row in world.forms.values():
            storing.keep_form(connection, parsing.form(elements.form(row)))
        latest = sorted(world.responses.by_id.values(), key=lambda lead: -lead.submitted_at)[:30]
        storing.store(connection, [parsing.response(elements.response(world, lead, {})) for lead in latest], "api")
        sent = LeadSubmission.objects.exclude(is_test=True).exclude(answers=[]).earliest("pk")
        sent.answers = [*sent.answers, {"question": LONG_NAME, "text": LONG_ADDRESS}]
        sent.hidden_fields, sent.faults = {"utm_content": LONG_ADDRESS}, [LONG_NAME]
        sent.save()
        processing.process(connection)
        for account in AdAccount.objects.all():
            storing.keep_campaigns(account, [Named("1", LONG_NAME, "ACTIVE")])
            gaps.keep(account, {"1": 7}, sent.submitted_at.date(), sent.submitted_at.date())
        LeadForm.objects.update(name=LONG_NAME)
        AdCampaign.objects.update(name=LONG_NAME)
        inbound.open_inbox(connection, by=ana)
        run = runs.begin(connection, "pull", by=ana)
        runs.count(run, {"new": 30})
        runs.fail(run, LONG_NAME)
        keys = {"connection": connection.pk, "lead_form": sent.form_id, "sent": sent.pk}
    return Company(ana, keys)


def test_every_page_of_linkedin_is_readable_for_everybody_and_fits_a_phone(
    company: Company, page: Page, sign_in: SignIn, client_of: Callable[..., Client]
) -> None:
    paths = company.pages(client_of(company.owner), "integrations", "linkedin")
    assert len(paths) > 10
    sign_in(page, company.owner)
    look_at(page, paths)


def test_a_newcomer_connects_the_sandbox_and_sees_leads_come(
    page: Page, acme: Tenant, ana: Member, sign_in: SignIn, settings: Any
) -> None:
    with server.start() as sandbox:
        settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = sandbox.url, [sandbox.url]
        page.expected_hosts.append(sandbox.url.removeprefix("http://"))  # type: ignore[attr-defined]
        sign_in(page, ana)
        settings.PUBLIC_URL = page.url.partition("/t/")[0]
        page.get_by_role("link", name="LinkedIn").click()
        page.get_by_role("link", name="Connect LinkedIn").click()
        page.get_by_role("button", name="Connect the sandbox").click()
        expect(page.get_by_text("It begins in a moment.")).to_be_visible()
        page.get_by_role("link", name="Authorise again").click()
        screenshot(page, "linkedin-consent")
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_text("Authorised. It goes on.")).to_be_visible()
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
        page.get_by_role("main").locator("tbody a").first.click()
        page.get_by_role("link", name="Open the lead").click()
        expect(page.get_by_role("heading", name="Sent at LinkedIn")).to_be_visible()
        expect(page.get_by_role("main").locator("a[href*='/linkedin/submissions/']").first).to_be_visible()
