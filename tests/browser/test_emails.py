"""A marketer's way through e-mails, and a recipient's through her own pages."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contacts import consent, people
from contacts.models import Purpose
from messaging import outbox, publishing, senders, tokens
from messaging.designs import blocks
from messaging.models import ContentSettings, Message
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

SignIn = Callable[[Page, Member], None]


@pytest.fixture
def sent(acme: Tenant, ana: Member) -> dict[str, Any]:
    """An e-mail of Acme's that Amara got, and what else the pages show."""
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="Newsletter", is_default=True)
        sender = ContentSettings(name="Acme", from_name="Acme", from_email="news@acme.example", postal_address="Köln")
        senders.save(sender, by=ana)
        amara = people.create_contact({"email": "amara@lead.example", "first_name": "Amara", "last_name": "Okafor"})
        consent.grant(amara, news, basis="form", source="test")
        email = publishing.create("Spring offer", by=ana)
        design = [
            blocks.new("heading", text="Dear {{ contact.first_name | default('friend') }}"),
            blocks.new("text", html="Spring is here.\n\nCome and see."),
            blocks.new("button", label="Read on", url="https://acme.example/spring"),
        ]
        publishing.save_draft(email, subject="Spring, {{ contact.first_name }}", preheader="News", blocks=design)
        version = publishing.go_live(email, ana)
        message = outbox.order("v:1", contact=amara, email=email)
        Message.objects.update(state="uncertain", version_id=version.pk, reason="no_reply")
        own = tokens.Own(acme.pk, message.pk, amara.pk, news.pk)
        return {"email": email.pk, "token": tokens.pages_token(own)}


def test_an_email_is_designed_block_by_block(page: Page, sent: dict[str, Any], max_: Member, sign_in: SignIn) -> None:
    sign_in(page, max_)
    page.goto(f"/t/acme/emails/{sent['email']}/edit/")
    page.get_by_role("link", name="Heading").click()
    page.get_by_role("textbox", name="Text").fill("Good morning, {{ contact.first_name | default('friend') }}")
    page.get_by_role("button", name="Save block").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading")).to_have_text("Good morning, friend")
    page.get_by_role("button", name="Divider").click()
    expect(page.get_by_role("listitem").filter(has_text="Divider")).to_have_count(1)
    page.get_by_role("button", name="Move Divider down").click()
    expect(page.locator(".block-row").nth(2)).to_contain_text("Divider")
    page.get_by_label("Preview as").fill("amara@lead.example")
    page.get_by_role("button", name="Show").click()
    expect(page.frame_locator("iframe").get_by_role("heading")).to_have_text("Good morning, Amara")
    expect(page.locator(".inbox-line")).to_contain_text("Spring, Amara")
    screenshot(page, "email-designer")
    check_accessibility(page)
    check_reflow(page)
    page.get_by_role("button", name="Check & go live").click()
    expect(page.get_by_text("Version 2 is live")).to_be_visible()
    screenshot(page, "email")


def test_values_are_inserted_at_the_caret_and_worst_cases_are_shown(
    page: Page, sent: dict[str, Any], max_: Member, sign_in: SignIn
) -> None:
    sign_in(page, max_)
    page.goto(f"/t/acme/emails/{sent['email']}/edit/")
    page.get_by_role("link", name="Heading").click()
    text = page.get_by_role("textbox", name="Text")
    text.fill("Good morning, !")
    text.press("ArrowLeft")
    panel = page.locator(".designer-side")
    panel.get_by_role("button", name="first name").press("Enter")
    expect(text).to_have_value('Good morning, {{ contact.first_name | default("there") }}!')
    expect(text).to_be_focused()
    page.get_by_role("button", name="Save block").press("Enter")
    heading = page.frame_locator("iframe").get_by_role("heading")
    expect(heading).to_have_text("Good morning, there!")
    expect(page.locator(".block-row").first).to_contain_text("Good morning, [first name]!")
    page.get_by_role("navigation", name="Worst cases").get_by_role("link", name="Very long names").click()
    expect(heading).to_contain_text("Wolfeschlegelstein")
    page.get_by_role("link", name="Phone").click()
    expect(heading).to_contain_text("Wolfeschlegelstein")
    assert (page.locator("iframe").bounding_box() or {})["width"] < 400
    page.get_by_role("link", name="Plain text").click()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("Spring is here.")
    check_accessibility(page)
    check_reflow(page)


def test_a_block_is_moved_by_keyboard_and_keeps_the_focus(
    page: Page, sent: dict[str, Any], max_: Member, sign_in: SignIn
) -> None:
    sign_in(page, max_)
    page.goto(f"/t/acme/emails/{sent['email']}/edit/")
    down = page.get_by_role("button", name="Move Heading down")
    for place in (1, 2, 2):
        down.press("Enter")
        expect(page.locator(".block-row").nth(place)).to_contain_text("Heading")
        expect(down).to_be_focused()


def test_a_recipient_chooses_what_she_gets(page: Page, sent: dict[str, Any]) -> None:
    page.goto(f"/m/{sent['token']}/")
    check_accessibility(page)
    page.get_by_role("button", name="Yes, unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    page.get_by_role("link", name="Choose what you get").click()
    page.get_by_role("checkbox", name="Newsletter").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    check_accessibility(page)
    check_reflow(page)
    page.expected_errors.append("favicon.ico")  # type: ignore[attr-defined]
    page.goto(f"/m/{sent['token']}/view/")
    expect(page.get_by_role("heading")).to_have_text("Dear Amara")
