"""What a server's reply means for a message, and recording it: in sets, once, with its row in the timeline."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from contacts import timeline
from contacts.models.timeline import Lane
from messaging import figures, suppressing
from messaging.eligibility import SOFT_BOUNCES
from messaging.journal import Result
from messaging.models import Message, Suppression
from messaging.smtp import Reply

State, Priority = Message.State, Message.Priority
# Waits between attempts; after the last one a message that still gets "later" has failed.
BACK_OFF = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720))
# Our own mistake (the sender is refused, say) is looked at again until somebody corrects it.
CONFIGURATION_WAIT = timedelta(minutes=10)
HARD_BOUNCE_DAYS = 180
ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


class Outcome(StrEnum):
    """What became of an attempt."""

    SENT = "sent"
    LATER = "later"
    HARD = "hard"
    SOFT = "soft"
    REFUSED = "refused"
    OURS = "ours"
    BROKEN = "broken"


def classify(reply: Reply) -> Outcome:
    """RFC 3463 and common practice: is the mailbox gone, full, or is it us?"""
    if reply.is_positive:
        return Outcome.SENT
    if reply.code < 500:
        return Outcome.LATER
    if reply.command == "MAIL" or reply.code in (530, 535, 538):
        return Outcome.OURS
    if found := ENHANCED.search(reply.text):
        subject, detail = int(found.group(2)), int(found.group(3))
        if subject == 1 or (subject, detail) in ((2, 1), (4, 4)):
            return Outcome.HARD
        return Outcome.SOFT if subject == 2 else Outcome.REFUSED
    if reply.command == "RCPT" and reply.code in (550, 551, 553):
        return Outcome.HARD
    return Outcome.SOFT if reply.code == 552 else Outcome.REFUSED


def record(lease: UUID, results: Iterable[Result]) -> None:
    """Write results into the outbox, the timeline and the suppression list; run in the tenant's scope.

    Only messages that the lease still holds are touched, so that recording twice changes nothing.
    """
    by_outcome: dict[str, list[Result]] = {}
    for result in results:
        by_outcome.setdefault(result.outcome, []).append(result)
    for outcome, some in by_outcome.items():
        if outcome == Outcome.SENT:
            _record_sent(lease, [result.message_id for result in some])
        elif outcome in (Outcome.LATER, Outcome.OURS):
            _record_later(lease, some, is_ours=outcome == Outcome.OURS)
        else:
            _record_failed(lease, some, outcome)


def give_back(lease: UUID, message_ids: Sequence[int]) -> None:
    """Queue messages that were claimed and never begun."""
    _held(lease, message_ids).update(state=State.QUEUED, lease_id=None, leased_until=None)


def doubt(lease: UUID, message_ids: Sequence[int]) -> None:
    """Mark messages whose final dot may have been read without its reply reaching us."""
    _held(lease, message_ids).update(state=State.UNCERTAIN, reason="no_reply", leased_until=None, finished_at=Now())


def _held(lease: UUID, message_ids: Sequence[int]) -> QuerySet[Message]:
    return Message.objects.filter(pk__in=message_ids, lease_id=lease, state=State.SENDING)


def _record_sent(lease: UUID, message_ids: list[int]) -> None:
    """Three statements per set: the messages by primary key, their figures, their rows in the timeline."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE messaging_message SET state = 'sent', reason = '', attempts = attempts + 1, lease_id = NULL,
                      leased_until = NULL, finished_at = now()
               WHERE id = ANY(%s) AND lease_id = %s AND state IN ('sending', 'uncertain') RETURNING id, priority""",
            [message_ids, lease],
        )
        rows = cursor.fetchall()
    sent = [id_ for id_, _priority in rows]
    forgive(sent)
    figures.count(figures.SENT, sent)
    for lane, is_bulk in ((Lane.LIVE, False), (Lane.BULK, True)):
        some = [id_ for id_, priority in rows if (priority == Priority.BULK) == is_bulk]
        tell("email.sent", some, lane=lane)


def _record_later(lease: UUID, results: list[Result], *, is_ours: bool) -> None:
    """Queue again with a longer wait each time; after the last wait the attempt has failed softly."""
    attempts = dict(_held(lease, [r.message_id for r in results]).values_list("pk", "attempts"))
    spent = []
    for result in results:
        count = attempts.get(result.message_id)
        if count is None:
            continue
        if count >= len(BACK_OFF) and not is_ours:
            spent.append(result)
            continue
        wait = CONFIGURATION_WAIT if is_ours else BACK_OFF[count]
        _held(lease, [result.message_id]).update(
            state=State.QUEUED,
            reason=_words(result),
            attempts=F("attempts") + (0 if is_ours else 1),
            next_attempt_at=Now() + wait,
            lease_id=None,
            leased_until=None,
        )
    if spent:
        _record_failed(lease, spent, Outcome.SOFT)


def _record_failed(lease: UUID, results: list[Result], outcome: str) -> None:
    failed = []
    for result in results:
        failed += _returning_failed(lease, result)
    figures.count(figures.FAILED, failed)
    kinds = {Outcome.HARD: "email.hard_bounced", Outcome.SOFT: "email.soft_bounced"}
    tell(kinds.get(Outcome(outcome), "email.failed"), failed, with_reason=True)
    if outcome == Outcome.HARD:
        suppress_hard(failed)
    elif outcome == Outcome.SOFT:
        count_soft(failed)


def _returning_failed(lease: UUID, result: Result) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE messaging_message SET state = 'failed', reason = %s, attempts = attempts + 1, lease_id = NULL,
                      leased_until = NULL, finished_at = now()
               WHERE id = %s AND lease_id = %s AND state = 'sending' RETURNING id""",
            [_words(result), result.message_id, lease],
        )
        return [id_ for (id_,) in cursor.fetchall()]


