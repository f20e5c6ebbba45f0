"""Every kind of page of a company with something in it: readable for everybody, in both themes, on narrow screens."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from insights import sample
from journeys.models import Journey
from leads.models import Lead
from messaging.models import Email
from scoring.models import ScoringModel
from segments.models import Segment
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot


@pytest.fixture
def owner(db: None) -> Member:
    """The owner of a small sample company that has lived through a week."""
    tenant = Tenant.objects.create(slug="acme", name="Acme", time_zone="Europe/Berlin", is_sample=True)
    sample.live(tenant, companies=6, contacts=16, weeks=1, per_week=6, is_fresh=False)
    return Member.objects.select_related("tenant", "user").get(tenant=tenant, role=Member.Role.OWNER)


def test_every_kind_of_page_is_readable_for_everybody(
    owner: Member, page: Page, sign_in: Callable[[Page, Member], None]
) -> None:
    with tenant_scope(owner.tenant):
        email, segment, journey = Email.objects.first(), Segment.objects.first(), Journey.objects.first()
        model, lead = ScoringModel.objects.first(), Lead.objects.first()
        assert email and segment and journey and model and lead  # noqa: PT018
    sign_in(page, owner)
    for path in (
        "insights/",
        "pages/",
        "emails/",
        f"emails/{email.pk}/",
        "emails/outbox/",
        "segments/",
        f"segments/{segment.pk}/",
        "segments/new/",
        "scoring/",
        f"scoring/{model.pk}/",
        "journeys/",
        f"journeys/{journey.pk}/",
        f"journeys/{journey.pk}/people/",
        f"sales/leads/{lead.pk}/",
    ):
        page.goto(f"/t/acme/{path}")
        screenshot(page, f"page-{path.strip('/').replace('/', '-')}")
        check_accessibility(page)
        check_reflow(page)
