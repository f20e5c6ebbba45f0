"""Claiming messages: a lease on the most urgent ones, with a last look at whether they may still go out."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Min
from django.db.models.functions import Now
from psycopg import sql

from messaging import eligibility, figures, journal, outcomes
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


class _Locked(NamedTuple):
    id: int
    contact_id: int | None
    email_id: int | None


def claim(lease: UUID, limit: int) -> tuple[list[Claimed], bool]:
    """Lease up to `limit` due messages, most urgent first; those that may not go out are blocked on the way.

    Returns them, and whether as many were due as asked for (so that there may be more). Runs in the tenant's scope.
    Steps along message_queued (tenant, priority, next_attempt_at, id) and locks only what it takes: any number of
    senders may claim at once. The latest live version and the contact's present address are chosen here.
    """
    locked = _lock(limit)
    if not locked:
        return [], False
    _block(locked)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE messaging_message message
               SET state = 'sending', lease_id = %(lease)s, leased_until = now() + make_interval(secs => %(lasts)s),
                   version_id = coalesce((SELECT live.id FROM messaging_emailversion live
                                          WHERE live.email_id = message.email_id AND live.state = 'live'
                                            AND message.contact_id IS NOT NULL), version_id),
                   address = coalesce((SELECT nullif(contact.email, '') FROM contacts_contact contact
                                       WHERE contact.id = message.contact_id), address)
               WHERE id = ANY(%(ids)s) AND state = 'queued'
               RETURNING id, key, contact_id, address, email_id, version_id, content::text, priority""",
            {"lease": lease, "lasts": LEASE_SECONDS, "ids": [row.id for row in locked]},
        )
        rows = sorted(cursor.fetchall(), key=lambda row: (row[-1], row[0]))
    return [_claimed(row) for row in rows], len(locked) == limit


def _claimed(row: tuple[Any, ...]) -> Claimed:
    id_, key, contact_id, address, email_id, version_id, content, _priority = row
    return Claimed(id_, key, contact_id, address, email_id, version_id, json.loads(content) if content != "{}" else {})


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


def _lock(limit: int) -> list[_Locked]:
    found: list[_Locked] = []
    with connection.cursor() as cursor:
        for priority in sorted(Message.Priority.values):
            if len(found) >= limit:
                break
            cursor.execute(
                """SELECT id, contact_id, email_id FROM messaging_message
                   WHERE state = 'queued' AND priority = %s AND next_attempt_at <= now()
                   ORDER BY next_attempt_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED""",
                [priority, limit - len(found)],
            )
            found += [_Locked(*row) for row in cursor.fetchall()]
    return found


def _block(locked: list[_Locked]) -> None:
    """Block what may not go out any more, and say so in the timeline."""
    reasons = _reasons_of_messages([row.id for row in locked])
    reasons |= {id_: reason for id_, reason in _reasons_of_contacts(locked) if id_ not in reasons}
    if not reasons:
        return
    by_reason: dict[str, list[int]] = defaultdict(list)
    for id_, reason in reasons.items():
        by_reason[reason].append(id_)
    with connection.cursor() as cursor:
        # By primary key, whatever the planner (does not) know of the table: a join might read all of it per batch.
        cursor.executemany(
            """UPDATE messaging_message message
               SET state = 'blocked', reason = %s, finished_at = now(),
                   -- of a contact who was erased while the message was ordered nothing is kept
                   address = CASE WHEN contact_id IS NOT NULL AND NOT EXISTS (
                       SELECT FROM contacts_contact contact WHERE contact.id = message.contact_id)
                     THEN '' ELSE address END
               WHERE id = ANY(%s) AND state = 'queued'""",
            list(by_reason.items()),
        )
    figures.count(figures.BLOCKED, list(reasons))
    outcomes.tell("email.blocked", list(reasons), with_reason=True)


def _reasons_of_messages(ids: list[int]) -> dict[int, str]:
    """What stops messages whoever they are for. Per message an index step each into the versions and, in a journey,
    into message_of_tile (tenant, journey_id, tile, address); as expressions, so that they are never made joins."""
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGE_REASONS, [ids])
        return dict(cursor.fetchall())


def _reasons_of_contacts(locked: list[_Locked]) -> Iterator[tuple[int, str]]:
    """What stops messages because of their contacts, by the one definition in `eligibility`."""
    of_contacts = [row for row in locked if row.contact_id is not None]
    for email in Email.objects.filter(pk__in={row.email_id for row in of_contacts}):
        rows = [row for row in of_contacts if row.email_id == email.pk]
        targets = sql.SQL("SELECT * FROM unnest({}::bigint[], {}::bigint[]) AS given (target, contact_id)").format(
            sql.Literal([row.id for row in rows]), sql.Literal([row.contact_id for row in rows])
        )
        with connection.cursor() as cursor:
            cursor.execute(eligibility.reasons(email, targets))
            yield from cursor.fetchall()


# An e-mail without a contact is a test; otherwise its contact has been erased. One address gets one mail per tile,
# however many contacts have had the address.
_MESSAGE_REASONS = f"""
    SELECT id, reason FROM (
      SELECT id, CASE
        WHEN expires_at < now() THEN '{Reason.EXPIRED}'
        WHEN email_id IS NULL OR content ? 'as_contact' THEN NULL
        WHEN contact_id IS NULL THEN '{Reason.INACTIVE}'
        WHEN NOT EXISTS (SELECT FROM messaging_emailversion live
                         WHERE live.email_id = message.email_id AND live.state = 'live') THEN '{Reason.NOT_LIVE}'
        WHEN journey_id IS NOT NULL AND EXISTS (
          SELECT FROM messaging_message other
          WHERE other.journey_id = message.journey_id AND other.tile = message.tile
            AND other.address = message.address AND other.id < message.id
            AND other.contact_id <> message.contact_id
            AND other.state IN ('queued', 'sending', 'sent', 'uncertain')) THEN '{Reason.DUPLICATE}'
        END AS reason
      FROM messaging_message message WHERE id = ANY(%s)) looked
    WHERE reason IS NOT NULL"""