def tell(kind: str, message_ids: list[int], *, lane: str = Lane.LIVE, with_reason: bool = False) -> None:
    """Record one kind of fact about a set of messages; those without contact or e-mail are nobody's history."""
    if not message_ids:
        return
    reason = ", 'reason', reason" if with_reason else ""
    timeline.record_select(
        kind,
        f"""SELECT contact_id, email_id AS object_id, journey_id, tile, id AS message_id,
                   (SELECT account_id FROM contacts_contact contact
                    WHERE contact.id = message.contact_id) AS account_id,
                   jsonb_build_object('email', (SELECT name FROM messaging_email email
                                                WHERE email.id = message.email_id){reason}) AS detail
            FROM messaging_message message
            WHERE id = ANY(%(ids)s) AND contact_id IS NOT NULL AND email_id IS NOT NULL""",  # type: ignore[arg-type]
        {"ids": message_ids},
        columns=["contact_id", "account_id", "object_id", "journey_id", "tile", "message_id", "detail"],
        lane=lane,
    )


def suppress_hard(message_ids: list[int]) -> None:
    """Suppress the messages' addresses for half a year; a longer or permanent suppression stays."""
    _recall(message_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO messaging_suppression (address, reason, detail, soft_bounces, until)
               SELECT DISTINCT ON (address) address, 'hard_bounce', reason, 0, now() + make_interval(days => %s)
               FROM messaging_message WHERE id = ANY(%s)
               ON CONFLICT (tenant_id, address) DO UPDATE
               SET reason = 'hard_bounce', detail = excluded.detail, at = now(), until = excluded.until
               WHERE messaging_suppression.reason IN ('hard_bounce', 'soft_bounces')""",
            [HARD_BOUNCE_DAYS, message_ids],
        )


def count_soft(message_ids: list[int]) -> None:
    """Count a soft bounce of the messages' addresses; so many in a row suppress for half a year."""
    _recall(message_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO messaging_suppression (address, reason, detail, soft_bounces)
               SELECT DISTINCT ON (address) address, 'soft_bounces', reason, 1
               FROM messaging_message WHERE id = ANY(%(ids)s)
               ON CONFLICT (tenant_id, address) DO UPDATE
               SET soft_bounces = CASE WHEN messaging_suppression.until < now() THEN 1
                                       ELSE messaging_suppression.soft_bounces + 1 END,
                   until = CASE WHEN messaging_suppression.soft_bounces + 1 = %(limit)s
                                THEN now() + make_interval(days => %(days)s) END,
                   detail = excluded.detail, at = now()
               WHERE messaging_suppression.reason = 'soft_bounces'""",
            {"ids": message_ids, "limit": SOFT_BOUNCES, "days": HARD_BOUNCE_DAYS},
        )


def _recall(message_ids: list[int]) -> None:
    """What erased people had against these addresses counts on."""
    suppressing.recall(Message.objects.filter(pk__in=message_ids).values_list("address", flat=True))


def forgive(message_ids: list[int]) -> None:
    """A mail that arrived ends a row of soft bounces; costs an index step per message while any are counted."""
    counted = Suppression.objects.filter(reason=Suppression.Reason.SOFT_BOUNCES)
    if message_ids and counted.exists():
        counted.filter(address__in=Message.objects.filter(pk__in=message_ids).values("address")).delete()


def _words(result: Result) -> str:
    return f"{result.code} {result.text}".strip()[:500] if result.code else result.text[:500]
