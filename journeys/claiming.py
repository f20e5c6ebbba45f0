"""Locking the people whom a step is about to move."""

from typing import Any, LiteralString

from django.db import connection

from journeys.models import Journey
from journeys.tiles.registry import Traveller

DUE: LiteralString = "person.due_at <= now()"


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
        cursor.execute(
            f"""SELECT person.id, person.tile, person.contact_id, person.lead_id, person.cause_id, person.depth,
                       person.entered_at, person.arrived_at, coalesce(person.arrived_xid, 0), person.deadline_at,
                       person.deadline_xid, contact.time_zone, contact.country,
                       CASE WHEN contact.merged_into_id IS NOT NULL THEN 'merged'
                            WHEN NOT contact.is_active THEN 'inactive'
                            WHEN contact.consent_level < %(consent)s THEN 'consent'
                            WHEN %(exclusion)s IS NOT NULL AND EXISTS (
                              SELECT FROM segments_segmentmember excluded
                              WHERE excluded.segment_id = %(exclusion)s AND excluded.contact_id = contact.id)
                            THEN 'excluded' ELSE '' END
                FROM journeys_participant person JOIN contacts_contact contact ON contact.id = person.contact_id
                WHERE person.journey_id = %(journey)s AND person.state = 'active' AND {condition}
                ORDER BY person.due_at LIMIT %(limit)s
                FOR UPDATE OF person {"" if is_patient else "SKIP LOCKED"}""",
            {
                **(params or {}),
                "journey": journey.pk,
                "consent": journey.minimum_consent,
                "exclusion": journey.exclusion_segment_id,
                "limit": limit,
            },
        )
        return [Traveller(*row) for row in cursor.fetchall()]


def horizon() -> tuple[int, int]:
    """(id below which all transactions have ended, this transaction's id)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint"
        )
        return cursor.fetchone()
