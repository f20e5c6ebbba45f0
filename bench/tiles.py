"""P4: participants through an e-mail tile, visits and messages written; the floor is one statement per batch."""

from itertools import count
from pathlib import Path

from django.db import connection

from bench import mail
from bench.data import CHUNK, Company
from bench.harness import Result, interleaved, rounds, timed
from journeys import engine
from journeys.models import Journey, JourneyVersion, Participant
from messaging.models import Email
from tenants import wakeups
from tenants.scope import tenant_scope

BATCH = 5_000
FLOOR = """
WITH due AS (
    SELECT p.id, p.contact_id, c.email FROM journeys_participant p
    CROSS JOIN LATERAL (SELECT email FROM contacts_contact WHERE id = p.contact_id LIMIT 1) c
    WHERE p.journey_id = %(journey)s AND p.state = 'active' AND p.due_at <= now() AND p.tile = 'mail'
    LIMIT %(batch)s FOR UPDATE OF p SKIP LOCKED),
messages AS (
    INSERT INTO messaging_message (key, contact_id, address, email_id, journey_id, tile, participant_id)
    SELECT 'floor:' || id, contact_id, email, %(email)s, %(journey)s, 'mail', id FROM due ON CONFLICT DO NOTHING),
visits AS (
    INSERT INTO journeys_visit (journey_id, participant_id, contact_id, tile, outcome)
    SELECT %(journey)s, id, contact_id, 'mail', 'next' FROM due)
UPDATE journeys_participant p SET tile = 'wait', arrived_at = now(), due_at = now() + interval '3 days'
WHERE p.id = ANY(ARRAY(SELECT id FROM due))
"""


def measure(company: Company, folder: Path) -> list[Result]:
    """Everybody of the large tenant stands before the e-mail tile, and goes through it to a wait."""
    email = mail.live_email(company)
    numbers = count(1)
    product, floor = interleaved(
        lambda: _floor(company, email, f"Floor {next(numbers)}"),
        lambda: _product(company, email, f"Bench {next(numbers)}"),
        rounds(company.contacts),
    )
    with tenant_scope(company.tenant):
        assert not Participant.objects.filter(tile="mail").exists()
    return [
        Result(
            "P4",
            "participants through an e-mail tile",
            company.contacts,
            product,
            floor,
            "participants/s",
            wanted="ratio 2.5, 40,000/s",
        )
    ]


def _journey(name: str, state: str, email: Email) -> Journey:
    journey = Journey.objects.create(name=name, state=state)
    tiles = {
        "start": {"kind": "audience", "name": "", "settings": {}, "next": {"next": "mail"}},
        "mail": {"kind": "email", "name": "", "settings": {"email": email.pk}, "next": {"next": "wait"}},
        "wait": {"kind": "wait", "name": "", "settings": {"how": "for", "amount": 3, "unit": "days"}, "next": {}},
    }
    JourneyVersion.objects.create(journey=journey, state="live", tiles={"root": "start", "tiles": tiles})
    return journey


def _enter(company: Company, journey: Journey) -> None:
    """Everybody, a chunk per transaction."""
    with tenant_scope(company.tenant), connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM contacts_contact")
        first, last = cursor.fetchone()
    for after in range(first - 1, last, CHUNK):
        with tenant_scope(company.tenant), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO journeys_participant (journey_id, contact_id, tile)"
                " SELECT %s, id, 'mail' FROM contacts_contact WHERE id > %s AND id <= %s",
                [journey.pk, after, after + CHUNK],
            )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) journeys_participant")


def _floor(company: Company, email: Email, name: str) -> float:
    """In batches, each one statement and one transaction."""
    with tenant_scope(company.tenant):
        journey = _journey(name, "paused", email)
    _enter(company, journey)

    def work() -> None:
        moved = 1
        while moved:
            with tenant_scope(company.tenant), connection.cursor() as cursor:
                cursor.execute(FLOOR, {"batch": BATCH, "email": email.pk, "journey": journey.pk})
                moved = cursor.rowcount

    return timed(work)


def _product(company: Company, email: Email, name: str) -> float:
    """One worker of the engine."""
    with tenant_scope(company.tenant):
        journey = _journey(name, "live", email)
    _enter(company, journey)
    with tenant_scope(company.tenant):
        wakeups.announce(engine.QUEUE)

    def work() -> None:
        while wakeups.work(company.tenant.pk, engine.QUEUE, budget=600):
            pass

    return timed(work)
