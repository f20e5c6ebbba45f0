"""Senders are stopped while they send: everybody gets the mail once, or it is listed as uncertain."""

import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from django.db import connection

from messaging import outbox, publishing
from messaging.designs import blocks
from messaging.models import ContentSettings, Email, Message
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.concurrency import post_office, processes
from tests.standins.smtp import MailServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
SENDERS, CONNECTIONS, ROUNDS = 2, 2, 20
MANY, FEW = 2_500, 200
State = Message.State


@pytest.fixture
def order(acme: Tenant) -> Callable[[int], Tenant]:
    """`order(200)`: Acme, with a mail ordered for each of so many contacts."""

    def make(count: int) -> Tenant:
        with tenant_scope(acme):
            ContentSettings.objects.create(
                name="Acme", is_default=True, from_name="Acme", from_email="news@acme.example", postal_address="Köln"
            )
            email = publishing.create("Receipt", designation=Email.Designation.TRANSACTIONAL)
            publishing.save_draft(email, subject="Hi", blocks=[blocks.new("heading", text="Dear {{ contact.email }}")])
            publishing.go_live(email, None)
            with connection.cursor() as cursor:
                cursor.execute(
                    """INSERT INTO contacts_contact (email, first_name, last_name, sort_key, job_title, phone, country,
                           city, time_zone, language, linkedin_url, external_id, source, consent_level, do_not_email,
                           do_not_bulk_email, do_not_phone, do_not_track, custom, is_active)
                       SELECT 'p' || n || '@lead.example', '', '', '', '', '', '', '', '', '', '', '', '', 4,
                           false, false, false, false, '{}', true FROM generate_series(1, %s) n""",
                    [count],
                )
            outbox.order_select(
                """SELECT 'visit:' || id AS key, id AS contact_id, email AS address, %(email)s AS email_id,
                          2 AS priority, NULL AS journey_id, '' AS tile, NULL AS participant_id, NULL AS expires_at
                   FROM contacts_contact""",
                {"email": email.pk},
            )
        return acme

    return make


def is_done(tenant: Tenant) -> bool:
    with tenant_scope(tenant):
        return not Message.objects.filter(state__in=(State.QUEUED, State.SENDING)).exists()


def check(tenant: Tenant, server: MailServer, *, uncertain: int) -> None:
    """Nobody got it twice, "sent" means sent, and at most so many are uncertain; there is nothing else."""
    with tenant_scope(tenant):
        states = dict(Message.objects.values_list("address", "state"))
    received = server.received()
    assert set(states.values()) <= {State.SENT, State.UNCERTAIN}
    assert max(received.values()) == 1, "nobody got it twice"
    assert set(received) <= set(states)
    assert {address for address, state in states.items() if state == State.SENT} <= set(received), "sent means sent"
    assert list(states.values()).count(State.UNCERTAIN) <= uncertain


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_senders_stopped_at_random_mail_everybody_once(
    order: Callable[[int], Tenant], tmp_path: Path, signum: int
) -> None:
    tenant = order(MANY)
    with MailServer() as server:
        server.delay = 0.004
        senders = processes.killed_in_turns(
            lambda: processes.start(post_office.send, tenant.pk, server.port, tmp_path, connections=CONNECTIONS),
            workers=SENDERS,
            rounds=ROUNDS,
            progress=lambda: len(server.mails),
            steps=(5, 60),
            total=MANY,
            signum=signum,
        )
        server.delay = 0
        with processes.running(*senders):
            processes.until(lambda: is_done(tenant), "the end of the queue")
        # The survivors are killed at the end, when there is nothing left to send.
        check(tenant, server, uncertain=ROUNDS * CONNECTIONS if signum == signal.SIGKILL else 0)


@pytest.mark.parametrize(
    ("point", "uncertain"),
    [
        ("messaging.claiming.claim:after", 0),
        ("messaging.sending.Run._claim:after", 0),
        ("messaging.making.make:after", 0),
        ("messaging.journal.Journal.attempt:before", 0),
        # From here on the final dot may have left, until the reply has been noted.
        ("messaging.journal.Journal.attempt:after", 1),
        ("messaging.journal.Journal.result:before", 1),
        ("messaging.journal.Journal.result:after", 0),
        ("messaging.outcomes.record:before", 1),
        ("messaging.outcomes.record:after", 1),
    ],
)
def test_a_sender_killed_between_any_two_steps_leaves_at_most_the_mail_at_hand_uncertain(
    order: Callable[[int], Tenant], tmp_path: Path, point: str, uncertain: int
) -> None:
    tenant = order(FEW)

    def sender(**how: str) -> ForkServerProcess:
        return processes.start(post_office.send, tenant.pk, server.port, tmp_path, connections=1, **how)

    with MailServer() as server:
        server.delay = 0.001
        for _ in range(ROUNDS):
            assert processes.end_of(sender(dies_at=point)) == -9, "it died where it should"
        with processes.running(sender()):
            processes.until(lambda: is_done(tenant), "the end of the queue")
        check(tenant, server, uncertain=ROUNDS * uncertain)


def test_control_without_the_journal_people_get_it_twice(order: Callable[[int], Tenant], tmp_path: Path) -> None:
    tenant = order(5)
    noted = "messaging.journal.Journal.result:after"
    with MailServer() as server:
        first = processes.start(post_office.send, tenant.pk, server.port, tmp_path, dies_at=noted)
        assert processes.end_of(first) == -9
        second = processes.start(post_office.send, tenant.pk, server.port, tmp_path, guard="without-journal")
        with processes.running(second):
            processes.until(lambda: is_done(tenant), "the end of the queue")
        assert max(server.received().values()) == 2, "the journal is what keeps mails from being sent again"
