"""Moving participants: the trace, the figures and the timeline, in a few statements for any number of people.

Everything here runs in the transaction that holds the participants' locks, so each step happens once.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from django.db import connection
from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from contacts import timeline
from contacts.models.timeline import Lane
from journeys import claiming, figures, reasons, waiting
from journeys.models import Journey, JourneyVersion, Participant
from journeys.tiles import registry
from journeys.tiles.registry import Due, Look, Step, Traveller

# Sets above this size are read behind live events.
BULK_FROM = 500
State = Participant.State
END = "end"
# The outcome of those whom a new version took elsewhere.
MOVED = "moved"
# How many participations are ended per round.
CHUNK = 10_000


def apply(due: Due, actor_id: int | None = None) -> None:
    """Write what a tile has settled: who goes on, who stays, who stops."""
    by_branch: dict[str, list[Step]] = defaultdict(list)
    for step in due.steps:
        by_branch[step.branch].append(step)
    counts: Counter[tuple[str, str]] = Counter()
    for branch, steps in by_branch.items():
        follower = due.tile["next"].get(branch)
        for rests_until, together in _by_rest(due, follower, steps).items():
            _go(due, branch, follower, rests_until, together, actor_id)
        counts[due.key, branch] += len(steps)
        if follower:
            counts[follower, figures.IN] += len(steps)
        if registry.of(due.tile).is_decision:
            _record_branch(due, branch, steps)
        if not follower:
            record_leaving(due.journey, [step.traveller for step in steps], State.DONE, END)
    _stay(due.looks)
    figures.append(due.journey.pk, counts)
    if due.stops:
        stop(due.journey, due.version, due.stops)


def stop(
    journey: Journey,
    version: int,
    stops: Sequence[tuple[Traveller, str]],
    state: str = State.STOPPED,
    actor_id: int | None = None,
) -> None:
    """End participations for a reason each (`state`: stopped, or exited when somebody decided so)."""
    by_reason: dict[str, list[Traveller]] = defaultdict(list)
    for traveller, reason in stops:
        by_reason[reason].append(traveller)
    for reason, travellers in by_reason.items():
        with connection.cursor() as cursor:
            cursor.execute(
                f"""WITH {TRACE_TOGETHER}
                    UPDATE journeys_participant
                    SET state = %(state)s, reason = %(reason)s, left_at = now(), due_at = NULL
                    WHERE id = ANY(%(ids)s::bigint[])""",
                {
                    "ids": claiming.as_array(traveller.id for traveller in travellers),
                    "version": version,
                    "outcome": figures.STOPPED,
                    "state": state,
                    "reason": reason,
                    "actor": actor_id,
                },
            )
        record_leaving(journey, travellers, state, reason, actor_id)
    figures.append(journey.pk, Counter((traveller.tile, figures.STOPPED) for traveller, _reason in stops))


def stop_where(
    journey: Journey,
    condition: LiteralString,
    params: dict[str, Any],
    reason: str,
    *,
    state: str = State.STOPPED,
    limit: int | None = None,
) -> int:
    """End the participations that fulfil `condition` (SQL over `person`), at most `limit`; returns how many.

    The caller is alone with the journey. Works in chunks, so that memory stays flat.
    """
    version = live_number(journey)
    count = 0
    while limit is None or count < limit:
        chunk = claiming.claim(journey, condition, params, limit=CHUNK, is_patient=True)
        if not chunk:
            break
        stop(journey, version, [(traveller, reason) for traveller in chunk], state)
        count += len(chunk)
    return count


def remap(journey: Journey, version: JourneyVersion, moves: Mapping[str, str]) -> None:
    """Fit the people inside to a new version: they stay at their tile; where it is gone they go to `moves[tile]`, or
    leave; where its settings changed it looks at them anew. The caller is alone with the journey."""
    tiles = version.tiles["tiles"]
    earlier = journey.versions.filter(number__lt=version.number).order_by("-number").first()
    for key, count in figures.waiting_of(journey).items():
        if key not in tiles and moves.get(key) in tiles:
            _move_all(journey, version, key, moves[key], count)
        elif key not in tiles:
            stop_where(journey, "person.tile = %(tile)s", {"tile": key}, "tile_removed", state=State.EXITED)
        elif earlier and earlier.tiles["tiles"].get(key, {}).get("settings") != tiles[key]["settings"]:
            Participant.objects.filter(journey=journey, tile=key, state=State.ACTIVE).update(
                due_at=Now(), deadline_at=None, deadline_xid=None
            )


def _move_all(journey: Journey, version: JourneyVersion, key: str, target: str, count: int) -> None:
    """Everybody at a tile that is gone arrives at another one. One statement: trace and move."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH trace AS (
                 INSERT INTO journeys_visit (journey_id, version, participant_id, contact_id, tile, outcome, arrived_at)
                 SELECT journey_id, %(version)s, id, contact_id, tile, %(outcome)s, arrived_at
                 FROM journeys_participant WHERE journey_id = %(journey)s AND tile = %(tile)s AND state = 'active')
               UPDATE journeys_participant SET tile = %(target)s, due_at = now(), arrived_at = now(),
                      deadline_at = NULL, deadline_xid = NULL
               WHERE journey_id = %(journey)s AND tile = %(tile)s AND state = 'active'""",
            {
                "version": version.number,
                "outcome": MOVED,
                "journey": journey.pk,
                "tile": key,
                "target": target,
            },
        )
    figures.append(journey.pk, {(key, MOVED): count, (target, figures.IN): count})


def live_number(journey: Journey) -> int:
    """The number of the journey's live version; 0 while there is none."""
    live = journey.versions.filter(state=JourneyVersion.State.LIVE).values_list("number", flat=True).first()
    return live or 0


