"""Claiming looks rows up by key, also in tables of which the planner knows nothing yet."""

from collections import Counter
from uuid import uuid4

import pytest
from django.db import connection

from contacts.models import Consent, Contact
from messaging import claiming, outbox, outcomes, publishing
from messaging.designs import blocks
from messaging.journal import Result
from messaging.models import Message
from tenants import wakeups
from tenants.postgres import statistics
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
COUNT, BATCH = 4_000, 100


def rows_read() -> Counter[str]:
    """How many rows of each table this connection has read lately, by whatever plan."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"
            " WHERE relname LIKE 'messaging%' OR relname LIKE 'contacts%'"
        )
        return Counter(dict(cursor.fetchall()))


@pytest.fixture
def crowd(acme, email, max_, newsletter) -> None:
    """A mail for each of very many new contacts; every tenth has not agreed to it."""
    with tenant_scope(acme), connection.cursor() as cursor:
        publishing.save_draft(email, subject="Hello", blocks=[blocks.new("text", html="Hello")])
        publishing.go_live(email, max_)
        cursor.execute(
            """INSERT INTO contacts_contact (email, first_name, last_name, sort_key, job_title, phone, country,
                   city, time_zone, language, linkedin_url, external_id, source, consent_level, do_not_email,
                   do_not_bulk_email, do_not_phone, do_not_track, custom, is_active)
               SELECT 'p' || n || '@lead.example', '', '', '', '', '', '', '', '', '', '', '', '',
                   CASE WHEN n %% 10 = 0 THEN 0 ELSE 4 END, false, false, false, false, '{}', true
               FROM generate_series(1, %s) n""",
            [COUNT],
        )
        Consent.objects.bulk_create(
            Consent(contact_id=pk, purpose=newsletter, channel="email", state="granted", level=4, source="test")
            for pk in Contact.objects.filter(consent_level=4).values_list("pk", flat=True)
        )
        outbox.order_select(
            """SELECT 'visit:' || id AS key, id AS contact_id, email AS address, %(email)s AS email_id,
                      3 AS priority, 7 AS journey_id, 'mail' AS tile, NULL AS participant_id, NULL AS expires_at
               FROM contacts_contact""",
            {"email": email.pk},
        )
    forget_statistics("messaging_message", "contacts_contact", "contacts_consent")


def forget_statistics(*tables: str) -> None:
    """Let the planner know nothing of these tables, whatever other tests' companies have left in the statistics."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pg_clear_attribute_stats('public', attrelid::regclass::name, attname, false)
               FROM pg_attribute WHERE attrelid = ANY(%s::regclass[]) AND attnum > 0 AND NOT attisdropped""",
            [list(tables)],
        )


def test_a_batch_costs_no_more_however_many_wait(acme, crowd) -> None:
    before = rows_read()
    lease = uuid4()
    with tenant_scope(acme):
        claimed, is_full = claiming.claim(lease, BATCH)
    assert is_full
    assert len(claimed) == BATCH * 9 // 10, "one in ten is blocked"
    ids = [message.id for message in claimed]
    with tenant_scope(acme):
        outcomes.record(lease, [Result(id_, "sent", 250, "") for id_ in ids[:70]])
        outcomes.record(lease, [Result(id_, "later", 451, "") for id_ in ids[70:80]])
        outcomes.record(lease, [Result(id_, "hard", 550, "") for id_ in ids[80:]])
    read = rows_read() - before
    assert read["messaging_message"] >= BATCH
    # A few looks at each message of the batch, and none at the others.
    assert max(read.values()) <= 15 * BATCH, read


def test_sending_lets_the_planner_know_of_the_company_that_has_a_crowd_to_write_to(acme, crowd, server) -> None:
    with tenant_scope(acme):
        Message.objects.filter(pk__gt=Message.objects.order_by("pk")[2 * statistics.MANY].pk).delete()
        assert statistics.believed_count(Message.objects.all()) < statistics.FEW
    wakeups.run_due()
    assert len(server.mails) > statistics.MANY
    with tenant_scope(acme):
        assert statistics.believed_count(Message.objects.all()) > statistics.FEW
