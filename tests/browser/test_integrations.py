"""Every page of the integrations with something in it: LinkedIn, Dynamics and webhooks, with names as long as they get.

They stand on a company of their own, which is made faster than a sample company, and nobody else's pages need it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from playwright.sync_api import Page

from contacts import people
from integrations.connections import runs
from integrations.dynamics import connecting
from integrations.linkedin import gaps, inbound, parsing, processing, setting_up, storing
from integrations.linkedin.responses import Named
from integrations.models import (
    AdAccount,
    AdCampaign,
    Attempt,
    Connection,
    CrmChange,
    Delivery,
    Endpoint,
    FieldMapping,
    LeadForm,
    LeadSubmission,
    Pace,
)
from integrations.sandbox import server
from integrations.sandbox.linkedin import LinkedIn, elements
from integrations.webhooks import bodies, endpoints
from leads import lifecycle
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.test_pages import LONG_ADDRESS, LONG_NAME, SPACES, Company, look_at

SignIn = Callable[[Page, Member], None]


@pytest.fixture
def company(acme: Tenant, ana: Member, settings: Any) -> Company:
    """Acme with each of its systems in trouble."""
    return Company(ana, {**linkedin(acme, ana), **dynamics(acme, ana, settings), **webhooks(acme, ana)})


def test_every_page_of_the_integrations_is_readable_for_everybody_and_fits_a_phone(
    company: Company, page: Page, sign_in: SignIn, client_of: Callable[..., Client]
) -> None:
    spaces = set(get_resolver(django_settings.TENANT_URLCONF).namespace_dict)
    assert spaces - set(chain.from_iterable(SPACES)) == {"integrations"}, "every space is looked at somewhere"
    paths = company.pages(client_of(company.owner), "integrations")
    assert len(paths) > 25
    page.expected_errors.append("422")  # type: ignore[attr-defined]
    sign_in(page, company.owner)
    look_at(page, paths)


def linkedin(acme: Tenant, ana: Member) -> dict[str, object]:
    """A connection that has read the built-in LinkedIn; nothing is asked for it."""
    world = LinkedIn("pages", "http://127.0.0.1:1/linkedin/pages").store
    with tenant_scope(acme):
        connection = setting_up.add_sandbox(by=ana)
        Connection.objects.filter(pk=connection.pk).update(
            name=LONG_NAME, state="needs_authorisation", reason=LONG_NAME
        )
        known = [Named(str(row.id), LONG_NAME, row.status, row.is_test) for row in world.accounts.values()]
        storing.keep_accounts(connection, known)
        AdAccount.objects.update(is_chosen=True, problem=LONG_NAME)
        for row in world.forms.values():
            storing.keep_form(connection, parsing.form(elements.form(row)))
        latest = sorted(world.responses.by_id.values(), key=lambda lead: -lead.submitted_at)[:30]
        storing.store(connection, [parsing.response(elements.response(world, lead, {})) for lead in latest], "api")
        sent = LeadSubmission.objects.exclude(is_test=True).exclude(answers=[]).earliest("pk")
        sent.answers = [*sent.answers, {"question": LONG_NAME, "text": LONG_ADDRESS}]
        sent.hidden_fields, sent.faults = {"utm_content": LONG_ADDRESS}, [LONG_NAME]
        sent.save()
        processing.process(connection)
        for account in AdAccount.objects.all():
            storing.keep_campaigns(account, [Named("1", LONG_NAME, "ACTIVE")])
            gaps.keep(account, {"1": 7}, sent.submitted_at.date(), sent.submitted_at.date())
        LeadForm.objects.update(name=LONG_NAME)
        AdCampaign.objects.update(name=LONG_NAME)
        inbound.open_inbox(connection, by=ana)
        run = runs.begin(connection, "pull", by=ana)
        runs.count(run, {"new": 30})
        runs.fail(run, LONG_NAME)
        return {"connection": connection.pk, "lead_form": sent.form_id, "sent": sent.pk}


def dynamics(acme: Tenant, ana: Member, settings: Any) -> dict[str, object]:
    """An environment that was tried out, shown as one that is no sandbox, with a parked change."""
    with server.start() as running:
        settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = running.url, [running.url]
        with tenant_scope(acme):
            connection = connecting.add_sandbox(by=ana)
        assert connecting.try_out(connection)
    with tenant_scope(acme):
        found = [{**connection.settings["findings"][0], "is_fine": False, "text": LONG_NAME}]
        connection.settings["findings"] += found
        connection.name, connection.is_sandbox, connection.state = LONG_NAME, False, Connection.State.ACTIVE
        connection.save()
        run = runs.begin(connection, "out", by=ana)
        runs.fail(run, LONG_NAME)
        Pace.objects.create(
            connection=connection, failure_count=1, reason=LONG_NAME, held_until=timezone.now() + timedelta(hours=1)
        )
        mapping = {"connection": connection, "entity": "lead"}
        source = FieldMapping.objects.create(**mapping, field="lead.source", remote="leadsourcecode")
        FieldMapping.objects.create(**mapping, field="lead.custom.gone", remote="new_gone")
        contact = people.create_contact({"first_name": LONG_NAME[:40], "email": LONG_ADDRESS})
        lead = lifecycle.create_lead(LONG_NAME, contact=contact, source="form")
        early = lifecycle.create_lead("Handed over before", contact=contact, source="call")
        lifecycle.hand_off(early, member=ana, is_told=False)
        change = CrmChange.objects.create(
            connection=connection,
            key=f"handoff:{connection.pk}:1",
            kind="handoff",
            entity="lead",
            object_id=lead.pk,
            fields=["lead.source"],
            state="parked",
            reason="unfit",
            error=LONG_NAME,
            attempt_count=1,
            attempts=[{"at": "2026-03-01T12:00:00Z", "outcome": "parked", "error": LONG_NAME}],
            finished_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        )
        keys = {"dynamics": connection.pk, "key": source.field, "change": change.pk}
        return {**keys, "entity": "lead", "lead": lead.pk}


def webhooks(acme: Tenant, ana: Member) -> dict[str, object]:
    """A webhook that fails, and a message of a journey's tile to it."""
    with tenant_scope(acme):
        url = f"https://hooks.example.com/{LONG_NAME.replace(' ', '-')}"
        endpoint, _secret = endpoints.add(url, ["email.clicked", "gone.kind"], description=LONG_NAME, by=ana)
        endpoints.rotate(endpoint, ana)
        Endpoint.objects.filter(pk=endpoint.pk).update(failure_count=3, failing_since=timezone.now())
        delivery = Delivery.objects.create(
            endpoint=endpoint,
            key="participant:1:root",
            uid=uuid4(),
            kind=bodies.FROM_JOURNEY,
            contact=people.create_contact({"first_name": LONG_NAME[:40]}),
            participant_id=1,
            tile="root",
            body=bodies.of_test(timezone.now()),
            state="failed",
            reason="rejected",
            attempt_count=1,
            finished_at=timezone.now(),
        )
        Attempt.objects.create(
            delivery=delivery, number=1, duration_ms=12_345, status=422, error=LONG_NAME, response=LONG_ADDRESS * 9
        )
        return {"endpoint": endpoint.pk, "delivery": delivery.pk, "participant": 1, "tile": "root"}
