"""Tests in a real browser: the system's Chromium against a live server of this process.

`page` fails its test on any console error, page error, or request to another host. `sign_in(page, member)` skips the
sign-in form; `check_accessibility(page)` runs axe in both themes; `check_reflow(page)` looks for sideways scrolling.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

from config.run import NO_BROWSER, browser

if TYPE_CHECKING:  # this file is read before Django is set up
    from tenants.models import Member

# Playwright keeps an event loop in this thread; Django takes that for asynchronous code, which it is not.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

AXE = Path(__file__).parent / "vendor/axe.min.js"
# Milliseconds that anything may take on a machine that has much else to do.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    program = browser()
    assert program, NO_BROWSER.format("fail")
    return {**browser_type_launch_args, "executable_path": program, "args": [*quiet, "--no-first-run"]}


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], live_server: Any) -> dict[str, Any]:
    size = {"width": 1440, "height": 900}
    return {**browser_context_args, "base_url": live_server.url, "viewport": size, "reduced_motion": "reduce"}


@pytest.fixture
def page(context: BrowserContext, live_server: Any) -> Iterator[Page]:
    """A page whose every complaint fails the test. Expected ones: append the address to `page.expected_errors`."""
    complaints: list[str] = []
    host = urlsplit(live_server.url).netloc

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text + str(message.location) for part in expected):
            complaints.append(f"console: {message.text} {message.location.get('url', '')}")

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.netloc != host:
            complaints.append(f"request to another host: {request.url}")

    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    expected: list[str] = []
    page.expected_errors = expected  # type: ignore[attr-defined]
    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    page.on("request", on_request)
    yield page
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def sign_in(live_server: Any) -> "Callable[[Page, Member], None]":
    """Sign a member in and open her company's preferences, a page that everybody has."""

    def into(page: Page, member: "Member") -> None:
        client = Client()
        client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page.goto(f"/t/{member.tenant.slug}/company/preferences/")

    return into


def check_accessibility(page: Page) -> None:
    """WCAG 2.0 to 2.2, A and AA, in both themes: no violation. The themes differ in nothing but colours."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text())
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    for theme, rules in (("light", tags), ("dark", ["color-contrast", "link-in-text-block"])):
        page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
        found = page.evaluate(
            "rules => axe.run({ runOnly: rules, resultTypes: ['violations'] }).then(result => result.violations)", rules
        )
        told = [f"{v['id']} ({theme}): {n['html']} {n['failureSummary']}" for v in found for n in v["nodes"]]
        assert not told, "\n".join(told)


def check_reflow(page: Page, width: int = 320) -> None:
    """No sideways scrolling of the page on a narrow screen."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 800})
    widest = page.evaluate(
        "() => document.documentElement.scrollWidth <= window.innerWidth ? '' :"
        " [...document.body.querySelectorAll('*')]"
        ".filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)"
        ".map(e => e.outerHTML.slice(0, 120)).slice(0, 3).join('\\n')"
    )
    assert not widest, widest
    if before:
        page.set_viewport_size(before)


def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the page in the folder that SCREENSHOTS names, if it names one."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")
