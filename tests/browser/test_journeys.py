"""A marketer builds a journey in a browser, asks by the rule builder, goes live, and looks at the people."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from contacts.models import Contact
from journeys.models import Participant
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot
from tests.journeys.world import World

SignIn = Callable[[Page, Member], None]


@pytest.fixture
def world(acme: Tenant) -> World:
    """Three prospects, one of them a head of department."""
    world = World(acme)
    world.contacts(3)
    with tenant_scope(acme):
        Contact.objects.filter(email="p0@example.org").update(job_title="Head of Sales")
    return world


def settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")


def test_a_journey_is_built_checked_and_lived_through(world: World, max_: Member, page: Page, sign_in: SignIn) -> None:
    # The refused form; and htmx tells of a preview that is cut short because the page is left.
    page.expected_errors += ["422", "htmx:sendAbort", "htmx:afterRequest"]  # type: ignore[attr-defined]
    sign_in(page, max_)
    page.goto("/t/acme/journeys/new/")
    page.get_by_label("Name").fill("Heads first")
    page.get_by_label(re.compile("Blank")).check()
    page.get_by_role("button", name="Create").click()

    # The audience: what the other source needs is not asked.
    page.get_by_role("link", name=re.compile("^Audience")).click()
    expect(page.get_by_label("In these segments")).to_be_visible()
    expect(page.get_by_label("Forms", exact=True)).to_be_hidden()
    page.get_by_label("In these segments").select_option(label="Prospects")
    page.get_by_role("button", name="Apply").click()

    # An if/then by what is true of people, with the one builder.
    page.get_by_role("link", name="Add a step after Audience").click()
    page.get_by_role("button", name=re.compile("Two ways")).click()
    settle(page)
    expect(page.get_by_label("Wait up to")).to_be_visible()
    page.get_by_label("what is true of them now").check()
    expect(page.get_by_label("Wait up to")).to_be_hidden()
    page.get_by_label("What the condition is about").select_option(label="Job title")
    settle(page)
    page.get_by_label("Comparison").select_option(label="contains")
    settle(page)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Please look at one thing again")).to_be_visible()
    page.get_by_label("Value").fill("Head")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Job title contains “Head”?")).to_be_visible()
    check_accessibility(page)
    check_reflow(page)
    screenshot(page, "journey-if-then")

    # Who opens another step sees at once which one it is.
    page.get_by_role("link", name=re.compile("^Audience Prospects")).click()
    expect(page.locator(".tile.is-selected")).to_contain_text("Audience")
    page.get_by_role("link", name="Add a step after No").click()
    page.get_by_role("button", name=re.compile("For minutes, hours or days")).click()
    page.get_by_label("How long").fill("2")
    expect(page.get_by_label("Until")).to_be_hidden()
    page.get_by_role("button", name="Apply").click()

    page.get_by_role("link", name="Review and go live").click()
    expect(page.get_by_text("Nothing stands against it.")).to_be_visible()
    check_accessibility(page)
    check_reflow(page)
    page.get_by_role("button", name="Go live").click()
    expect(page.get_by_text("The journey is live.")).to_be_visible()
    world.run()
    page.reload()
    figures = page.get_by_role("article").nth(1)
    expect(figures).to_contain_text(re.compile(r"In\s*3\s*Waiting\s*0\s*Out\s*3\s*Stopped\s*0"))
    check_accessibility(page)
    check_reflow(page)
    screenshot(page, "journey-live")

    # A number leads to its people, a trace says why, and a waiting person is moved on by hand.
    page.get_by_role("article").nth(2).get_by_role("link", name="2", exact=True).nth(1).click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("link", name="Trace").first.click()
    expect(page.get_by_text("not true: Job title contains “Head”")).to_be_visible()
    check_accessibility(page)
    check_reflow(page)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("has been moved on.")).to_be_visible()
    expect(page.get_by_text("by hand, Max Acme")).to_be_visible()
    with tenant_scope(world.tenant):
        states = list(Participant.objects.order_by("contact_id").values_list("state", flat=True))
        assert sorted(states) == ["active", "done", "done"]
