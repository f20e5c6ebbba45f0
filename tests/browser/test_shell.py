"""A person's way through the shell."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tenants import invitations, notifications
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

SignIn = Callable[[Page, Member], None]
PAGES = [
    *("settings", "history", "members", "members/invite", "notifications", "preferences", "search?q=m", "search?q=zzz"),
    *("../audience/fields", "../audience/fields/new"),
]


def test_signing_in_leads_to_the_one_company(page: Page, sam: Member) -> None:
    page.goto("/accounts/login/?next=/t/acme/company/preferences/")
    screenshot(page, "login")
    check_accessibility(page)
    page.get_by_label("Email").fill("SAM@acme.example")
    page.get_by_label("Password").fill("secret-sam")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="My preferences")).to_be_visible()


def test_pages_without_the_shell_are_accessible_and_fit_a_narrow_screen(
    page: Page, acme: Tenant, ana: Member, sign_in: SignIn
) -> None:
    invited = invitations.invite(acme, "new@acme.example", Member.Role.SALES_REP, by=ana)
    page.expected_errors += ["404", "403"]  # type: ignore[attr-defined]
    paths = ["/accounts/login/", "/start/", "/accounts/password/reset/", f"/invitation/{invited.token}/"]
    for path in (*paths, "/invitation/nonsense/", "/nowhere/"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        check_accessibility(page)
        check_reflow(page)
    sign_in(page, ana)
    for path in ("/?choose=1", "/accounts/password/change/", "/start/", f"/invitation/{invited.token}/"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        screenshot(page, "plain-" + path.strip("/?").replace("/", "-")[:20])
        check_accessibility(page)
        check_reflow(page)


def test_everything_in_the_shell_works_by_keyboard(page: Page, ana: Member, sign_in: SignIn) -> None:
    sign_in(page, ana)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Control+k")
    palette = page.get_by_role("combobox", name="Search or jump to")
    expect(palette).to_be_focused()
    palette.press_sequentially("memb")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    screenshot(page, "palette")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Members")).to_be_visible()
    page.keyboard.press("n")  # the page's primary action
    expect(page.get_by_role("heading", level=1, name="Invite a colleague")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(palette).to_be_focused()
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()


def test_the_theme_changes_at_once_and_stays(page: Page, ana: Member, sign_in: SignIn) -> None:
    sign_in(page, ana)
    html = page.locator("html")
    expect(html).to_have_attribute("data-bs-theme", "light")
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="Switch between light and dark").click()
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(html).to_have_attribute("data-bs-theme", "dark")
    screenshot(page, "preferences-dark")
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="Switch between light and dark").click()
    expect(html).to_have_attribute("data-bs-theme", "light")


def test_a_removal_is_asked_about_and_said(page: Page, ana: Member, sam: Member, sign_in: SignIn) -> None:
    sign_in(page, ana)
    page.get_by_role("link", name="Members").click()
    page.get_by_role("link", name="Sam Acme").click()
    page.get_by_role("button", name="Remove").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Remove Sam Acme from Acme?")
    screenshot(page, "confirm")
    question.get_by_role("button", name="Cancel").click()
    sam.refresh_from_db()
    assert sam.is_active
    page.get_by_role("button", name="Remove").click()
    question.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("Sam Acme has been removed.")
    expect(page.get_by_role("link", name="Sam Acme")).to_have_count(0)
    screenshot(page, "toast")


def test_an_answer_that_fails_says_so(page: Page, ana: Member, sign_in: SignIn) -> None:
    sign_in(page, ana)
    page.expected_errors.append("404")  # type: ignore[attr-defined]
    page.evaluate("htmx.ajax('POST', '/t/acme/company/nowhere/', { swap: 'none' })")
    expect(page.get_by_role("alert")).to_contain_text("That did not work")


def test_on_a_phone_the_navigation_folds(page: Page, ana: Member, sign_in: SignIn) -> None:
    sign_in(page, ana)
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "phone")
    link = page.get_by_role("link", name="Members")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Open the navigation").click()
    expect(link).to_be_visible()
    screenshot(page, "phone-navigation")
    link.click()
    expect(page.get_by_role("heading", level=1, name="Members")).to_be_visible()
    screenshot(page, "phone-members")


def test_pages_are_accessible_and_fit_a_narrow_screen(
    page: Page, acme: Tenant, ana: Member, sam: Member, sign_in: SignIn
) -> None:
    acme.is_sample = True
    acme.save(update_fields=["is_sample"])
    with tenant_scope(acme):
        for name in ("Amara Okafor", "Jonas Lindqvist"):
            notifications.notify(ana, "lead", f"{name} is sales-ready", "Score 68: job title, three clicks, a form")
    sign_in(page, ana)
    for address in PAGES:
        page.goto(f"/t/acme/company/{address}" if "?" in address else f"/t/acme/company/{address}/")
        screenshot(page, address.replace("/", "-").split("?")[0])
        check_accessibility(page)
        check_reflow(page)


def test_the_bell_follows_without_a_reload(page: Page, acme: Tenant, ana: Member, sign_in: SignIn) -> None:
    sign_in(page, ana)
    expect(page.get_by_role("link", name="Notifications, 0 unread")).to_be_visible()
    with tenant_scope(acme):
        notifications.notify(ana, "lead", "Amara Okafor is sales-ready")
    page.evaluate("document.getElementById('bell').dataset.poll = '1'")
    expect(page.get_by_role("link", name="Notifications, 1 unread")).to_be_visible()
    page.get_by_role("link", name="Notifications, 1 unread").click()
    expect(page.get_by_role("button", name="Amara Okafor is sales-ready")).to_be_visible()
