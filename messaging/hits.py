"""From hits to what people did: each hit is judged, and what is not a machine's goes into the timeline."""

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from contacts import timeline
from messaging import figures, unsubscribing
from messaging.models import Hit, Link, LinkClick
from messaging.tokens import Own
from messaging.verdicts import Seen, judge
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome, queue

QUEUE = "hits"
BATCH = 2_000
# A click is looked at after a moment, when a scanner's other clicks are there too.
SETTLE = timedelta(seconds=1)
# Images loaded again within this time belong to the same reading.
SAME_READING = timedelta(minutes=10)
Kind, Verdict = Hit.Kind, Hit.Verdict


@dataclass(frozen=True, slots=True)
class _Taken:
    id: int
    message_id: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class _Sent:
    """The message that a hit is about."""

    contact_id: int | None
    email_id: int | None
    email: str
    journey_id: int | None
    tile: str
    finished_at: datetime | None
    may_track: bool


@dataclass(frozen=True, slots=True)
class _Deed:
    """A hit that no machine made, with its message."""

    hit: _Taken
    sent: _Sent
    verdict: str

    @property
    def kind(self) -> str:
        return self.hit.seen.kind

    @property
    def at(self) -> datetime:
        return self.hit.seen.at

    @property
    def message_id(self) -> int:
        return self.hit.message_id

    @property
    def link_id(self) -> int:
        return self.hit.seen.link_id or 0

    def row(self, **detail: str) -> dict[str, object]:
        """Its row in the timeline."""
        return {
            "contact_id": self.sent.contact_id,
            "object_id": self.sent.email_id,
            "message_id": self.message_id,
            "journey_id": self.sent.journey_id,
            "tile": self.sent.tile,
            "occurred_at": self.at,
            "detail": {"email": self.sent.email, "verdict": self.verdict, **detail},
        }


@queue(QUEUE)
def work(tenant_id: int, deadline: float) -> Outcome:
    """Judge a tenant's hits, oldest first."""
    while True:
        with tenant_scope(tenant_id):
            count = _judge_batch()
            oldest = Hit.objects.filter(verdict="").aggregate(at=Min("at"))["at"] if count < BATCH else None
        if count < BATCH:
            return Outcome(next_due=max(oldest + SETTLE, timezone.now()) if oldest else None)
        if time.monotonic() >= deadline:
            return Outcome(has_more=True)


def _judge_batch() -> int:
    """Judge one batch and record what people did; returns how many hits were judged."""
    taken = _take()
    if not taken:
        return 0
    messages = _messages({hit.message_id for hit in taken})
    others = _others(list(messages))
    verdicts = [_verdict(hit, messages.get(hit.message_id), others[hit.message_id]) for hit in taken]
    _keep(taken, verdicts)
    deeds = [
        _Deed(hit, messages[hit.message_id], str(verdict))
        for hit, (verdict, _reasons) in zip(taken, verdicts, strict=True)
        if verdict != Verdict.MACHINE and hit.message_id in messages
    ]
    _record_opens([deed for deed in deeds if deed.kind == Kind.OPEN], others)
    _record_clicks([deed for deed in deeds if deed.kind == Kind.CLICK])
    for deed in deeds:
        if deed.kind == Kind.UNSUBSCRIBE:
            own = Own(0, deed.message_id, deed.sent.contact_id or 0, deed.link_id)
            unsubscribing.unsubscribe(unsubscribing.subject_of(own), source="one-click")
    return len(taken)


def _take() -> list[_Taken]:
    """The next hits to judge, locked. Index: hit_unseen (tenant, id) where the verdict is empty."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, message_id, kind, link_id, at, user_agent, reasons::text FROM messaging_hit
               WHERE verdict = '' AND (kind = 'unsubscribe' OR at <= now() - make_interval(secs => %s))
               ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED""",
            [SETTLE.total_seconds(), BATCH],
        )
        return [
            _Taken(id_, message_id, Seen(kind, link_id, at, agent, json.loads(reasons)))
            for id_, message_id, kind, link_id, at, agent, reasons in cursor.fetchall()
        ]


