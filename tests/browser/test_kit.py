"""The components together on one page, as lists and records use them: readable in both themes, on any width."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.template import Context, Template
from django.utils import timezone
from playwright.sync_api import Page

from tenants.models import Member
from tenants.templatetags.ui import STAGE_TONES
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

TONES = [
    "blue",
    "azure",
    "indigo",
    "purple",
    "pink",
    "red",
    "orange",
    "yellow",
    "lime",
    "green",
    "teal",
    "cyan",
    "secondary",
]
KIT = Path(__file__).parent / "kit.html"


def test_the_components_are_readable_everywhere(
    page: Page, ana: Member, sign_in: Callable[[Page, Member], None]
) -> None:
    moment = timezone.now() - timedelta(hours=3)
    people = [(f"Amara Okafor {n}", stage) for n, stage in enumerate(STAGE_TONES)]
    context = {"people": people, "tones": TONES, "weeks": [3, 5, 2, 8, 1, 9], "moment": moment}
    html = Template(KIT.read_text()).render(Context(context))
    sign_in(page, ana)
    page.evaluate("html => { document.getElementById('main').innerHTML = html }", html)
    screenshot(page, "kit-light")
    check_accessibility(page)
    screenshot(page, "kit-dark")
    check_reflow(page)
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "kit-phone")
