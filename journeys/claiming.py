"""Locking the people whom a step is about to move."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, LiteralString

from django.db import connection
from psycopg.types.datetime import TimestamptzLoader

from journeys.models import Journey
from journeys.tiles.registry import Traveller

DUE: LiteralString = "person.due_at <= now()"
# What lets any number of workers claim at once, and what waits for them.
LOCK: LiteralString = "FOR UPDATE OF person SKIP LOCKED"
LOCK_PATIENTLY: LiteralString = "FOR UPDATE OF person"


def claim(
    journey: Journey,
    condition: LiteralString,
    params: dict[str, Any] | None = None,
    *,
    limit: int,
    is_patient: bool = False,
) -> list[Traveller]:
    """Lock active participants of a journey that fulfil `condition` (SQL over `person`), longest due first.

    Passes over those whom another worker holds, or waits for them (`is_patient`). Who may no longer take part comes
    with a reason. Index: participant_due (tenant, journey, due_at); one descent each for the contact and for its
    membership in the exclusion segment.
    """
    with connection.cursor() as cursor:
        # psycopg's own, in C: Django's is written in Python, and a batch brings tens of thousands of instants.
        cursor.cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(
            f"""SELECT person.id, person.tile, person.contact_id, person.lead_id, person.cause_id, person.depth,
                       person.entered_at, person.arrived_at, person.deadline_at,
                       person.deadline_xid, contact.time_zone, contact.country,
                       CASE WHEN contact.merged_into_id IS NOT NULL THEN 'merged'
                            WHEN NOT contact.is_active THEN 'inactive'
                            WHEN contact.consent_level < %(consent)s THEN 'consent'
                            WHEN %(exclusion)s IS NOT NULL AND EXISTS (
                              SELECT FROM segments_segmentmember excluded
                              WHERE excluded.segment_id = %(exclusion)s AND excluded.contact_id = contact.id)
                            THEN 'excluded' ELSE '' END
                FROM journeys_participant person CROSS JOIN LATERAL (
                  SELECT * FROM contacts_contact WHERE id = person.contact_id LIMIT 1) contact
                WHERE person.journey_id = %(journey)s AND person.state = 'active' AND {condition}
                ORDER BY person.due_at LIMIT %(limit)s
                {LOCK_PATIENTLY if is_patient else LOCK}""",
            {
                **(params or {}),
                "journey": journey.pk,
                "consent": journey.minimum_consent,
                "exclusion": journey.exclusion_segment_id,
                "limit": limit,
            },
        )
        return [Traveller(*row) for row in cursor.fetchall()]


def go_by_index() -> None:
    """Let this transaction's statements look rows up by key, whatever the statistics say.

    These lag behind an import or an enrolment, and a plan that reads a whole table for each person of a batch is
    quadratic (4,000 people in tables that had not been analysed: 3 s per batch). So the statements look up by
    `id = ANY(…)` and `LATERAL (… LIMIT 1)`, which no planner turns round.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


def as_array(ids: Iterable[int]) -> str:
    """Ids as PostgreSQL writes an array, to be cast; adapting thousands of numbers one by one takes far longer."""
    return "{" + ",".join(map(str, ids)) + "}"


def horizon() -> tuple[int, int, datetime]:
    """(id below which all transactions have ended, this transaction's id, its now())."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint, now()"
        )
        return cursor.fetchone()
