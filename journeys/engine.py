"""The engine: claims people whose turn it is, lets their tiles settle them, moves them; all in one transaction.

Any number of workers do this at once: claims skip what others hold. Killed between any two steps, a batch has happened
whole or not at all, and the wakeup that announced it is still there.
"""

import logging
import random
import time
from collections import defaultdict
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from journeys import claiming, entering, locking, moving, publishing
from journeys.models import Journey, JourneyVersion, Participant
from journeys.tiles import registry
from journeys.tiles.registry import Due, Traveller
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome, queue

logger = logging.getLogger(__name__)

QUEUE = "journeys"
BATCH = 5_000
# When to look again for what another worker holds, and at a tile that failed.
SOON, AFTER_FAILURE = timedelta(seconds=1), timedelta(minutes=5)


@queue(QUEUE, is_exclusive=False)
def work(tenant_id: int, deadline: float) -> Outcome:
    """Enrol audiences, end journeys and move people until nothing is due or the deadline has come."""
    while time.monotonic() < deadline:
        has_enrolled = _keep_dates(tenant_id)
        claimed = 0
        for journey_id in _with_due(tenant_id):
            claimed += run_batch(tenant_id, journey_id)
            if time.monotonic() >= deadline:
                break
        if not claimed and not has_enrolled:
            with tenant_scope(tenant_id):
                return Outcome(next_due=_next_due())
    return Outcome(has_more=True)


def run_batch(tenant_id: int, journey_id: int) -> int:
    """Claim one batch of a journey's due people and move them, in one transaction; returns how many were claimed."""
    with tenant_scope(tenant_id):
        opened = _open(journey_id)
        if opened is None:
            return 0
        journey, version = opened
        claiming.go_by_index()
        claimed = claiming.claim(journey, claiming.DUE, limit=BATCH)
        if not claimed:
            return 0
        horizon, xid, arrives_at = claiming.horizon()
        by_tile: dict[str, list[Traveller]] = defaultdict(list)
        stops = []
        for traveller in claimed:
            if traveller.stop_reason:
                stops.append((traveller, traveller.stop_reason))
            elif traveller.tile not in version.tiles["tiles"]:
                stops.append((traveller, "tile_removed"))
            else:
                by_tile[traveller.tile].append(traveller)
        if stops:
            moving.stop(journey, version.number, stops)
        zone = journey.time_zone or Tenant.objects.values_list("time_zone", flat=True).get(pk=tenant_id)
        for key, travellers in by_tile.items():
            limit = registry.of(version.tiles["tiles"][key]).batch
            due = Due(
                journey=journey,
                version=version.number,
                tree=version.tiles,
                key=key,
                travellers=travellers[:limit],
                now=timezone.now(),
                horizon=horizon,
                xid=xid,
                time_zone=zone,
                arrives_at=arrives_at,
            )
            _run_tile(due)
        return len(claimed)


def _run_tile(due: Due) -> None:
    """Let a tile settle its people. One that fails harms no other: its people stay, say why, and are tried again."""
    try:
        with transaction.atomic():
            registry.of(due.tile).run(due)
            settled = len(due.steps) + len(due.looks) + len(due.stops)
            if settled != len(due.travellers):
                raise RuntimeError(f"tile {due.key} settled {settled} of {len(due.travellers)} people")
            moving.apply(due)
    except Exception as error:
        if isinstance(error, OperationalError):
            raise  # a deadlock, a lost connection: the whole batch is done again
        logger.exception("Tile %s of journey %s failed; its people stay", due.key, due.journey.pk)
        Participant.objects.filter(pk__in=due.ids).update(
            due_at=due.now + AFTER_FAILURE, reason=f"error: {type(error).__name__}: {error}"[:500]
        )


def _open(journey_id: int) -> tuple[Journey, JourneyVersion] | None:
    """A live journey and its live version, shared with other workers: pausing and going live wait for the batch."""
    locking.share(journey_id)
    version = (
        JourneyVersion.objects.select_related("journey")
        .filter(journey_id=journey_id, state=JourneyVersion.State.LIVE, journey__state=Journey.State.LIVE)
        .first()
    )
    return (version.journey, version) if version else None


def _with_due(tenant_id: int) -> list[int]:
    """The live journeys with people whose turn it is, in random order, so that workers begin at different ones."""
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(
            """SELECT id FROM journeys_journey journey WHERE state = 'live' AND EXISTS (
                 SELECT FROM journeys_participant person
                 WHERE person.journey_id = journey.id AND person.state = 'active' AND person.due_at <= now())"""
        )
        found = [journey_id for (journey_id,) in cursor.fetchall()]
    random.shuffle(found)
    return found


def _keep_dates(tenant_id: int) -> bool:
    """Do what journeys' dates ask for: starts (a chunk of the audience each), ends; True if anything was done."""
    with tenant_scope(tenant_id):
        now = timezone.now()
        starting = Journey.objects.filter(state=Journey.State.LIVE, enrolled_to__isnull=False)
        ids = [journey.pk for journey in starting if journey.starts_at is None or journey.starts_at <= now]
    has_enrolled = [_enrol(tenant_id, journey_id) for journey_id in ids]
    with tenant_scope(tenant_id):
        has_ended = publishing.end_due(now)
    return any(has_enrolled) or has_ended


def _enrol(tenant_id: int, journey_id: int) -> bool:
    """Enter one chunk of a journey's audience, unless another worker is at it; True if a chunk was entered."""
    with tenant_scope(tenant_id):
        if not locking.take_enrolment(journey_id):
            return False
        opened = _open(journey_id)
        if opened is None or opened[0].enrolled_to is None:
            return False
        claiming.go_by_index()
        entering.enrol_chunk(opened[0], opened[1].tiles)
        return True


def _next_due() -> datetime | None:
    """When the queue must be looked at again: the next turn of anybody, start or end of a journey.

    What is due already is held by another worker: it is looked at again soon, should that worker be killed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT min(moment) FROM (
                 SELECT (SELECT min(due_at) FROM journeys_participant person
                         WHERE person.journey_id = journey.id AND person.state = 'active') AS moment
                 FROM journeys_journey journey WHERE state = 'live'
                 UNION ALL SELECT coalesce(starts_at, now()) FROM journeys_journey
                   WHERE state = 'live' AND enrolled_to IS NOT NULL
                 UNION ALL SELECT ends_at FROM journeys_journey WHERE state = 'live' AND ends_at > now()) moments"""
        )
        moment = cursor.fetchone()[0]
    return max(moment, timezone.now() + SOON) if moment else None
