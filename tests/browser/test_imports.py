"""The wizard of imports, by mouse and by keyboard alone."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from contacts import people
from contacts.models import Contact, Purpose
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot
from tests.leads.files import PEOPLE, as_csv

SignIn = Callable[[Page, Member], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three people, and a row that cannot be read."""
    path = tmp_path / "people.csv"
    path.write_bytes(as_csv([*PEOPLE, ["no address", "Bo", "Day", "", ""]]))
    return path


@pytest.fixture
def known(acme: Tenant) -> Contact:
    """Somebody of the name of one of them, and a purpose."""
    with tenant_scope(acme):
        Purpose.objects.create(key="news", name="Newsletter", is_default=True)
        return people.create_contact({"first_name": "Amara", "last_name": "Okafor", "city": "Bonn"})


def look(page: Page, name: str) -> None:
    """Take a picture at both sizes; the page is accessible and fits a phone."""
    screenshot(page, f"import-{name}")
    check_accessibility(page)
    page.set_viewport_size({"width": 390, "height": 844})
    check_reflow(page, 390)
    screenshot(page, f"import-{name}-phone")
    check_reflow(page)
    page.set_viewport_size({"width": 1440, "height": 900})


def work() -> None:
    assert wakeups.run_due(30)


def test_a_file_is_imported_by_mouse_and_taken_back(
    page: Page, file: Path, known: Contact, max_: Member, acme: Tenant, sign_in: SignIn
) -> None:
    sign_in(page, max_)
    page.goto("/t/acme/sales/imports/")
    look(page, "empty")
    page.get_by_role("link", name="Import a file").first.click()
    look(page, "file")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("combobox", name="E-Mail")).to_have_value("contact.email")
    page.get_by_role("combobox", name="Title").select_option(label="Contact: new field, text")
    look(page, "columns")
    page.get_by_role("button", name="Go on").click()
    page.expected_errors.append("/options/")  # type: ignore[attr-defined]
    page.get_by_label("Consent").select_option("Newsletter")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("alert")).to_contain_text("Needed as proof of the consent.")
    page.get_by_label("Basis").fill("form at our stand")
    page.get_by_label("Where").fill("Hannover")
    page.get_by_label("When").fill("2026-04-20")
    look(page, "options")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Trying all rows. Nothing is changed.")).to_be_visible()
    look(page, "trying")
    work()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("no address")).to_be_visible()
    page.get_by_label("It is Amara Okafor").check()
    look(page, "check")
    page.get_by_role("button", name="Import 3 rows").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    work()
    expect(page.get_by_role("button", name="Undo")).to_be_visible(timeout=15_000)
    look(page, "done")
    with page.expect_download() as download:
        page.get_by_role("link", name="Refused rows, with reasons").click()
    assert "no address" in download.value.path().read_text()
    with tenant_scope(acme):
        assert Contact.objects.get(pk=known.pk).email == "amara@contoso.example"
        assert Contact.objects.count() == 3
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes, go on").click()
    expect(page.get_by_role("heading", name="Undo the import")).to_be_visible()
    work()
    expect(page.get_by_text("Taken back", exact=True)).to_be_visible(timeout=15_000)
    look(page, "undone")
    page.goto("/t/acme/company/jobs/")
    look(page, "jobs")
    page.goto("/t/acme/sales/imports/")
    look(page, "list")
    with tenant_scope(acme):
        assert Contact.objects.get().email == ""


def focus(page: Page, pattern: str, most: int = 120) -> None:
    """Press Tab until what is focused says so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "() => { const e = document.activeElement, l = e.labels && e.labels[0];"
            " const by = e.getAttribute('aria-labelledby');"
            " return [e.getAttribute('aria-label'), by && document.getElementById(by)?.textContent, l && l.textContent,"
            " e.textContent].filter(Boolean)[0] || '' }"
        )
        if re.search(pattern, said.strip()):
            return
    raise AssertionError(f"Tab never comes to {pattern}")


def test_a_file_is_imported_by_keyboard_alone(
    page: Page, file: Path, known: Contact, max_: Member, acme: Tenant, sign_in: SignIn
) -> None:
    sign_in(page, max_)
    page.goto("/t/acme/sales/imports/")
    page.keyboard.press("n")
    page.wait_for_url("**/imports/new/")
    focus(page, "^File")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(file)
    focus(page, "^Go on$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/columns/")
    focus(page, "^Title$")
    page.keyboard.press("Home")
    expect(page.get_by_role("combobox", name="Title")).to_have_value("")
    focus(page, "^Go on$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/options/")
    focus(page, "^Try it$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/check/")
    work()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible(timeout=15_000)
    focus(page, "^Somebody else")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("It is Amara Okafor")).to_be_checked()
    focus(page, "^Import 3 rows$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/*/")
    work()
    expect(page.get_by_role("button", name="Undo")).to_be_visible(timeout=15_000)
    with tenant_scope(acme):
        amara = Contact.objects.get(pk=known.pk)
        assert (amara.email, amara.job_title) == ("amara@contoso.example", "")
        assert Contact.objects.count() == 3
