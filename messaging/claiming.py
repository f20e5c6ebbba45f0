"""Claiming messages: a lease on the most urgent ones, with a last look at whether they may still go out."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Min
from django.db.models.functions import Now
from psycopg import sql

from messaging import eligibility, journal, outcomes
from messaging.eligibility import Reason
from messaging.models import Email, Message

State = Message.State
# How long a lease holds where its journal cannot be read (another machine); far above a run's budget.
LEASE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message on lease."""

    id: int
    key: str
    contact_id: int | None
    address: str
    email_id: int | None
    version_id: int | None
    content: dict[str, Any]


def claim(lease: UUID, limit: int) -> tuple[list[Claimed], bool]:
    """Lease up to `limit` due messages, most urgent first; those that may not go out are blocked on the way.

    Returns them, and whether as many were due as asked for (so that there may be more). Runs in the tenant's scope.
    Steps along message_queued (tenant, priority, next_attempt_at, id) and locks only what it takes: any number of
    senders may claim at once. The latest live version and the contact's present address are chosen here.
    """
    ids = _lock(limit)
    if not ids:
        return [], False
    _block(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE messaging_message message
               SET state = 'sending', lease_id = %(lease)s, leased_until = now() + make_interval(secs => %(lasts)s),
                   version_id = coalesce(live.id, message.version_id),
                   address = coalesce(nullif(contact.email, ''), message.address)
               FROM messaging_message own
               LEFT JOIN messaging_emailversion live ON live.email_id = own.email_id AND live.state = 'live'
                    AND own.contact_id IS NOT NULL
               LEFT JOIN contacts_contact contact ON contact.id = own.contact_id
               WHERE own.id = ANY(%(ids)s) AND message.id = own.id AND message.state = 'queued'
               RETURNING message.id, message.key, message.contact_id, message.address, message.email_id,
                         message.version_id, message.content::text, message.priority""",
            {"lease": lease, "lasts": LEASE_SECONDS, "ids": ids},
        )
        rows = sorted(cursor.fetchall(), key=lambda row: (row[-1], row[0]))
    return [_claimed(row) for row in rows], len(ids) == limit


def _claimed(row: tuple[Any, ...]) -> Claimed:
    id_, key, contact_id, address, email_id, version_id, content, _priority = row
    return Claimed(id_, key, contact_id, address, email_id, version_id, json.loads(content))


def next_due() -> datetime | None:
    """The next moment at which there is something to do: a message due later, or a lease that ends."""
    queued = Message.objects.filter(state=State.QUEUED, priority__in=Message.Priority.values)
    leased = Message.objects.filter(state=State.SENDING, leased_until__gt=Now())
    moments = [queued.aggregate(at=Min("next_attempt_at"))["at"], leased.aggregate(at=Min("leased_until"))["at"]]
    return min((moment for moment in moments if moment), default=None)


def settle_abandoned() -> int:
    """Settle the leases of dead senders by their journals; returns how many leases were settled. Run in the scope.

    Where no journal can be read (another machine's, or one of an earlier boot), what the dead sender held becomes
    uncertain, after its lease has ended: nothing says that it was not sent.
    """
    leases = Message.objects.filter(state=State.SENDING).order_by().values_list("lease_id", flat=True).distinct()
    return sum(_settle(lease) for lease in leases if lease)


def _settle(lease: UUID) -> bool:
    held = Message.objects.filter(state=State.SENDING, lease_id=lease)
    try:
        with journal.abandoned(lease) as account:
            if account is None:
                ended = list(held.filter(leased_until__lt=Now()).values_list("pk", flat=True))
                outcomes.doubt(lease, ended)
                return bool(ended)
            outcomes.record(lease, account.results)
            known = {result.message_id for result in account.results}
            outcomes.doubt(lease, sorted(account.attempted - known))
            outcomes.give_back(lease, list(held.values_list("pk", flat=True)))
    except BlockingIOError:
        return False  # its run is alive
    return True


def _lock(limit: int) -> list[int]:
    found: list[int] = []
    with connection.cursor() as cursor:
        for priority in sorted(Message.Priority.values):
            if len(found) >= limit:
                break
            cursor.execute(
                """SELECT id FROM messaging_message
                   WHERE state = 'queued' AND priority = %s AND next_attempt_at <= now()
                   ORDER BY next_attempt_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED""",
                [priority, limit - len(found)],
            )
            found += [id_ for (id_,) in cursor.fetchall()]
    return found


def _block(ids: list[int]) -> None:
    """Block what may not go out any more, and say so in the timeline."""
    blocked: list[int] = []
    for reason, condition in _CONDITIONS.items():
        blocked += _set_blocked(
            ids,
            sql.SQL("SELECT id, {} FROM messaging_message WHERE id = ANY({}) AND {}").format(
                sql.Literal(reason.value), sql.Literal(ids), sql.SQL(condition)
            ),
        )
    used = Message.objects.filter(pk__in=ids, contact__isnull=False).values_list("email_id", flat=True).distinct()
    for email in Email.objects.filter(pk__in=used.order_by()):
        targets = sql.SQL(
            """SELECT message.id AS target, message.contact_id, coalesce(contact.email, '') AS address
               FROM messaging_message message JOIN contacts_contact contact ON contact.id = message.contact_id
               WHERE message.id = ANY({}) AND message.email_id = {}"""
        ).format(sql.Literal(ids), sql.Literal(email.pk))
        blocked += _set_blocked(ids, eligibility.reasons(email, targets))
    outcomes.tell("email.blocked", blocked, with_reason=True)


def _set_blocked(ids: list[int], select: sql.Composable) -> list[int]:
    statement = sql.SQL(
        """UPDATE messaging_message message SET state = 'blocked', reason = found.reason, finished_at = now()
           FROM ({}) AS found (id, reason)
           WHERE message.id = found.id AND message.id = ANY({}) AND message.state = 'queued' RETURNING message.id"""
    ).format(select, sql.Literal(ids))
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [id_ for (id_,) in cursor.fetchall()]


_CONDITIONS = {
    Reason.EXPIRED: "expires_at < now()",
    # An e-mail without a contact is a test; otherwise its contact has been erased.
    Reason.INACTIVE: "email_id IS NOT NULL AND contact_id IS NULL AND NOT content ? 'as_contact'",
    Reason.NOT_LIVE: """contact_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM messaging_emailversion live
        WHERE live.email_id = messaging_message.email_id AND live.state = 'live')""",
    # One address, one mail per tile, however many contacts have had the address.
    Reason.DUPLICATE: """journey_id IS NOT NULL AND EXISTS (
        SELECT FROM messaging_message other
        WHERE other.journey_id = messaging_message.journey_id AND other.tile = messaging_message.tile
          AND other.address = messaging_message.address AND other.id < messaging_message.id
          AND other.contact_id <> messaging_message.contact_id
          AND other.state IN ('queued', 'sending', 'sent', 'uncertain'))""",
}
