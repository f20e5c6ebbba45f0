"""The components together on one page, as lists and records use them: readable in both themes, on any width."""

from collections.abc import Callable
from datetime import timedelta

from django.template import Context, Template
from django.utils import timezone
from playwright.sync_api import Page

from tenants.models import Member
from tenants.templatetags.ui import STAGE_TONES
from tests.browser.conftest import check_accessibility, check_reflow, screenshot

TONES = "blue azure indigo purple pink red orange yellow lime green teal cyan secondary".split()
KIT = """
{% page_header title="Contacts" %}<a class="btn" href="#">{% icon "upload" %}Import</a>
<a class="btn btn-primary" href="#">{% icon "plus" %}New contact</a>{% endpage_header %}
<div class="card mb-3">
  <div class="card-header"><ul class="nav nav-tabs card-header-tabs"><li class="nav-item"><a class="nav-link active" href="#">All</a></li>
  <li class="nav-item"><a class="nav-link" href="#">Hot this week {% badge 12 "red" %}</a></li></ul></div>
  <div class="table-responsive"><table class="table table-vcenter card-table table-cards">
  <thead><tr><th>Name</th><th>Account</th><th>Stage</th><th class="num">Score</th><th>12 weeks</th><th>Value</th><th>Last</th></tr></thead>
  <tbody>{% for name, stage in people %}<tr>
    <td><div class="d-flex align-items-center gap-2">{% avatar name %}<span class="min-w-0"><a href="#">{{ name }}</a><span class="d-block text-secondary small">Head of IT</span></span></div></td>
    <td data-label="Account">Tailspin Toys</td><td data-label="Stage">{% stage_badge stage stage|title %}</td>
    <td data-label="Score" class="num">{% score_badge 38 "C" %}</td><td data-label="12 weeks">{% sparkline weeks %}</td>
    <td data-label="Value">{% money 1250000 "EUR" %} {% bar 3 5 %}</td><td data-label="Last" class="text-secondary">{{ moment|ago }}</td>
  </tr>{% endfor %}</tbody></table></div>
  <div class="card-footer">{% for tone in tones %}{% badge tone tone "flag" %} {% endfor %}</div>
</div>
<div class="row row-cards"><div class="col-lg-7">{% card title="Timeline" icon="timeline" %}<ol class="trail">
  {% for tone in tones|slice:":5" %}{% trail_item "mail" moment tone=tone title="Clicked a link in Invitation" %}Because of <a href="#">this</a>{% endtrail_item %}{% endfor %}
</ol>{% endcard %}</div><div class="col-lg-5">{% card title="Why 68?" %}<div class="stat">68</div><dl class="row mb-0"><dt class="col-6">Owner</dt><dd class="col-6">R. Patel</dd></dl>
<div class="alert alert-info" role="note"><div>412 people are waiting here.</div></div>
<button class="btn btn-ghost-danger">Remove</button> <button class="btn btn-outline-danger">Delete</button> <button class="btn btn-ghost-secondary">Cancel</button>
<span class="status status-green"><span class="status-dot"></span>Subscribed</span> <span class="status status-red"><span class="status-dot"></span>Unsubscribed</span>
<div class="progress mt-2" role="progressbar" aria-label="Import" aria-valuenow="40" aria-valuemin="0" aria-valuemax="100"><div class="progress-bar" style="width: 40%"></div></div>{% endcard %}
<div class="card mt-3">{% empty "users" "No contacts yet" %}<p>Import a list, or add one by hand.</p><a class="btn btn-primary" href="#">Import</a>{% endempty %}</div></div></div>
"""


def test_the_components_are_readable_everywhere(
    page: Page, ana: Member, sign_in: Callable[[Page, Member], None]
) -> None:
    moment = timezone.now() - timedelta(hours=3)
    people = [(f"Amara Okafor {n}", stage) for n, stage in enumerate(STAGE_TONES)]
    context = {"people": people, "tones": TONES, "weeks": [3, 5, 2, 8, 1, 9], "moment": moment}
    html = Template(KIT).render(Context(context))
    sign_in(page, ana)
    page.evaluate("html => { document.getElementById('main').innerHTML = html }", html)
    screenshot(page, "kit-light")
    check_accessibility(page)
    screenshot(page, "kit-dark")
    check_reflow(page)
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "kit-phone")
