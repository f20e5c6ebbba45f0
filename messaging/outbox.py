"""The outbox: ordering messages, holding them, and settling those whose fate is not known.

A message is a row in the transaction of the step that ordered it. Its `key` is made by whoever orders it; the
database refuses a second one, so that a step which is done twice mails once. `messaging.sending` drains the queue.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, LiteralString

from django.db import connection
from django.db.models.functions import Now
from psycopg import sql
from psycopg.types.json import Jsonb

from contacts import timeline
from contacts.models import Contact
from messaging import figures
from messaging.models import Email, Message
from tenants import audit, wakeups
from tenants.models import Member

QUEUE = "mail"
State, Priority = Message.State, Message.Priority
# What `order_select`'s query returns, with the type that its NULLs need.
COLUMNS: dict[str, LiteralString] = {
    "key": "text",
    "contact_id": "bigint",
    "address": "text",
    "email_id": "bigint",
    "priority": "smallint",
    "journey_id": "bigint",
    "tile": "text",
    "participant_id": "bigint",
    "expires_at": "timestamptz",
}
# A queue that waits longer than this is backed up: e-mail tiles stop ordering.
BACKED_UP = timedelta(hours=1)


class NotUncertain(ValueError):
    """Only a message whose fate is unknown can be resent or left."""


def order(
    key: str,
    *,
    contact: Contact,
    email: Email,
    priority: int = Priority.TRIGGERED,
    journey_id: int | None = None,
    tile: str = "",
    participant_id: int | None = None,
    expires_at: datetime | None = None,
) -> Message | None:
    """Order an e-mail for one contact; None if the key has been ordered before.

    Whether the contact may be mailed is decided when the message is claimed, not here.
    """
    return _insert(
        key=key,
        contact_id=contact.pk,
        address=contact.email,
        email_id=email.pk,
        priority=priority,
        journey_id=journey_id,
        tile=tile,
        participant_id=participant_id,
        expires_at=expires_at,
    )


def order_select(select: sql.Composable | LiteralString, params: Mapping[str, Any] | None = None) -> int:
    """Order a set of messages; returns how many were new.

    `select` returns the columns key, contact_id, address, email_id, priority, journey_id, tile, participant_id,
    expires_at under these names. One INSERT; keys that exist are passed over (index one_message_per_key).
    """
    statement = sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {picked} FROM ({select}) source ON CONFLICT (tenant_id, key) DO NOTHING"
    ).format(
        table=sql.Identifier(Message._meta.db_table),
        names=sql.SQL(", ").join(map(sql.Identifier, COLUMNS)),
        picked=sql.SQL(", ").join(
            sql.SQL("source.{}::{}").format(sql.Identifier(name), sql.SQL(type_)) for name, type_ in COLUMNS.items()
        ),
        select=sql.SQL(select) if isinstance(select, str) else select,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, params or {})
        count = cursor.rowcount
    if count:
        wakeups.announce(QUEUE)
    return count


def order_notice(
    key: str,
    address: str,
    subject: str,
    text: str,
    *,
    path_button: tuple[str, str] | None = None,
    reply_to: str = "",
    priority: int = Priority.ACCOUNT,
) -> Message | None:
    """Order a plain mail of the product itself (a notification, a confirmation); None if the key exists.

    `text` has paragraphs separated by empty lines; `path_button` is (label, absolute address).
    """
    button = list(path_button) if path_button else None
    content = {"subject": subject, "text": text, "button": button, "reply_to": reply_to}
    return _insert(key=key, address=address.strip().lower(), priority=priority, content=Jsonb(content))


def order_test(key: str, address: str, email: Email, version_id: int, as_contact: Contact | None) -> Message | None:
    """Order a test of one version, personalised as for `as_contact`; it counts nowhere."""
    content = {"subject_prefix": "[Test] ", "as_contact": as_contact.pk if as_contact else None}
    return _insert(
        key=key,
        address=address.strip().lower(),
        email_id=email.pk,
        version_id=version_id,
        priority=Priority.TRANSACTIONAL,
        content=Jsonb(content),
    )


def hold(journey_id: int) -> int:
    """Hold a journey's queued messages; returns how many. Those that are just being sent go out."""
    return Message.objects.filter(state=State.QUEUED, journey_id=journey_id).update(state=State.HELD)


def release(journey_id: int) -> int:
    """Queue a journey's held messages again; returns how many."""
    count = Message.objects.filter(state=State.HELD, journey_id=journey_id).update(
        state=State.QUEUED, next_attempt_at=Now()
    )
    if count:
        wakeups.announce(QUEUE)
    return count


def cancel(journey_id: int, participant_ids: Iterable[int] | None = None) -> int:
    """Cancel a journey's messages that have not gone out (of these participants only); returns how many."""
    waiting = Message.objects.filter(state__in=(State.QUEUED, State.HELD), journey_id=journey_id)
    if participant_ids is not None:
        waiting = waiting.filter(participant_id__in=list(participant_ids))
    return waiting.update(state=State.CANCELLED, finished_at=Now())


def is_backed_up() -> bool:
    """Whether the tenant's mail has been waiting for over an hour: e-mail tiles then stop ordering."""
    waiting = Message.objects.filter(state=State.QUEUED, priority__in=Priority.values)
    return waiting.filter(next_attempt_at__lt=Now() - BACKED_UP).exists()


def resend(message: Message, by: Member) -> None:
    """Queue an uncertain message again, under the same Message-ID; raises NotUncertain if it is not (any more)."""
    _settle(message, by, "message.resent", state=State.QUEUED, reason="", next_attempt_at=Now(), lease_id=None)
    wakeups.announce(QUEUE)


def leave(message: Message, by: Member) -> None:
    """Take an uncertain message for sent; raises NotUncertain if it is not (any more)."""
    _settle(message, by, "message.left", state=State.SENT, reason="uncertain", finished_at=Now())
    figures.count(figures.SENT, [message.pk])
    if message.contact_id and message.email_id:
        name = Email.objects.values_list("name", flat=True).get(pk=message.email_id)
        timeline.record(
            "email.sent",
            contact=message.contact_id,
            object_id=message.email_id,
            message_id=message.pk,
            journey_id=message.journey_id,
            tile=message.tile,
            detail={"email": name},
        )


def _settle(message: Message, by: Member, action: str, **values: Any) -> None:
    if not Message.objects.filter(pk=message.pk, state=State.UNCERTAIN).update(**values):
        raise NotUncertain(message.key)
    audit.write(action, message, by=by)


def _insert(**values: Any) -> Message | None:
    """One message under its key, or None; announces the queue."""
    statement = sql.SQL(
        "INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT (tenant_id, key) DO NOTHING RETURNING id"
    ).format(
        table=sql.Identifier(Message._meta.db_table),
        names=sql.SQL(", ").join(map(sql.Identifier, values)),
        values=sql.SQL(", ").join(map(sql.Placeholder, values)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        return None
    wakeups.announce(QUEUE)
    return Message.objects.get(pk=row[0])
