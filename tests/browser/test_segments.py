"""Making a segment with the rule builder: by mouse, and by keyboard alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from contacts import people
from segments.models import Segment
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

SignIn = Callable[[Page, Member], None]
# htmx tells the console of an answer that is no longer wanted.
OVERTAKEN = ("htmx:sendAbort", "htmx:afterRequest")
# Chooses in the nth field of a label the moment it is there, sooner than any hand can.
CHOOSE_AT_ONCE = """([label, place, choice]) => new MutationObserver((_changes, observer) => {
  const field = document.querySelectorAll(`[aria-label="${label}"]`)[place];
  if (!field) return;
  observer.disconnect();
  field.value = [...field.options].find((option) => option.text === choice).value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}).observe(document.body, { childList: true, subtree: true })"""
PEOPLE = (("Amara", "CFO", "Köln"), ("Jonas", "CFO", "Bonn"), ("Wei", "CEO", "Köln"), ("Priya", "CTO", "Berlin"))


@pytest.fixture
def four(acme: Tenant) -> None:
    """Four contacts, two of them CFO, two in Köln."""
    with tenant_scope(acme):
        for name, title, city in PEOPLE:
            people.create_contact(
                {"first_name": name, "email": f"{name}@lead.example", "job_title": title, "city": city}
            )


def rule_of(acme: Tenant, name: str) -> object:
    with tenant_scope(acme):
        return Segment.objects.get(name=name).rule


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus; fails if it is never reached."""
    for _press in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} is not reached by Tab")


def test_a_segment_is_built_by_mouse(page: Page, acme: Tenant, four: None, max_: Member, sign_in: SignIn) -> None:
    page.expected_errors.extend(OVERTAKEN)  # type: ignore[attr-defined]
    sign_in(page, max_)
    page.goto("/t/acme/segments/new/")
    page.get_by_label("Name").fill("Money in Köln")
    about = page.get_by_label("What the condition is about")
    about.first.select_option(label="Job title")
    page.get_by_label("Value").first.fill("CFO")
    preview = page.locator(".rule-preview")
    expect(preview).to_contain_text("2 of 4 now")
    page.get_by_role("button", name="Group").click()
    nested = page.get_by_role("group", name="Group of conditions")
    # In a hurry: the next choice is made before the answer to this one is there.
    nested.get_by_label("How many of these conditions must hold").select_option(label="any")
    nested.get_by_label("What the condition is about").select_option(label="City")
    nested.get_by_label("Value").fill("Köln")
    page.evaluate(CHOOSE_AT_ONCE, ["What the condition is about", 2, "City"])
    nested.get_by_role("button", name="Condition", exact=True).click()
    nested.get_by_label("Value").nth(1).fill("Berlin")
    expect(preview).to_contain_text("1 of 4 now")
    expect(preview).to_contain_text("or")
    expect(preview.get_by_role("listitem").filter(has=page.get_by_role("img", name="inside"))).to_contain_text("Amara")
    screenshot(page, "segment-builder")
    check_accessibility(page)
    check_reflow(page)
    nested.get_by_role("button", name="Remove this group").click()
    expect(preview).to_contain_text("2 of 4 now")
    page.get_by_role("button", name="Save and go live").click()
    expect(page.get_by_role("heading", level=1, name="Money in Köln")).to_be_visible()
    wakeups.run_due(budget=10)
    expect(page.get_by_role("heading", level=2, name="2 contacts")).to_be_visible()
    page.get_by_role("link", name="Why is Jonas in this segment?").click()
    expect(page.get_by_role("row", name="Jonas")).to_contain_text("Job title")


def test_a_segment_is_built_by_keyboard_alone(
    page: Page, acme: Tenant, four: None, max_: Member, sign_in: SignIn
) -> None:
    page.expected_errors.extend(OVERTAKEN)  # type: ignore[attr-defined]
    sign_in(page, max_)
    page.goto("/t/acme/segments/new/")
    preview = page.locator(".rule-preview")
    name, about = page.get_by_label("Name"), page.get_by_label("What the condition is about")
    tab_to(page, name)
    page.keyboard.type("By keys")
    tab_to(page, about.first)
    page.keyboard.type("Job title")
    expect(page.get_by_label("Value")).to_be_visible()
    expect(about.first).to_be_focused()  # the rows came anew, the focus stayed
    tab_to(page, page.get_by_label("Value"))
    page.keyboard.type("CFO")
    add = page.get_by_role("button", name="Condition", exact=True)
    tab_to(page, add)
    page.keyboard.press("Enter")
    expect(about).to_have_count(2)
    expect(add).to_be_focused()
    page.keyboard.press("Shift+Tab")  # its button to remove it
    page.keyboard.press("Shift+Tab")
    expect(about.nth(1)).to_be_focused()
    page.keyboard.type("City")
    expect(page.get_by_label("Value")).to_have_count(2)
    tab_to(page, page.get_by_label("Value").nth(1))
    page.keyboard.type("Köln")
    page.keyboard.press("Tab")
    expect(preview).to_contain_text("1 of 4 now")
    page.keyboard.press("Enter")  # on "Remove this condition"
    expect(about).to_have_count(1)
    expect(preview).to_contain_text("2 of 4 now")
    tab_to(page, page.get_by_role("button", name="Save as draft"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="By keys")).to_be_visible()
    assert "job_title" in str(rule_of(acme, "By keys"))
    assert "city" not in str(rule_of(acme, "By keys"))
