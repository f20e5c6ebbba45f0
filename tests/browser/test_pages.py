"""Every page of a company with something in it: no complaint of the browser, readable in both themes, fits a phone.

The pages are found through the resolver, so that a new one is looked at without being named here.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, reverse
from playwright.sync_api import Page, expect

from contacts import people
from contacts.models import Field, MatchAmbiguity, Purpose
from insights import sample
from journeys.models import JourneyVersion, Participant
from leads.importing import running
from leads.models import Activity, Lead, Opportunity, Territory
from messaging import suppressing
from messaging.models import CaughtMail, ContentSettings, Email, Message
from pages.models import Form, Submission
from pages.models import Page as WebPage
from scoring import drafting
from scoring.models import ScoringModel
from segments.models import SegmentMember
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot
from tests.leads.files import as_csv, begin, go

# Other views of the resolver's pages; {…} are keys of `Company`.
MORE = {
    "contacts": (
        "/audience/contacts/?q=nobody-is-called-that",
        "/audience/contacts/?owner=me&consent=none&order=score",
        "/audience/duplicates/compare/?keep={contact}&other={other}",
    ),
    "segments": ("/segments/?state=archived", "/segments/new/?kind=static"),
    "messaging": (
        "/emails/?archived=1",
        "/emails/{email}/edit/?block={block}&look=phone&as=longest",
        "/emails/outbox/?state=sent",
        "/emails/outbox/?state=uncertain",
    ),
    "scoring": ("/scoring/{live_model}/", "/scoring/{live_model}/test/?lead={lead}"),
    "leads": (
        "/sales/leads/?tab=all",
        "/sales/activities/?whose=all&tab=done",
        "/sales/calls/new/?lead={lead}",
        "/sales/leads/bulk/?action=disqualify&ids={lead}",
    ),
    "journeys": ("/journeys/{journey}/people/?state=done",),
    "integrations": (
        "/integrations/linkedin/submissions/?since=1999-01-01&until=1999-01-01",
        "/integrations/dynamics/{dynamics}/changes/?state=parked",
        "/integrations/webhooks/{endpoint}/?state=failed",
    ),
}
# What answers a GET with a piece of a page for a swap, or with a picture of somebody else's page.
PIECES = {
    # Asked about without leads it finds nothing; with one it is among the others.
    "leads:bulk",
    *("tenants:bell", "contacts:companies", "contacts:timeline", "segments:history", "segments:candidates"),
    *("integrations:linkedin_export", "integrations:linkedin_figures"),
    *("contacts:export", "contacts:export_accounts", "leads:export", "tenants:job_file", "tenants:job_progress"),
    *("messaging:preview", "messaging:caught_body", "pages:preview", "leads:find", "scoring:progress"),
    *("integrations:linkedin_progress", "integrations:linkedin_back", "integrations:dynamics_progress"),
}
# What an argument is: a `pk` by the address's name, else by its space; another by both names where its own misleads.
OBJECTS = {
    "leads:act key": "action",
    **dict.fromkeys(("contacts:account", "contacts:edit_account", "contacts:account_people"), "account"),
    **{"contacts": "contact", "contacts:give_role": "account", "contacts:field": "field"},
    **dict.fromkeys(("contacts:purpose", "contacts:default_purpose", "contacts:delete_purpose"), "purpose"),
    **{"segments": "segment", "tenants:member": "colleague", "journeys": "journey", "journeys:trace": "person"},
    **{"messaging": "email", "messaging:of_contact": "contact", "messaging:caught": "mail"},
    **{"messaging:content": "sender", "pages": "page", "pages:form_edit": "form", "pages:submissions": "form"},
    **{"pages:submission": "submission", "leads": "lead", "leads:complete": "activity"},
    **dict.fromkeys(("tenants:job", "tenants:job_progress", "tenants:job_file"), "job"),
    **{"tenants:job_file key": "refused", "leads:territory": "territory"},
    **dict.fromkeys(("leads:import_columns", "leads:import_options", "leads:import_check"), "batch"),
    **{"leads:opportunity": "opportunity", "scoring": "model", "scoring:row": "row"},
    **{"integrations": "connection", "integrations:linkedin_submission": "sent"},
    **dict.fromkeys(("integrations:linkedin_form_mapping", "integrations:linkedin_forget_mapping"), "lead_form"),
    **dict.fromkeys(
        (
            *("integrations:dynamics", "integrations:dynamics_edit", "integrations:dynamics_fields"),
            *("integrations:dynamics_field", "integrations:dynamics_field_new", "integrations:dynamics_members"),
            *("integrations:dynamics_rules", "integrations:dynamics_changes", "integrations:dynamics_progress"),
        ),
        "dynamics",
    ),
    "integrations:dynamics_change": "change",
    **dict.fromkeys(("integrations:endpoint", "integrations:endpoint_edit"), "endpoint"),
    "integrations:delivery": "delivery",
}
# Each is looked at with a company of its own, whose making takes longer than a few pages do. What is not here is looked
# at in test_integrations.
SPACES = (("insights", "tenants", "contacts", "leads"), ("segments", "messaging", "pages", "scoring", "journeys"))
LONG_NAME = "Maximiliana Konstantina von und zu Hohenzollern-Sigmaringen-Donaueschingen-Baden"
LONG_ADDRESS = "maximiliana.konstantina.hohenzollern-sigmaringen@example.com"


@dataclass(frozen=True)
class Company:
    """A company, its owner, and what its addresses are filled with."""

    owner: Member
    keys: dict[str, object]

    def pages(self, client: Client, space: str, prefix: str = "") -> list[str]:
        """The paths of all pages of a space (those whose names begin with `prefix`) that answer a GET by themselves."""
        found = []
        resolver = get_resolver(settings.TENANT_URLCONF).namespace_dict[space][1]
        for name in sorted({pattern.name for pattern in resolver.url_patterns if pattern.name.startswith(prefix)}):
            params = resolver.reverse_dict.getlist(name)[0][0][0][1]
            key = f"{space}:{name}"
            values = {param: self.keys[OBJECTS.get(f"{key} {param}", param)] for param in params if param != "pk"}
            if "pk" in params:
                values["pk"] = self.keys[OBJECTS.get(key) or OBJECTS.get(space, "contact")]
            answer = client.get(path := reverse(key, urlconf=settings.TENANT_URLCONF, kwargs=values))
            if answer.status_code not in (302, 405) and key not in PIECES:
                # 422: a page that asks for something first, and says so.
                assert answer.status_code in (200, 422), f"{key} {path}: {answer.status_code}"
                found.append(path)
        return [*found, *(path.format(**self.keys) for path in MORE.get(space, ()))]


@pytest.fixture
def company(db: None) -> Company:
    """A small sample company that has lived through a week, with names as long as they get."""
    tenant = Tenant.objects.create(slug="acme", name="Acme", time_zone="Europe/Berlin", is_sample=True)
    sample.live(tenant, companies=4, contacts=10, weeks=1, per_week=4, is_fresh=False)
    owner = Member.objects.select_related("tenant", "user").get(tenant=tenant, role=Member.Role.OWNER)
    batch = begin(tenant, as_csv([["E-Mail", "Last name"], [LONG_ADDRESS, LONG_NAME], ["nobody", "Nobody"]]))
    go(tenant, batch, running.TRIAL)
    job = go(tenant, begin(tenant, as_csv([["E-Mail", "Name"], ["ida@import.example", LONG_NAME]]), name="more.csv"))
    with tenant_scope(tenant):
        first, _space, last = LONG_NAME.partition(" ")
        account = people.create_account({"name": f"{last} Gesellschaft mit beschränkter Haftung", "city": last[:60]})
        contact = people.create_contact(
            {"first_name": first, "last_name": last, "email": LONG_ADDRESS, "job_title": LONG_NAME}, account=account
        )
        other = people.create_contact({"first_name": first, "last_name": last, "email": f"x.{LONG_ADDRESS}"})
        field = Field.objects.create(entity="contact", key="plan", label=LONG_NAME, type="text")
        raw = "Subject: Caught\r\nContent-Type: text/html\r\n\r\n<html><head></head><body>Hello</body></html>"
        mail = CaughtMail.objects.create(sender="a@b.example", recipient=LONG_ADDRESS, subject=LONG_NAME, raw=raw)
        suppressing.suppress(f"gone.{LONG_ADDRESS}", detail=LONG_NAME, by=owner)
        MatchAmbiguity.objects.create(chosen=contact, others=[other.pk], reason="the same phone")
        uncertain = Message.objects.filter(state="sent").earliest("pk")
        Message.objects.filter(pk=uncertain.pk).update(state="uncertain", reason="no_reply")
        lead = Lead.objects.exclude(contact=None).earliest("pk")
        activity = Activity.objects.create(lead=lead, kind="call", subject=LONG_NAME, owner=owner)
        opportunity = Opportunity.objects.create(lead=lead, contact=lead.contact, name=LONG_NAME, owner=owner)
        model = ScoringModel.objects.get()
        draft = drafting.draft_of(model, owner)
        version = JourneyVersion.objects.filter(state="live").select_related("journey").latest("pk")
        membership = SegmentMember.objects.select_related("segment").earliest("pk")
        colleagues = Member.objects.filter(tenant=tenant).exclude(pk=owner.pk)
        email = Email.objects.earliest("pk")
        rows = {
            **{"contact": contact, "other": other, "account": account, "field": field, "mail": mail, "lead": lead},
            **{"activity": activity, "opportunity": opportunity, "live_model": model, "model": draft, "email": email},
            **{"journey": version.journey, "segment": membership.segment, "row": draft.rules.earliest("pk")},
            **{"person": Participant.objects.earliest("pk"), "sender": ContentSettings.objects.get()},
            **{"batch": batch, "job": job},
            **{"territory": Territory.objects.create(name=LONG_NAME, countries=["DE", "AT"])},
            **{"purpose": Purpose.objects.filter(is_default=False).earliest("pk")},
            **{"form": Form.objects.earliest("pk"), "page": WebPage.objects.earliest("pk")},
            **{"submission": Submission.objects.earliest("pk"), "colleague": colleagues.earliest("pk")},
        }
        block = email.versions.get(state="live").blocks[0]["id"]
    texts = {
        "subject": "contact",
        "what": "sent",
        "action": "disqualify",
        "refused": "refused",
        "block": block,
        "contact_pk": membership.contact_id,
    }
    keys = {name: row.pk for name, row in rows.items()}
    return Company(owner, {**keys, **texts, "key": version.tiles["root"]})


@pytest.mark.parametrize("spaces", SPACES)
def test_every_page_is_readable_for_everybody_and_fits_a_phone(
    spaces: tuple[str, ...],
    company: Company,
    page: Page,
    sign_in: Callable[[Page, Member], None],
    client_of: Callable[..., Client],
) -> None:
    found = [company.pages(client_of(company.owner), space) for space in spaces]
    assert all(found)
    page.expected_errors.append("422")  # type: ignore[attr-defined]
    sign_in(page, company.owner)
    look_at(page, chain.from_iterable(found))


def look_at(page: Page, paths: Iterable[str]) -> None:
    """Each of Acme's pages in both themes and on a phone."""
    for path in paths:
        page.goto(f"/t/acme{path}")
        expect(page.get_by_role("main")).to_be_visible()
        screenshot(page, re.sub(r"\W+", "-", path).strip("-"))
        check_accessibility(page)
        check_reflow(page)


def test_a_visitor_fills_in_a_form(company: Company, page: Page) -> None:
    with tenant_scope(company.owner.tenant):
        guide = WebPage.objects.exclude(form=None).earliest("pk")
    page.expected_errors.append("422")  # type: ignore[attr-defined]
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(f"/p/acme/{guide.slug}/")
        check_accessibility(page)
    check_reflow(page)
    button = page.locator("form.panel button")
    page.get_by_label("First name").fill(LONG_NAME[:90])
    button.click()
    expect(page.get_by_label("First name")).to_have_value(LONG_NAME[:90])
    expect(page.get_by_label("Work e-mail")).to_have_attribute("aria-invalid", "true")
    screenshot(page, "public-page-refused")
    check_accessibility(page)
    check_reflow(page)
    page.get_by_label("Work e-mail").fill(f"second.{LONG_ADDRESS}")
    page.get_by_label("Company").fill("Tailspin Toys")
    button.click()
    page.wait_for_url(re.compile("/thanks/"))
    screenshot(page, "public-page-thanks")
    check_accessibility(page)
    check_reflow(page)
