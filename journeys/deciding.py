"""How a branch is decided: from the timeline and the state, never from the wake-up, which only makes it look sooner.

A waiting participant is looked at on arrival, at each wake-up, and at its deadline. A fact that a look does not see is
not committed yet: the reader that will read it finds the participant there, waits for the look's lock, and then makes
the engine look again. At the deadline a look waits until every transaction that was running then has ended, so that the
answer does not depend on who commits first. The engine holds the participant's lock, so one branch is taken, once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from psycopg.types.json import Jsonb

from journeys import waiting
from journeys.tiles.registry import Due, Traveller

# How soon to look again while transactions that could matter are still open.
SETTLE = timedelta(milliseconds=250)


class Decision(NamedTuple):
    """A way found for a participant, and why."""

    branch: str
    cause_id: int | None = None
    because: str = ""


@dataclass(frozen=True)
class Event:
    """What a branch waits for. `email_tile` restricts to the messages which that tile ordered for the participant,
    `detail` to facts whose detail has these values."""

    kind: str
    object_id: int | None = None
    link_ids: tuple[int, ...] = ()
    email_tile: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class Hit(NamedTuple):
    """The first fact that answers."""

    interaction_id: int
    link_id: int | None
    occurred_at: datetime


Deadlines = dict[int, datetime]
Find = Callable[[Deadlines], dict[int, Decision]]


def wait_for(
    due: Due,
    find: Find,
    *,
    amount: int,
    unit: str,
    otherwise: Decision,
    every: timedelta | None = None,
) -> None:
    """Settle each participant: by what `find` answers, by `otherwise` when the time is over, or to be looked at again.

    `find` gets every participant's deadline and answers for those it can decide. `every`: how often to look without
    being woken, for states that change with the clock alone.
    """
    deadlines = {
        traveller.id: traveller.deadline_at or _deadline(due, traveller, amount, unit) for traveller in due.travellers
    }
    decisions = find(deadlines)
    for traveller in due.travellers:
        deadline = deadlines[traveller.id]
        if decision := decisions.get(traveller.id):
            _take(due, traveller, decision)
        elif due.now < deadline:
            due.look_again(traveller, min(deadline, due.now + every) if every else deadline, deadline)
        elif traveller.deadline_xid is None or traveller.deadline_xid >= due.horizon:
            due.look_again(traveller, due.now + SETTLE, deadline, deadline_xid=traveller.deadline_xid or due.xid)
        else:
            _take(due, traveller, otherwise)


def first_hits(travellers: Iterable[Traveller], deadlines: Deadlines, event: Event) -> dict[int, Hit]:
    """By participant: the earliest fact of the event between its time there and its deadline.

    For an e-mail the time begins with the journey: a click before the arrival at the branch counts if it is on the
    message that this participation was sent. Else it begins with the arrival. Index: interaction_of_contact, one
    descent per participant and partition since the earliest beginning; message by key.
    """
    people = list(travellers)
    if not people:
        return {}
    detail: Any = Jsonb(dict(event.detail))
    begins = [person.entered_at if event.email_tile else person.arrived_at for person in people]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT person.id, first.id, first.link_id, first.occurred_at
               FROM unnest(%(ids)s::bigint[], %(contacts)s::bigint[], %(begins)s::timestamptz[],
                           %(ends)s::timestamptz[]) AS person (id, contact_id, begins_at, ends_at)
               CROSS JOIN LATERAL (
                 SELECT fact.id, fact.link_id, fact.occurred_at FROM contacts_interaction fact
                 WHERE fact.contact_id = person.contact_id AND fact.recorded_at >= %(earliest)s
                   AND fact.kind = %(kind)s AND fact.occurred_at BETWEEN person.begins_at AND person.ends_at
                   AND (%(object_id)s::bigint IS NULL OR fact.object_id = %(object_id)s)
                   AND (%(detail)s::jsonb = '{}' OR fact.detail @> %(detail)s)
                   AND (%(links)s::bigint[] IS NULL OR fact.link_id = ANY(%(links)s))
                   AND (%(tile)s = '' OR EXISTS (
                     SELECT FROM messaging_message message WHERE message.id = fact.message_id
                       AND message.participant_id = person.id AND message.tile = %(tile)s))
                 ORDER BY fact.occurred_at, fact.id LIMIT 1) first""",
            {
                "ids": [person.id for person in people],
                "contacts": [person.contact_id for person in people],
                "begins": begins,
                "ends": [deadlines[person.id] for person in people],
                "earliest": min(begins),
                "kind": event.kind,
                "object_id": event.object_id,
                "detail": detail,
                "links": list(event.link_ids) or None,
                "tile": event.email_tile,
            },
        )
        return {row[0]: Hit(*row[1:]) for row in cursor.fetchall()}


def _deadline(due: Due, traveller: Traveller, amount: int, unit: str) -> datetime:
    zone = waiting.zone_of(traveller.time_zone, traveller.country, due.time_zone)
    return waiting.later(traveller.arrived_at, amount, unit, zone)


def _take(due: Due, traveller: Traveller, decision: Decision) -> None:
    due.go_one(traveller, decision.branch, cause_id=decision.cause_id, detail={"because": decision.because})
