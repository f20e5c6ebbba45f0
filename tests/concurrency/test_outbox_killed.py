"""Senders are killed while they send: everybody gets the mail once, or it is listed as uncertain."""

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from contacts.models import Contact
from messaging import outbox, publishing
from messaging.designs import blocks
from messaging.models import ContentSettings, Email, Message
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.concurrency import processes
from tests.standins.smtp import MailServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
COUNT = 3_000
SENDERS = 2
CONNECTIONS = 2
State = Message.State


@pytest.fixture
def ordered(acme: Tenant) -> Tenant:
    """A tenant with a mail ordered for each of many contacts."""
    with tenant_scope(acme):
        ContentSettings.objects.create(
            name="Acme", is_default=True, from_name="Acme", from_email="news@acme.example", postal_address="Köln"
        )
        email = publishing.create("Receipt", designation=Email.Designation.TRANSACTIONAL)
        publishing.save_draft(email, subject="Hi", blocks=[blocks.new("heading", text="Dear {{ contact.email }}")])
        publishing.go_live(email, None)
        Contact.objects.bulk_create(
            Contact(email=f"p{number}@lead.example", consent_level=4) for number in range(COUNT)
        )
        outbox.order_select(
            """SELECT 'visit:' || id AS key, id AS contact_id, email AS address, %(email)s AS email_id, 2 AS priority,
                      NULL AS journey_id, '' AS tile, NULL AS participant_id, NULL AS expires_at
               FROM contacts_contact""",
            {"email": email.pk},
        )
    return acme


def send_under_fire(
    tenant: Tenant, folder: Path, signum: int, rounds: int, guard: str = ""
) -> tuple[Counter[str], dict[str, str]]:
    """(mails per address at the server, state per address) after senders were stopped at random moments."""
    with MailServer() as server:
        server.delay = 0.008
        senders = processes.killed_in_turns(
            lambda _: processes.start("tests.concurrency.post_office", tenant.pk, server.port, folder, guard),
            workers=SENDERS,
            rounds=rounds,
            rng=random.Random(11),
            signum=signum,
            between=(0.9, 1.4),
        )
        with processes.running(*senders):
            _wait_until_done(tenant)
        with tenant_scope(tenant):
            states = dict(Message.objects.values_list("address", "state"))
        return server.received(), states


def _wait_until_done(tenant: Tenant) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with tenant_scope(tenant):
            if not Message.objects.filter(state__in=(State.QUEUED, State.SENDING)).exists():
                return
        time.sleep(0.1)


@pytest.mark.parametrize(("signum", "rounds"), [(signal.SIGKILL, 12), (signal.SIGTERM, 8)])
def test_everybody_gets_the_mail_once_or_it_is_uncertain(
    ordered: Tenant, tmp_path: Path, signum: int, rounds: int
) -> None:
    received, states = send_under_fire(ordered, tmp_path, signum, rounds)
    uncertain = {address for address, state in states.items() if state == State.UNCERTAIN}
    assert set(states.values()) <= {State.SENT, State.UNCERTAIN}
    assert max(received.values()) == 1, "nobody got it twice"
    assert {address for address, state in states.items() if state == State.SENT} <= set(received), "sent means sent"
    allowed = rounds * CONNECTIONS if signum == signal.SIGKILL else 0
    # The survivors are killed at the end, when there is nothing left to send.
    assert len(uncertain) <= allowed


def test_control_without_the_journal_people_get_it_twice(ordered: Tenant, tmp_path: Path) -> None:
    received, _states = send_under_fire(ordered, tmp_path, signal.SIGKILL, 6, "without-journal")
    assert max(received.values()) > 1, "the journal is what keeps mails from being sent again"