def _messages(ids: set[int]) -> dict[int, _Sent]:
    """The messages by id; by primary key. Tests of an e-mail are nobody's and count nowhere."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, contact_id, email_id,
                      coalesce((SELECT name FROM messaging_email email WHERE email.id = message.email_id), ''),
                      journey_id, tile, finished_at,
                      NOT (SELECT do_not_track FROM contacts_contact contact WHERE contact.id = message.contact_id)
               FROM messaging_message message WHERE id = ANY(%s) AND contact_id IS NOT NULL""",
            [list(ids)],
        )
        return {row[0]: _Sent(*row[1:]) for row in cursor.fetchall()}


def _others(message_ids: list[int]) -> dict[int, list[Seen]]:
    """All hits of the messages. Index: hit_of_message."""
    found: dict[int, list[Seen]] = defaultdict(list)
    rows = Hit.objects.filter(message_id__in=message_ids).exclude(verdict=Verdict.MACHINE, kind=Kind.OPEN)
    for message_id, kind, link_id, at, verdict in rows.values_list("message_id", "kind", "link_id", "at", "verdict"):
        found[message_id].append(Seen(kind, link_id, at, reasons=(verdict,) if verdict else ()))
    return found


def _verdict(hit: _Taken, sent: _Sent | None, others: Sequence[Seen]) -> tuple[str, list[str]]:
    return judge(hit.seen, sent.finished_at if sent else None, others)


def _keep(taken: list[_Taken], verdicts: list[tuple[str, list[str]]]) -> None:
    """Write the verdicts, by primary key."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE messaging_hit hit SET verdict = given.verdict, reasons = given.reasons::jsonb
               FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS given (id, verdict, reasons)
               WHERE hit.id = given.id""",
            [
                [hit.id for hit in taken],
                [str(verdict) for verdict, _reasons in verdicts],
                [json.dumps(reasons) for _verdict_, reasons in verdicts],
            ],
        )


def _record_opens(deeds: list[_Deed], others: dict[int, list[Seen]]) -> None:
    """One row per reading of a contact who may be tracked."""
    read_at: dict[int, list[datetime]] = defaultdict(list)
    for message_id, seen in others.items():
        read_at[message_id] = [one.at for one in seen if one.kind == Kind.OPEN and one.reasons]
    rows = []
    for deed in deeds:
        known = read_at[deed.message_id]
        is_new = not any(timedelta(0) <= deed.at - at <= SAME_READING for at in known)
        known.append(deed.at)
        if is_new and deed.sent.may_track:
            rows.append(deed.row())
    timeline.record_many("email.opened", rows)
    _mark("opened_at", deeds)


def _record_clicks(deeds: list[_Deed]) -> None:
    """One row per click of a contact who may be tracked, and the first per link for the figures."""
    links = Link.objects.in_bulk({deed.link_id for deed in deeds})
    known = [deed for deed in deeds if deed.link_id in links]
    rows = []
    for deed in known:
        link = links[deed.link_id]
        if deed.sent.may_track:
            rows.append({**deed.row(link=link.label, url=link.url), "link_id": link.pk})
    timeline.record_many("email.clicked", rows)
    clicks = [LinkClick(link_id=deed.link_id, message_id=deed.message_id, at=deed.at) for deed in known]
    LinkClick.objects.bulk_create(clicks, ignore_conflicts=True)
    _mark("clicked_at", deeds)
    # Who clicked has opened it, whatever became of the pixel.
    _mark("opened_at", deeds)


def _mark(column: str, deeds: list[_Deed]) -> None:
    """Keep the first moment of each message, and count it; by primary key."""
    if not deeds:
        return
    first: dict[int, datetime] = {}
    for deed in deeds:
        first[deed.message_id] = min(deed.at, first.get(deed.message_id, deed.at))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE messaging_message message SET {column} = given.at
                FROM unnest(%s::bigint[], %s::timestamptz[]) AS given (id, at)
                WHERE message.id = given.id AND message.{column} IS NULL RETURNING message.id""",
            [list(first), list(first.values())],
        )
        fresh = [id_ for (id_,) in cursor.fetchall()]
    figures.count(column.removesuffix("_at"), fresh)
