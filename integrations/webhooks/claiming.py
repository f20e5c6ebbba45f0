"""Claiming deliveries: a lease on those whose turn it is.

Per contact and endpoint only the oldest unfinished delivery may go: one that waits for its next attempt holds those
behind it, and everybody else's go on. Any number of senders claim at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models import Delivery, Endpoint
from integrations.webhooks import reasons

State = Delivery.State
# Far above a call's deadline: whoever holds a lease for longer is dead.
LEASE_SECONDS = 60
# After so many failures in a row an endpoint is tried with one delivery at a time.
FAILURES_UNTIL_CAREFUL = 5
# How soon to look again at what a paused journey holds.
PAUSED_SECONDS = 30

# The oldest unfinished delivery of its contact at its endpoint. Index: delivery_ahead.
IS_FIRST: LiteralString = """(delivery.contact_id IS NULL OR NOT EXISTS (
    SELECT FROM integrations_delivery ahead
    WHERE ahead.endpoint_id = delivery.endpoint_id AND ahead.contact_id = delivery.contact_id
      AND ahead.state IN ('queued', 'sending') AND ahead.id < delivery.id))"""
# A paused journey holds what its tiles have ordered.
IS_HELD: LiteralString = """(delivery.journey_id IS NOT NULL AND EXISTS (
    SELECT FROM journeys_journey journey WHERE journey.id = delivery.journey_id AND journey.state = 'paused'))"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery on lease, with its endpoint if it has one."""

    id: int
    endpoint: Endpoint | None
    url: str
    uid: UUID
    body: dict[str, Any]
    attempt: int
    step: int
    participant_id: int | None
    tile: str

    @property
    def message_id(self) -> str:
        return f"msg_{self.uid.hex}"


def claim(lease: UUID, limit: int, busy: dict[int | None, int], per_endpoint: int) -> list[Claimed]:
    """Lease up to `limit` due deliveries, at most `per_endpoint` of one endpoint less those of it that are `busy`.

    So one slow receiver does not take all the sender's lines. Runs in the tenant's scope.
    """
    found: list[Claimed] = []
    for endpoint in _callable():
        pk = endpoint.pk if endpoint else None
        is_careful = endpoint is not None and endpoint.failure_count >= FAILURES_UNTIL_CAREFUL
        room = (1 if is_careful else per_endpoint) - busy.get(pk, 0)
        if (room := min(room, limit - len(found))) > 0:
            found += _lease(lease, endpoint, room)
    return found


def settle() -> None:
    """Give back what dead senders held; end what nobody waits for any more. Runs in the tenant's scope.

    Indexes: delivery_leased; delivery_of_participant, with one step into the participants per row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE integrations_delivery SET state = 'queued', lease_id = NULL, leased_until = NULL
               WHERE state = 'sending' AND id IN (
                 SELECT id FROM integrations_delivery WHERE state = 'sending' AND leased_until < now()
                 FOR NO KEY UPDATE SKIP LOCKED)"""
        )
        cursor.execute(
            """UPDATE integrations_delivery delivery SET state = 'cancelled', finished_at = now(),
                      reason = CASE WHEN person.state IN ('stopped', 'exited') THEN %(left)s ELSE %(expired)s END
               FROM journeys_participant person
               WHERE person.id = delivery.participant_id AND delivery.state = 'queued' AND delivery.id IN (
                 SELECT waiting.id FROM integrations_delivery waiting
                 JOIN journeys_participant person ON person.id = waiting.participant_id
                 WHERE waiting.state = 'queued' AND waiting.participant_id IS NOT NULL
                   AND (person.state IN ('stopped', 'exited') OR (waiting.is_awaited
                        AND (person.tile <> waiting.tile OR person.state <> 'active')))
                 FOR NO KEY UPDATE OF waiting SKIP LOCKED)""",
            {"left": reasons.LEFT, "expired": reasons.EXPIRED},
        )


def next_due() -> datetime | None:
    """The next moment at which there is something to do: an attempt, a lease that ends, an endpoint that is let go.

    What is due already and was not claimed is held by something that ends: a lease, or the attempt of what is ahead.
    Index: delivery_queued, one step per endpoint.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT min(moment) FROM (
                 SELECT greatest(next.next_attempt_at, endpoint.held_until) AS moment
                 FROM integrations_endpoint endpoint CROSS JOIN LATERAL (
                   SELECT next_attempt_at FROM integrations_delivery delivery
                   WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'queued'
                     AND (next_attempt_at > now() OR endpoint.held_until > now())
                   ORDER BY next_attempt_at LIMIT 1) next
                 WHERE endpoint.state = 'active'
                 UNION ALL SELECT min(next_attempt_at) FROM integrations_delivery
                   WHERE endpoint_id IS NULL AND state = 'queued' AND next_attempt_at > now()
                 UNION ALL SELECT min(leased_until) FROM integrations_delivery WHERE state = 'sending'
                 UNION ALL SELECT now() + make_interval(secs => {PAUSED_SECONDS}) WHERE EXISTS (
                   SELECT FROM integrations_delivery delivery
                   WHERE participant_id IS NOT NULL AND state = 'queued' AND {IS_HELD})) moments"""
        )
        return cursor.fetchone()[0]


def _callable() -> Iterator[Endpoint | None]:
    """The endpoints that may be called now, in random order; None stands for addresses without an endpoint."""
    yield None
    may = Endpoint.objects.filter(state=Endpoint.State.ACTIVE).filter(Q(held_until=None) | Q(held_until__lte=Now()))
    yield from may.order_by("?")


def _lease(lease: UUID, endpoint: Endpoint | None, limit: int) -> list[Claimed]:
    """Index: delivery_queued; per row one step each into delivery_ahead and, for a tile's, into its journey."""
    at_endpoint = "delivery.endpoint_id = %(endpoint)s" if endpoint else "delivery.endpoint_id IS NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH chosen AS (
                 SELECT id FROM integrations_delivery delivery
                 WHERE state = 'queued' AND {at_endpoint} AND next_attempt_at <= now() AND {IS_FIRST} AND NOT {IS_HELD}
                 ORDER BY next_attempt_at, id LIMIT %(limit)s FOR NO KEY UPDATE OF delivery SKIP LOCKED)
               UPDATE integrations_delivery delivery
               SET state = 'sending', lease_id = %(lease)s, attempt_count = attempt_count + 1,
                   leased_until = now() + make_interval(secs => %(lasts)s)
               FROM chosen WHERE delivery.id = chosen.id
               RETURNING delivery.id""",
            {
                "endpoint": endpoint.pk if endpoint else None,
                "limit": limit,
                "lease": lease,
                "lasts": LEASE_SECONDS,
            },
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    return [_claimed(row, endpoint) for row in Delivery.objects.filter(pk__in=ids).order_by("pk")] if ids else []


def _claimed(row: Delivery, endpoint: Endpoint | None) -> Claimed:
    return Claimed(
        id=row.pk,
        endpoint=endpoint,
        url=endpoint.url if endpoint else row.url,
        uid=row.uid,
        body=row.body,
        attempt=row.attempt_count,
        step=row.step,
        participant_id=row.participant_id,
        tile=row.tile,
    )
