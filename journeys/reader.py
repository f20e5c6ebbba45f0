"""The reader "journeys": lets people in, wakes those who wait for what has happened, and notes what came too late.

It moves nobody: it makes the engine look sooner, and every look decides from the timeline and the state.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import LiteralString, NamedTuple

from django.db import connection
from django.db.models import Min
from psycopg import sql

from contacts.reactor import Batch, Fact, Reader
from journeys import audience, claiming, entering, locking
from journeys.models import Journey, JourneyVersion
from journeys.tiles import registry
from tenants import wakeups

# Whom a wake-up reaches.
WHO: LiteralString = "person.state = 'active'"
# How many participations of one contact in one journey are looked at for one fact.
AT_ONCE: LiteralString = "1000"
# After these a person may have to leave a journey: the engine looks at once.
STOPPERS = frozenset({"consent.refused", "contact.changed", "contact.merged", "contact.deleted", "segment.entered"})


class Running(NamedTuple):
    """A journey that people are in: live or paused."""

    journey: Journey
    version: JourneyVersion


def run(batch: Batch) -> None:
    """Read a batch of the timeline, in the transaction that moves the cursor."""
    running = [
        Running(version.journey, version)
        for version in JourneyVersion.objects.select_related("journey").filter(
            state=JourneyVersion.State.LIVE, journey__state__in=(Journey.State.LIVE, Journey.State.PAUSED)
        )
    ]
    if not running:
        return
    entered = sum(_let_in(each, batch) for each in running)
    waiting = _listening(running, batch)
    claiming.go_by_index()
    woken = _wake(waiting) + _wake_everywhere(fact for fact in batch.rows if fact.kind in STOPPERS)
    _note_late(waiting)
    if entered or woken:
        wakeups.announce("journeys")


def _let_in(running: Running, batch: Batch) -> int:
    """Enter those whose fact opens the journey; returns how many."""
    journey, version = running
    settings = version.tiles["tiles"][version.tiles["root"]]["settings"]
    triggers = _triggers(journey, settings, batch)
    opening = audience.opening_of(settings)
    if triggers and opening and opening.is_told_late:
        since = journey.versions.aggregate(at=Min("went_live_at"))["at"]
        triggers = [fact for fact in triggers if since and fact.occurred_at >= since]
    if not triggers:
        return 0
    locking.share(journey.pk)
    return entering.enter(journey, version.tiles, [(fact.contact_id, fact) for fact in triggers if fact.contact_id])


def _triggers(journey: Journey, settings: dict, batch: Batch) -> list[Fact]:
    """The batch's facts by which people enter a journey, within its dates."""
    if opening := audience.opening_of(settings):
        facts = [fact for fact in batch.of(opening.kind) if fact.object_id in settings.get(opening.setting, [])]
    else:
        facts = [fact for fact in batch.of("segment.entered") if fact.object_id in settings.get("include", [])]
        if facts:
            inside = _members_among(settings, [fact.contact_id for fact in facts if fact.contact_id])
            facts = [fact for fact in facts if fact.contact_id in inside]
    return [fact for fact in facts if fact.contact_id and _is_open_at(journey, fact)]


def _is_open_at(journey: Journey, fact: Fact) -> bool:
    begins = journey.starts_at
    return (begins is None or fact.occurred_at >= begins) and (
        journey.ends_at is None or fact.occurred_at < journey.ends_at
    )


def _members_among(settings: dict, contact_ids: list[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT contact_id FROM ({}) member WHERE contact_id = ANY(%s)").format(audience.members(settings)),
            [contact_ids],
        )
        return {contact_id for (contact_id,) in cursor.fetchall()}


Waiting = dict[tuple[int, str], list[Fact]]


def _listening(running: Iterable[Running], batch: Batch) -> Waiting:
    """By (journey, tile): the batch's facts that the tile waits for."""
    waiting: Waiting = defaultdict(list)
    for journey, version in running:
        for key, tile in version.tiles["tiles"].items():
            kinds = registry.of(tile).listens(tile) & batch.kinds
            if kinds:
                waiting[journey.pk, key] += [fact for fact in batch.of(*kinds) if fact.contact_id]
    return waiting


def _wake(waiting: Waiting) -> int:
    """Make the engine look at those who wait at a listening tile; index: one_participation_per_entry.

    Also at those whose turn it is already: the engine may be looking right now, without seeing the fact. This waits
    for its lock, and so has the last word.
    """
    pairs = {(journey, tile, fact.contact_id) for (journey, tile), facts in waiting.items() for fact in facts}
    if not pairs:
        return 0
    journeys, tiles, contacts = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE journeys_participant person SET due_at = now()
                WHERE {WHO} AND person.id = ANY(ARRAY(
                  SELECT found.id FROM unnest(%s::bigint[], %s::text[], %s::bigint[])
                    AS touched (journey_id, tile, contact_id)
                  CROSS JOIN LATERAL (
                    SELECT id FROM journeys_participant there WHERE there.contact_id = touched.contact_id
                      AND there.journey_id = touched.journey_id AND there.tile = touched.tile
                    LIMIT {AT_ONCE}) found))""",
            [list(journeys), list(tiles), list(contacts)],
        )
        return cursor.rowcount


def _wake_everywhere(facts: Iterable[Fact]) -> int:
    """Make the engine look at all participations of the facts' contacts: they may have to end."""
    contacts = sorted({fact.contact_id for fact in facts if fact.contact_id})
    if not contacts:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE journeys_participant person SET due_at = now() WHERE contact_id = ANY(%s) AND {WHO}",
            [contacts],
        )
        return cursor.rowcount


def _note_late(waiting: Waiting) -> None:
    """Leave a note in the trace of those whose branch was decided by the clock before the fact was recorded.

    A note is a visit with outcome `late`; it moves nobody. Index: visit_of_participant.
    """
    rows = [(*place, fact.contact_id, fact.id, fact.recorded_at) for place, facts in waiting.items() for fact in facts]
    if not rows:
        return
    journeys, tiles, contacts, facts, moments = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO journeys_visit (journey_id, version, participant_id, contact_id, tile, outcome, cause_id)
               SELECT visit.journey_id, visit.version, visit.participant_id, visit.contact_id, visit.tile, 'late',
                      fact.id
               FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::timestamptz[])
                 AS fact (journey_id, tile, contact_id, id, recorded_at)
               CROSS JOIN LATERAL (
                 SELECT id, entered_at FROM journeys_participant
                 WHERE contact_id = fact.contact_id AND journey_id = fact.journey_id LIMIT {AT_ONCE}) person
               CROSS JOIN LATERAL (
                 SELECT * FROM journeys_visit WHERE participant_id = person.id AND at >= person.entered_at
                   AND at < fact.recorded_at AND tile = fact.tile AND outcome IN ('no', 'none') AND cause_id IS NULL
                 LIMIT 1) visit""",
            [journeys, tiles, contacts, facts, moments],
        )


READER = Reader("journeys", run=run)