def record_leaving(
    journey: Journey, travellers: Sequence[Traveller], outcome: str, reason: str, actor_id: int | None = None
) -> None:
    """Record `journey.left` for people who have reached the end, were stopped or taken out."""
    detail = {"journey": journey.name, "outcome": outcome, "reason": reasons.in_words(reason)}
    _record("journey.left", journey, travellers, detail, actor_id=actor_id)


def _by_rest(due: Due, follower: str | None, steps: Sequence[Step]) -> Mapping[datetime | None, Sequence[Step]]:
    """The steps by the moment until which those who arrive rest there; who lives in one zone rests together."""
    if follower is None or due.arrives_at is None:
        return {None: steps}
    tile = due.tree["tiles"][follower]
    by_place: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in steps:
        by_place[step.traveller.time_zone, step.traveller.country].append(step)
    by_rest: dict[datetime | None, list[Step]] = defaultdict(list)
    for (own, country), together in by_place.items():
        zone = waiting.zone_of(own, country, due.time_zone)
        by_rest[registry.of(tile).rests_until(tile, due, zone)] += together
    return by_rest


# The trace that a step leaves: it reads the participant as it was before the move.
_TRACE = """
    trace AS (
        INSERT INTO journeys_visit (journey_id, version, participant_id, contact_id, tile, outcome, cause_id, actor_id,
                                    detail, arrived_at)
        SELECT here.journey_id, %(version)s, here.id, here.contact_id, here.tile, %(outcome)s, here.cause_id,
               %(actor)s::bigint, here.detail, here.arrived_at
        FROM ({here}) here)"""
# Without reasons of their own they are one range of keys; each with its own come as rows beside their keys.
_TOGETHER = """
    SELECT journey_id, id, contact_id, tile, arrived_at, NULL::bigint AS cause_id, '{}'::jsonb AS detail
    FROM journeys_participant WHERE id = ANY(%(ids)s::bigint[])"""
_EACH = """
    SELECT journey_id, person.id, contact_id, tile, arrived_at, step.cause_id, coalesce(step.detail, '{}') AS detail
    FROM unnest(%(ids)s::bigint[], %(causes)s::bigint[], coalesce(%(details)s::jsonb[], '{}'))
      AS step (id, cause_id, detail)
    CROSS JOIN LATERAL (SELECT * FROM journeys_participant WHERE id = step.id LIMIT 1) person"""
TRACE_TOGETHER, TRACE_EACH = _TRACE.replace("{here}", _TOGETHER), _TRACE.replace("{here}", _EACH)


