"""Erasing a person, and finding what stands against an address that nobody may read any more."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from contacts import erasure, people
from contacts.models import Contact
from messaging.models import Suppression
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

SignIn = Callable[[Page, Member], None]
AMARA = {"first_name": "Amara", "last_name": "Okafor", "email": "amara@tailspin.example"}


def test_the_owner_erases_somebody_at_once(page: Page, acme: Tenant, ana: Member, sign_in: SignIn) -> None:
    with tenant_scope(acme):
        amara = people.create_contact(AMARA)
    sign_in(page, ana)
    page.goto(f"/t/acme/audience/contacts/{amara.pk}/edit/")
    page.get_by_role("link", name="Erase now").click()
    expect(page.get_by_role("heading", name="Erase Amara Okafor?")).to_be_visible()
    check_accessibility(page)
    check_reflow(page)
    for theme, width, height in (("light", 1440, 900), ("dark", 390, 844)):
        page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
        page.set_viewport_size({"width": width, "height": height})
        screenshot(page, f"erase-{theme}")
    page.get_by_role("button", name="Erase Amara Okafor").click()
    expect(page.get_by_text("The contact has been erased.")).to_be_visible()
    with tenant_scope(acme):
        assert not Contact.objects.exists()


def test_an_erased_persons_suppression_is_looked_up_by_the_address(
    page: Page, acme: Tenant, max_: Member, sign_in: SignIn
) -> None:
    with tenant_scope(acme):
        Suppression.objects.create(address="ben@tailspin.example", reason="complaint", detail="reported as spam")
        Suppression.objects.create(address=AMARA["email"], reason="manual")
        erasure.erase([people.create_contact(AMARA).pk], by=None)
    sign_in(page, max_)
    page.goto("/t/acme/emails/suppressions/")
    expect(page.get_by_text("The address of somebody erased")).to_be_visible()
    page.get_by_label("Address", exact=True).fill("amara@tailspin.example")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_text("amara@tailspin.example is on the list: By hand.")).to_be_visible()
    check_accessibility(page)
    check_reflow(page)
    screenshot(page, "suppressions")
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "suppressions-390")
    page.get_by_role("button", name="Lift").click()
    expect(page.get_by_text("can be mailed again")).to_be_visible()
