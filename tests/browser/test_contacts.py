"""A person's way through contacts and accounts."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from contacts import consent, facts, people, roles, timeline
from contacts.models import Contact, ContactFacts, Field, MatchAmbiguity, Purpose
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

SignIn = Callable[[Page, Member], None]
PEOPLE = [
    ("Amara Okafor", "Procurement", 68, "B", "mql"),
    ("Jonas Lindqvist", "CEO", 21, "D", "sql"),
    ("Wei Chen", "CFO", None, "", ""),
]


@pytest.fixture
def amara(acme: Tenant, max_: Member) -> Contact:
    """The first of three people of one company, with a life: visits, consent, notes, a role."""
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="Newsletter", is_default=True)
        Field.objects.create(entity="contact", key="plan", label="Plan", type="choice", options=["Basic", "Pro"])
        account = people.create_account(
            {"name": "Tailspin Toys GmbH", "domain": "tailspin.example", "industry": "Toys"}
        )
        made = []
        for name, title, *_rest in PEOPLE:
            first, last = name.split()
            values = {"first_name": first, "last_name": last, "job_title": title, "email": f"{first}@tailspin.example"}
            made.append(people.create_contact({**values, "owner": max_}, account=account))
        first = made[0]
        consent.grant(first, news, basis="double opt-in", source="form “Demo”", text_shown="Yes, send me news.")
        consent.refuse(made[1], news, source="link")
        now = timezone.now()
        moments = [now - timedelta(days=days) for days in (0, 1, 1, 9, 20, 44)]
        visits = [{"contact_id": first.pk, "occurred_at": at, "detail": {"page": "Pricing"}} for at in moments]
        timeline.record_many("page.visited", visits)
        people.write_note("Wants a demo in January.", by=max_, contact=first)
        roles.give(account, first, "decision_maker", by=max_)
        facts.refresh([contact.pk for contact in made])
        for contact, (*_names, score, grade, stage) in zip(made, PEOPLE, strict=True):
            ContactFacts.objects.filter(contact=contact).update(score=score, grade=grade, stage=stage)
        MatchAmbiguity.objects.create(chosen=first, others=[made[1].pk], reason="the same phone")
        return first


def test_finding_and_opening_a_contact(page: Page, amara: Contact, max_: Member, sign_in: SignIn) -> None:
    sign_in(page, max_)
    page.goto("/t/acme/audience/contacts/")
    expect(page.get_by_role("row")).to_have_count(4)
    screenshot(page, "contacts")
    check_accessibility(page)
    check_reflow(page)
    page.get_by_role("searchbox", name="Find by name").fill("oka")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile("q=oka"))
    page.go_back()
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name="Amara Okafor").click()
    expect(page.get_by_role("heading", level=1, name="Amara Okafor")).to_be_visible()


def test_ticking_contacts_and_assigning_them(page: Page, amara: Contact, ana: Member, sign_in: SignIn) -> None:
    sign_in(page, ana)
    page.goto("/t/acme/audience/contacts/")
    bar = page.get_by_role("button", name="Assign owner")
    expect(bar).to_be_hidden()
    page.get_by_role("checkbox", name="Tick all on this page").check()
    expect(page.get_by_text("3 ticked")).to_be_visible()
    screenshot(page, "contacts-ticked")
    page.get_by_role("combobox", name="Assign owner").select_option("Ana Acme")
    bar.click()
    expect(page.get_by_role("status").get_by_text("3 contacts have a new owner.")).to_be_visible()
    page.get_by_role("checkbox", name="Tick Wei Chen").check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes, go on").click()
    expect(page.get_by_role("row")).to_have_count(3)


def test_reading_a_contact(page: Page, amara: Contact, max_: Member, sign_in: SignIn) -> None:
    sign_in(page, max_)
    page.goto(f"/t/acme/audience/contacts/{amara.pk}/")
    expect(page.get_by_text("Yes, about: Newsletter.")).to_be_visible()
    screenshot(page, "contact")
    check_accessibility(page)
    check_reflow(page)
    page.get_by_role("navigation", name="Show").get_by_role("link", name="Web").click()
    expect(page.get_by_text("Wants a demo in January.")).to_be_hidden()
    expect(page.get_by_text("Visited Pricing").first).to_be_visible()
    page.get_by_label("Note").fill("Called back.")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Called back.")).to_be_visible()
