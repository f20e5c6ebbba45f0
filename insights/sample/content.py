"""What the sample company says: pages, a form, e-mails; and what it asks for: purposes, segments, a scoring model."""

from dataclasses import dataclass
from typing import Any

from contacts.models import Purpose
from insights.sample.cast import Cast
from messaging import publishing as email_publishing
from messaging.designs.blocks import new
from messaging.models import ContentSettings, Email, EmailVersion
from pages import editing
from pages.models import Form, Page
from tenants.links import site_url

PRODUCTS = {
    "picking-robots": (
        "Picking robots",
        "Robots that fetch shelves and bring them to people: 3 picks become 10.",
        (
            (
                "Built for the aisles you have",
                "They follow the markings on your floor. No rails, no rebuilding, no standstill.",
            ),
            ("Start with two", "Two robots pay for a small warehouse. Add more when the season asks for it."),
        ),
    ),
    "smart-shelving": (
        "Smart shelving",
        "Shelves that know what lies in them, and order what is missing.",
        (
            ("Count without counting", "Scales in every shelf keep the stock right to the piece, day and night."),
            ("Talks to your system", "Orders, transfers and stocktaking go to the ERP that you already have."),
        ),
    ),
}
GUIDE = "warehouse-guide"


@dataclass(frozen=True)
class Content:
    """What the story needs to name."""

    purpose: Purpose
    guide: Page
    products: dict[str, Page]
    welcome: Email
    follow_ups: dict[str, Email]


def publish(cast: Cast) -> Content:
    """Make and publish everything, in the company's scope."""
    marketer = cast.members.get("max") or next(iter(cast.members.values()))
    tenant = cast.tenant
    purpose = Purpose.objects.create(
        key="newsletter", name="Newsletter and offers", description="About once a month.", is_default=True
    )
    Purpose.objects.create(key="events", name="Invitations to events")
    ContentSettings.objects.create(
        name="Default",
        is_default=True,
        from_name=tenant.name,
        from_email=f"hello@{tenant.slug}.example.com",
        reply_to=f"sales@{tenant.slug}.example.com",
        postal_address=f"{tenant.name}, Hafenstraße 12, 20457 Hamburg, Germany",
    )
    products = {slug: _product(slug, marketer) for slug in PRODUCTS}
    urls = {slug: site_url("public_pages:page", tenant.slug, slug) for slug in PRODUCTS}
    return Content(
        purpose,
        _guide(purpose, marketer),
        products,
        _email("Welcome: two ways to a faster warehouse", purpose, marketer, _welcome(urls)),
        {
            slug: _email(f"More about {PRODUCTS[slug][0].lower()}", purpose, marketer, _follow_up(slug, urls[slug]))
            for slug in PRODUCTS
        },
    )


def _guide(purpose: Purpose, by: Any) -> Page:
    rows = [("email", "Work e-mail", True), ("first_name", "First name", False), ("last_name", "Last name", False)]
    rows += [("job_title", "Job title", False), ("company", "Company", True), ("phone", "Phone", False)]
    form = Form.objects.create(
        name="Warehouse guide",
        fields=[{"key": key, "label": label, "is_required": is_required} for key, label, is_required in rows],
        consent=Form.Consent.OPTIONAL,
        purpose=purpose,
        consent_text="Yes, send me e-mails about warehouse automation. I can unsubscribe at any time.",
        lead_topic="Asked for the warehouse guide",
        submit_label="Send me the guide",
        success_text="The guide is on its way to your inbox.",
    )
    page = Page(name="Warehouse guide", slug=GUIDE, form=form)
    head = {
        "title": "The fast warehouse: a guide in 20 pages",
        "lead": "What 140 logistics teams changed first, what it cost them, and what they would not do again.",
        "button": "Get the guide",
    }
    sections = [
        {
            "heading": "Inside",
            "text": "- Layouts before and after\n- What to measure for a week before you buy anything",
        },
        {"heading": "Who wrote it", "text": "Our planners, with the teams whose halls you will see in it."},
    ]
    return _live(page, head, sections, by)


def _product(slug: str, by: Any) -> Page:
    name, lead, texts = PRODUCTS[slug]
    sections = [{"heading": heading, "text": text} for heading, text in texts]
    return _live(Page(name=name, slug=slug), {"title": name, "lead": lead, "button": ""}, sections, by)


def _live(page: Page, head: dict[str, str], sections: list[dict[str, str]], by: Any) -> Page:
    editing.save_page(page, head, sections, by=by)
    editing.go_live(page, by=by)
    return page


def _email(name: str, purpose: Purpose, by: Any, version: dict[str, Any]) -> Email:
    email = Email.objects.create(name=name, purpose=purpose)
    EmailVersion.objects.create(email=email, **version)
    email_publishing.go_live(email, by=by)
    return email


def _welcome(urls: dict[str, str]) -> dict[str, Any]:
    hello = "<p>Hello {{ contact.first_name | default('there') }},</p>"
    return {
        "subject": "{{ contact.first_name | default('Hello') }}, two ways to a faster warehouse",
        "preheader": "Robots that fetch, or shelves that count: which is yours?",
        "blocks": [
            new("heading", text="Two ways to a faster warehouse"),
            new("text", html=f"{hello}<p>Thank you for your interest. Most teams begin with one of these two:</p>"),
            new("button", label="See the picking robots", url=urls["picking-robots"]),
            new("button", label="See the smart shelving", url=urls["smart-shelving"]),
            new("text", html="<p>Just answer this mail if you want to talk to one of our planners.</p>"),
        ],
    }


def _follow_up(slug: str, url: str) -> dict[str, Any]:
    name, lead, _ = PRODUCTS[slug]
    company = "{{ account.name | default('your company') }}"
    return {
        "subject": f"{name}: what it would mean for {company}",
        "preheader": lead,
        "blocks": [
            new("heading", text=name),
            new("text", html=f"<p>{lead}</p><p>A short calculation for {company} takes us ten minutes.</p>"),
            new("button", label=f"More about {name.lower()}", url=url),
        ],
    }
