"""The thread, lived through by people in a browser on a real installation: from a form to a lead that sales accepted.

Both ways that background work is done: Celery with Redis, and the one-process mode without.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE, screenshot
from tests.runtime import stack
from tests.runtime.stack import Installation

pytestmark = pytest.mark.crash
# A browser that says it is headless is taken for a machine, and rightly so.
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
PERSON = "Zoë Lindström"
ROBOTS = "See the picking robots"


@pytest.fixture(params=["with-redis", "without-redis"])
def installed(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """A running installation with the sample companies on their first day."""
    extra = {"ONWARD_NO_REDIS": "1"} if request.param == "without-redis" else {}
    with stack.installation(**extra) as made:
        made.start().wait_until_up()
        environ = {name: value for name, value in os.environ.items() if name not in stack.OURS}
        load = [sys.executable, "manage.py", "load_sample", "--fresh"]
        subprocess.run(load, cwd=made.folder, env=environ, check=True, stdout=subprocess.DEVNULL)
        yield made


@pytest.fixture
def somebody(installed: Installation, browser: Browser) -> Iterator[Callable[..., Page]]:
    """`somebody()` opens a browser of its own; `somebody("max")` signs Max in."""
    passwords = dict(line.split()[-2:] for line in (installed.folder / "var/sign-ins").read_text().splitlines())
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def enter(first_name: str = "") -> Page:
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{installed.port}", user_agent=USER_AGENT, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(f"{said.text} {said.location}") if said.type == "error" else None
        )
        if first_name:
            email = f"{first_name}@acme.example.com"
            page.goto("/accounts/login/")
            page.get_by_label("Email").fill(email)
            page.get_by_label("Password", exact=True).fill(passwords[email])
            page.keyboard.press("Enter")
            page.wait_for_url("**/t/acme/**")
        return page

    yield enter
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


def reload_until(page: Page, there: Callable[[], Any], patience: int = 300) -> None:
    """Look again, as a person does, until something has appeared."""
    for _ in range(patience):
        if there():
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(f"did not appear: {page.url}\n{page.inner_text('main')[:800]}")


def open_mail(marketer: Page, subject: str) -> None:
    """Find the newest caught mail to the person whose subject contains a text, and open it."""
    marketer.goto("/t/acme/emails/caught/")
    link = marketer.get_by_role("link", name=re.compile(subject)).first
    reload_until(marketer, link.count)
    link.click()


def click_in_mail(marketer: Page, label: str) -> Page:
    """Read the opened mail and click a link; returns the page that it leads to."""
    marketer.wait_for_timeout(2_500)  # whoever clicks at once is taken for a scanner
    with marketer.context.expect_page() as opened:
        marketer.frame_locator("iframe").get_by_role("link", name=label).click()
    page = opened.value
    page.wait_for_load_state("networkidle")
    return page


def test_from_a_form_to_a_lead_that_sales_accepted(somebody: Callable[..., Page]) -> None:
    # 1. Discover: a visitor fills in the form of a public page.
    visitor = somebody()
    visitor.goto("/p/acme/warehouse-guide/")
    visitor.get_by_label("Work e-mail").fill("zoe@lindstroem-lager.example.com")
    visitor.get_by_label("First name").fill("Zoë")
    visitor.get_by_label("Last name").fill("Lindström")
    visitor.get_by_label("Job title").fill("Head of Logistics")
    visitor.get_by_label("Company").fill("Lindström Lager AB")
    visitor.get_by_label(re.compile("Yes, send me")).check()
    visitor.get_by_role("button", name="Send me the guide").click()
    expect(visitor.get_by_role("heading", name="Thank you")).to_be_visible()

    # 2. Nurture: the welcome arrives, a click leads to the product's page, and the product's mail follows.
    marketer = somebody("max")
    open_mail(marketer, "two ways to a faster warehouse")
    product = click_in_mail(marketer, ROBOTS)
    expect(product.get_by_role("heading", name="Picking robots", level=1)).to_be_visible()
    open_mail(marketer, "Picking robots: what it would mean for Lindström Lager AB")
    click_in_mail(marketer, "More about picking robots")

    # The contact's page says it all: what she did, what she agreed to, what her score is made of.
    marketer.goto("/t/acme/audience/contacts/?q=lindström")
    marketer.get_by_role("link", name=PERSON).first.click()
    reload_until(marketer, marketer.get_by_text("Picking robots").count)
    for said in ("Head of Logistics", "Warehouse guide", "Newsletter and offers"):
        expect(marketer.get_by_text(said).first).to_be_visible()
    screenshot(marketer, "thread-contact")

    # 3 and 4. The score follows the clicks by itself; the lead is handed to a rep, who finds it on her day.
    rep = next_rep(somebody)
    expect(rep.get_by_role("heading", name=PERSON)).to_be_visible()
    expect(rep.get_by_text("Why call")).to_be_visible()
    screenshot(rep, "thread-my-day")
    rep.get_by_role("button", name="Accept").click()
    rep.goto("/t/acme/sales/leads/?q=lindström")
    rep.get_by_role("link", name=re.compile(PERSON)).first.click()
    expect(rep.get_by_text("Sales-accepted").first).to_be_visible()
    screenshot(rep, "thread-lead")
    rep.get_by_role("link", name="Log call").first.click()
    rep.get_by_label("Notes").fill("Wants an offer for two robots")
    rep.get_by_role("button", name=re.compile("Log")).last.click()
    rep.goto("/t/acme/sales/leads/?q=lindström")
    rep.get_by_role("link", name=re.compile(PERSON)).first.click()
    expect(rep.get_by_text("Wants an offer for two robots").first).to_be_visible()

    # The call that the journey planned is completed where it stands, and that leads back to the lead.
    planned = rep.get_by_role("link", name="Done: Call about picking robots")
    reload_until(rep, planned.count)
    planned.click()
    rep.get_by_label("Outcome").fill("Reached")
    rep.get_by_label("Notes").fill("Will send the floor plan")
    rep.get_by_role("button", name="Mark done").click()
    expect(rep.get_by_role("heading", name=PERSON)).to_be_visible()
    expect(rep.get_by_text("Will send the floor plan").first).to_be_visible()
    expect(planned).to_have_count(0)

    rep.get_by_role("link", name="Qualify", exact=True).click()
    rep.get_by_role("button", name="Qualify", exact=True).click()
    expect(rep.get_by_text("Sales-qualified").first).to_be_visible()

    # 5. See: the owner's home counts her among the qualified.
    owner = somebody("ana")
    row = owner.get_by_role("row", name=re.compile("Sales-qualified"))
    expect(row.get_by_role("link", name="1", exact=True)).to_be_visible()
    row.get_by_role("link", name="1", exact=True).click()
    expect(owner.get_by_text(PERSON).first).to_be_visible()


def next_rep(somebody: Callable[..., Page]) -> Page:
    """The rep whose turn it was, at her day."""
    reps = [somebody("sam"), somebody("nora")]
    for _ in range(300):
        for rep in reps:
            rep.goto("/t/acme/sales/my-day/")
            if rep.get_by_role("heading", name=PERSON).count():
                return rep
        reps[0].wait_for_timeout(1000)
    raise AssertionError("nobody was given the lead")
