"""How people enter a journey, in sets: the audience at its start, then each trigger as the timeline tells of it.

A participation is unique by (journey, contact, entry), and all but parallel ones by (journey, contact) while active;
whatever runs twice or at the same time enters a person once.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection
from psycopg import sql

from contacts import timeline
from contacts.models.timeline import Lane
from contacts.reactor import Fact
from contacts.timeline import MAX_DEPTH
from journeys import audience, figures
from journeys.models import Journey, Participant

# How many members of the audience enter per transaction.
CHUNK = 20_000
# More entries of one contact into one journey than this within the period are a loop.
MAX_ENTRIES, ENTRIES_WITHIN = 10, timedelta(hours=24)
Reentry = Journey.Reentry


def enrol_chunk(journey: Journey, tree: dict[str, Any]) -> bool:
    """Enter the next chunk of the audience; True if there is more. Whoever is in already is passed over.

    The caller holds the journey's enrolment (the lock that makes one worker at a time go through the audience).
    """
    settings = tree["tiles"][tree["root"]]["settings"]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT contact_id FROM ({}) member WHERE contact_id > %s ORDER BY 1 LIMIT %s").format(
                audience.members(settings)
            ),
            [journey.enrolled_to, CHUNK],
        )
        contact_ids = [contact_id for (contact_id,) in cursor.fetchall()]
    if contact_ids:
        enter(journey, tree, [(contact_id, None) for contact_id in contact_ids])
    has_more = len(contact_ids) == CHUNK
    Journey.objects.filter(pk=journey.pk).update(enrolled_to=contact_ids[-1] if has_more else None)
    return has_more


def enter(journey: Journey, tree: dict[str, Any], entries: Sequence[tuple[int, Fact | None]]) -> int:
    """Let contacts enter, each by the fact that triggers it or (None) as a member of the audience; returns how many.

    Who may not enter (re-entry policy, consent, exclusion, a participation under way) is passed over; an entry too
    many is written down as stopped, so that it is seen.
    """
    ids = [contact_id for contact_id, _fact in entries]
    statement = sql.SQL(_ENTER).format(
        may_take_part=audience.may_take_part(journey), may_enter=sql.SQL(_MAY_ENTER[Reentry(journey.reentry)])
    )
    is_parallel = journey.reentry == Reentry.EACH_TIME
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "contacts": ids,
                "causes": [fact.id if fact else None for _contact, fact in entries],
                "triggers": [fact.recorded_at if fact else None for _contact, fact in entries],
                "depths": [fact.depth + 1 if fact else 0 for _contact, fact in entries],
                "leads": [fact.lead_id if fact else None for _contact, fact in entries],
                "journey": journey.pk,
                "tile": tree["root"],
                "days": journey.reentry_days or 0,
                "is_parallel": is_parallel,
                "is_once": journey.reentry == Reentry.NEVER,
                "max_entries": MAX_ENTRIES,
                "within": str(ENTRIES_WITHIN),
                "max_depth": MAX_DEPTH,
            },
        )
        entered = cursor.fetchall()
    active = [row for row in entered if row[-1] == Participant.State.ACTIVE]
    _record(journey, active)
    root = tree["root"]
    counts = Counter({(root, figures.IN): len(entered), (root, figures.STOPPED): len(entered) - len(active)})
    figures.append(journey.pk, counts)
    return len(active)


# Whether a candidate's trigger opens a new participation, seen from her earlier ones (`past`): each policy's answer.
# A trigger that is older than her last entry was answered by it: she entered as a member of the audience meanwhile.
_MAY_ENTER = {
    Reentry.NEVER: "past.times = 0",
    Reentry.AFTER_LEAVING: "past.active = 0 AND coalesce(trigger.recorded_at >= past.last_entered_at, past.times = 0)",
    # A member of the audience needs no trigger when the days have passed (journeys.reentry).
    Reentry.AFTER_DAYS: (
        "past.active = 0 AND coalesce(trigger.recorded_at >= past.last_entered_at, true)"
        " AND coalesce(past.last_left_at < now() - make_interval(days => %(days)s), true)"
    ),
    Reentry.EACH_TIME: "coalesce(trigger.recorded_at >= past.enrolled_at, trigger.recorded_at IS NOT NULL"
    " OR past.times = 0)",
}

# One row per candidate and trigger (several only if each counts); `past` is one descent of one_participation_per_entry.
_ENTER = """
    WITH trigger AS (
        SELECT * FROM (
            SELECT given.*, row_number() OVER (PARTITION BY contact_id ORDER BY cause_id) AS turn
            FROM unnest(%(contacts)s::bigint[], %(causes)s::bigint[], %(triggers)s::timestamptz[], %(depths)s::int[],
                        %(leads)s::bigint[]) AS given (contact_id, cause_id, recorded_at, depth, lead_id)) turns
        WHERE turn = 1 OR %(is_parallel)s),
    candidate AS (
        SELECT trigger.*, past.times, past.recent,
               past.recent + turn > %(max_entries)s OR depth > %(max_depth)s AS is_loop
        FROM trigger
        CROSS JOIN LATERAL (
            SELECT id FROM contacts_contact contact WHERE contact.id = trigger.contact_id AND {may_take_part} LIMIT 1
            ) admitted
        CROSS JOIN LATERAL (
            SELECT count(*) AS times, count(*) FILTER (WHERE state = 'active') AS active,
                   count(*) FILTER (WHERE entered_at > now() - %(within)s::interval) AS recent,
                   max(entered_at) AS last_entered_at, max(left_at) AS last_left_at,
                   max(entered_at) FILTER (WHERE entry = 'once') AS enrolled_at
            FROM journeys_participant earlier
            WHERE earlier.journey_id = %(journey)s AND earlier.contact_id = trigger.contact_id) past
        WHERE {may_enter})
    INSERT INTO journeys_participant (journey_id, contact_id, entry, is_parallel, state, reason, tile, lead_id,
                                      cause_id, depth, entered_at, arrived_at, due_at, left_at)
    SELECT %(journey)s, contact_id,
           CASE WHEN is_loop THEN 'loop:' || current_date
                WHEN %(is_once)s OR times = 0 AND NOT %(is_parallel)s THEN 'once'
                WHEN %(is_parallel)s THEN coalesce('by:' || cause_id, 'once')
                ELSE 'run:' || times + 1 END,
           %(is_parallel)s,
           CASE WHEN is_loop THEN 'stopped' ELSE 'active' END, CASE WHEN is_loop THEN 'loop' ELSE '' END,
           %(tile)s, lead_id, cause_id, least(depth, 32767), clock_timestamp(), clock_timestamp(),
           CASE WHEN NOT is_loop THEN now() END, CASE WHEN is_loop THEN now() END
    FROM candidate
    ON CONFLICT DO NOTHING
    RETURNING contact_id, lead_id, cause_id, depth, state"""


def _record(journey: Journey, entered: Sequence[tuple[Any, ...]]) -> None:
    """`journey.entered` for each, by one statement."""
    timeline.record_select(
        "journey.entered",
        """SELECT person.contact_id, contact.account_id, person.lead_id, %(journey)s::bigint AS object_id,
                  %(journey)s::bigint AS journey_id, person.cause_id, person.depth,
                  jsonb_build_object('journey', %(name)s::text) AS detail
           FROM unnest(%(contacts)s::bigint[], %(leads)s::bigint[], %(causes)s::bigint[], %(depths)s::int[])
             AS person (contact_id, lead_id, cause_id, depth)
           CROSS JOIN LATERAL (SELECT account_id FROM contacts_contact WHERE id = person.contact_id LIMIT 1) contact""",
        {
            "contacts": [row[0] for row in entered],
            "leads": [row[1] for row in entered],
            "causes": [row[2] for row in entered],
            "depths": [row[3] for row in entered],
            "journey": journey.pk,
            "name": journey.name,
        },
        columns=("contact_id", "account_id", "lead_id", "object_id", "journey_id", "cause_id", "depth", "detail"),
        lane=Lane.BULK if len(entered) > 500 else Lane.LIVE,
    )
