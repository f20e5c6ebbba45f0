"""Claiming changes of the outbox: a lease on those whose turn it is.

The queue of a CRM has one worker per tenant at a time (`wakeups.queue`), so what is on lease when one begins was left
by a dead one. A worker that lost its session while it called finds its lease gone and records nothing.
"""

from datetime import datetime
from uuid import UUID

from django.db import connection as database
from django.db.models import F, Min

from integrations.models import Connection, CrmChange

State = CrmChange.State


def settle(connection: Connection) -> None:
    """Give back what a dead worker held: nobody knows how far it came. Index: change_leased."""
    CrmChange.objects.filter(connection=connection, state=State.SENDING).update(
        state=State.QUEUED, lease_id=None, is_uncertain=True
    )


def claim(connection: Connection, lease: UUID, limit: int) -> list[CrmChange]:
    """Lease up to `limit` due changes, the one that waits longest first. Index: change_queued."""
    with database.cursor() as cursor:
        cursor.execute(
            """UPDATE integrations_crmchange SET state = 'sending', lease_id = %(lease)s,
                      attempt_count = attempt_count + 1
               WHERE id IN (SELECT id FROM integrations_crmchange
                            WHERE connection_id = %(connection)s AND state = 'queued' AND next_attempt_at <= now()
                            ORDER BY next_attempt_at, id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
               RETURNING id""",
            {"lease": lease, "connection": connection.pk, "limit": limit},
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    return list(CrmChange.objects.filter(pk__in=ids).select_related("link").order_by("pk"))


def give_back(lease: UUID) -> None:
    """Return what a call that came to nothing was about: no attempt of its own, and perhaps it was carried out."""
    CrmChange.objects.filter(lease_id=lease, state=State.SENDING).update(
        state=State.QUEUED, lease_id=None, attempt_count=F("attempt_count") - 1, is_uncertain=True
    )


def next_due(connection: Connection) -> datetime | None:
    """When the next change is due. Index: change_queued."""
    waiting = CrmChange.objects.filter(connection=connection, state=State.QUEUED)
    return waiting.aggregate(at=Min("next_attempt_at"))["at"]