def _go(
    due: Due,
    branch: str,
    follower: str | None,
    rests_until: datetime | None,
    steps: Sequence[Step],
    actor_id: int | None,
) -> None:
    """Move one branch's people to what follows it, or to the end. One statement: trace and move."""
    has_reasons = any(step.cause_id or step.detail for step in steps)
    params: dict[str, Any] = {
        "ids": claiming.as_array(step.traveller.id for step in steps),
        "version": due.version,
        "outcome": branch,
        "follower": follower,
        "rests_until": rests_until,
        "actor": actor_id,
    }
    if has_reasons:
        params["causes"] = [step.cause_id for step in steps]
        params["details"] = [Jsonb(step.detail) for step in steps] if any(step.detail for step in steps) else None
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH {TRACE_EACH if has_reasons else TRACE_TOGETHER}
                UPDATE journeys_participant SET
                    tile = coalesce(%(follower)s, tile),
                    state = CASE WHEN %(follower)s::text IS NULL THEN 'done' ELSE state END,
                    due_at = CASE WHEN %(follower)s::text IS NOT NULL
                                  THEN coalesce(%(rests_until)s::timestamptz, now()) END,
                    left_at = CASE WHEN %(follower)s::text IS NULL THEN now() END,
                    arrived_at = now(), deadline_at = %(rests_until)s, deadline_xid = NULL, reason = ''
                WHERE id = ANY(%(ids)s::bigint[])""",
            params,
        )
        leads = [(step.lead_id, step.traveller.id) for step in steps if step.lead_id]
        if leads:
            cursor.executemany("UPDATE journeys_participant SET lead_id = %s WHERE id = %s", leads)


def _stay(looks: Sequence[Look]) -> None:
    """Note when those who stay are looked at again; who arrived together waits together, so these are few sets."""
    together: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for look in looks:
        together[look.at, look.deadline_at, look.deadline_xid].append(look.traveller.id)
    if not together:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            """UPDATE journeys_participant SET due_at = %s, deadline_at = %s, deadline_xid = %s, reason = ''
               WHERE id = ANY(%s)""",
            [(*moments, ids) for moments, ids in together.items()],
        )


def _record_branch(due: Due, branch: str, steps: Sequence[Step]) -> None:
    names = registry.names_of({"tiles": {due.key: due.tile}})
    kind = registry.of(due.tile)
    labels = {way.key: str(way.label) for way in kind.branches(due.tile, names)}
    details = [
        {
            "journey": due.journey.name,
            "tile": str(kind.title(due.tile)),
            "branch": labels.get(branch, branch),
            "because": step.detail.get("because", ""),
        }
        for step in steps
    ]
    _record(
        "journey.branched",
        due.journey,
        [step.traveller for step in steps],
        details,
        tile=due.key,
        causes=[step.cause_id for step in steps],
    )


def _record(
    kind: str,
    journey: Journey,
    travellers: Sequence[Traveller],
    detail: dict[str, Any] | list[dict[str, Any]],
    *,
    tile: str = "",
    causes: Sequence[int | None] | None = None,
    actor_id: int | None = None,
) -> None:
    """One fact per person, by one statement."""
    timeline.record_select(
        kind,
        """SELECT person.contact_id, contact.account_id, person.lead_id, %(actor)s::bigint AS actor_id,
                  %(journey)s::bigint AS object_id, %(journey)s::bigint AS journey_id, %(tile)s AS tile,
                  person.cause_id, person.depth + 1 AS depth, coalesce(person.detail, %(detail)s::jsonb) AS detail
           FROM unnest(%(contacts)s::bigint[], %(leads)s::bigint[], %(causes)s::bigint[], %(depths)s::int[],
                       coalesce(%(details)s::jsonb[], '{}')) AS person (contact_id, lead_id, cause_id, depth, detail)
           CROSS JOIN LATERAL (SELECT account_id FROM contacts_contact WHERE id = person.contact_id LIMIT 1) contact""",
        {
            "contacts": [traveller.contact_id for traveller in travellers],
            "leads": [traveller.lead_id for traveller in travellers],
            "causes": list(causes or [traveller.cause_id for traveller in travellers]),
            "depths": [traveller.depth for traveller in travellers],
            "details": [Jsonb(one) for one in detail] if isinstance(detail, list) else None,
            "detail": Jsonb({} if isinstance(detail, list) else detail),
            "journey": journey.pk,
            "tile": tile,
            "actor": actor_id,
        },
        columns=(
            "contact_id",
            "account_id",
            "lead_id",
            "actor_id",
            "object_id",
            "journey_id",
            "tile",
            "cause_id",
            "depth",
            "detail",
        ),
        lane=Lane.BULK if len(travellers) > BULK_FROM else Lane.LIVE,
    )
