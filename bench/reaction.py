"""P2: from an event to membership, score, stage and moved participant, at 500 events a second; a p95 of 2 seconds.

Beside it runs a writer that records other facts in the bulk lane, in chunks, as an import would.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone

from bench.data import Company, read_all
from bench.harness import Result
from contacts import timeline
from contacts.models.timeline import Lane
from contacts.timeline import TABLE
from journeys import engine
from journeys.models import Journey, JourneyVersion, Participant
from leads.models import Lead
from scoring.models import Grade, ScoringModel, ScoringRule
from segments import membership
from segments.models import Segment
from tenants import wakeups
from tenants.scope import tenant_scope

RATE, SECONDS = 500, 10
# Events come in transactions of this many, as the tracking door commits them.
GROUP = 25
# The writer beside it: facts per transaction, and how long it pauses after each (10,000 a second at most).
CHUNK, PAUSE = 5_000, 0.5
# The page that those who are measured visit; nobody has before.
PAGE = 999
REACTIONS = {
    "to membership": "contacts_interaction WHERE kind = 'segment.entered' AND recorded_at",
    "to score": "contacts_interaction WHERE kind = 'score.changed' AND recorded_at",
    "to stage": "contacts_interaction WHERE kind = 'lead.stage_changed' AND recorded_at",
    "to moved participant": "journeys_visit WHERE tile = 'asks' AND outcome = 'yes' AND at",
}
# From the beginning of the event's transaction to the commit of the reaction's: what anybody could see.
LEARNED = """
SELECT count(*), percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds), max(seconds) FROM (
    SELECT extract(epoch FROM pg_xact_commit_timestamp(reaction.xid) - event.recorded_at) AS seconds
    FROM {table} event JOIN (SELECT contact_id, xmin AS xid FROM {reaction} >= %(since)s) reaction
      ON reaction.contact_id = event.contact_id
    WHERE event.kind = 'page.visited' AND event.object_id = %(page)s AND event.lane = 'live'
      AND event.recorded_at >= %(since)s) learned
"""


def measure(company: Company, folder: Path) -> list[Result]:
    """Each event is the first visit of another lead's contact: she enters a segment, scores, becomes MQL and moves."""
    count = min(RATE * SECONDS, company.leads)
    with tenant_scope(company.tenant):
        contact_ids = list(Lead.objects.order_by("pk").values_list("contact_id", flat=True)[:count])
        _rules(company)
        _waiting(contact_ids)
    read_all(company)
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        since = cursor.fetchone()[0]
    has_ended = threading.Event()
    beside = [threading.Thread(target=work, args=(company, has_ended)) for work in (_react, _move, _import)]
    for thread in beside:
        thread.start()
    _record(company, contact_ids, time.monotonic())
    has_ended.set()
    for thread in beside:
        thread.join()
    return [_learned(company, what, reaction, since, count) for what, reaction in REACTIONS.items()]


def _rules(company: Company) -> None:
    rule = {"did": "page.visited", "object": PAGE, "within_days": 90}
    segment = Segment.objects.create(name="Visited just now", rule=rule, state=Segment.State.LIVE)
    membership.refresh(segment)
    ScoringModel.objects.filter(is_primary=True).update(is_primary=False, state=ScoringModel.State.ARCHIVED)
    model = ScoringModel.objects.create(name="Reaction", state="live", is_primary=True, threshold=50)
    Grade.objects.create(model=model, name="A", lower_bound=50)
    Grade.objects.create(model=model, name="B", lower_bound=None)
    ScoringRule.objects.create(model=model, name="visited", rule=rule, points=60)


def _waiting(contact_ids: list[int]) -> None:
    """A live journey in which they all wait for the visit."""
    journey = Journey.objects.create(name="Reaction", state=Journey.State.LIVE)
    asks = {"event": "page.visited", "page": PAGE, "amount": 3, "unit": "days"}
    tiles = {
        "start": {"kind": "audience", "name": "", "settings": {}, "next": {"next": "asks"}},
        "asks": {"kind": "if_then", "name": "", "settings": asks, "next": {}},
    }
    JourneyVersion.objects.create(journey=journey, state="live", tiles={"root": "start", "tiles": tiles})
    ends_at = timezone.now() + timedelta(days=3)
    Participant.objects.bulk_create(
        Participant(journey=journey, contact_id=contact_id, tile="asks", due_at=ends_at, deadline_at=ends_at)
        for contact_id in contact_ids
    )


def _record(company: Company, contact_ids: list[int], start: float) -> None:
    """Events at RATE a second, in small transactions."""
    for place in range(0, len(contact_ids), GROUP):
        with tenant_scope(company.tenant):
            rows = [{"contact_id": id_, "object_id": PAGE} for id_ in contact_ids[place : place + GROUP]]
            timeline.record_many("page.visited", rows)
        ahead = start + (place + GROUP) / RATE - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)


def _closing(work: Callable[[Company, threading.Event], None]) -> Callable[[Company, threading.Event], None]:
    """A thread's work, with a connection of its own that is closed behind it."""

    def run(company: Company, has_ended: threading.Event) -> None:
        try:
            work(company, has_ended)
        finally:
            connection.close()

    return run


@_closing
def _react(company: Company, has_ended: threading.Event) -> None:
    """One worker: the reactor's queue."""
    _work_off(company, timeline.REACTOR, has_ended)


@_closing
def _move(company: Company, has_ended: threading.Event) -> None:
    """Another worker: the journeys' queue."""
    _work_off(company, engine.QUEUE, has_ended)


def _work_off(company: Company, queue: str, has_ended: threading.Event) -> None:
    """Work off a queue as it comes due, until both queues are empty."""
    while not (has_ended.is_set() and not {name for _tenant, name in wakeups.due()} & {timeline.REACTOR, engine.QUEUE}):
        if not wakeups.work(company.tenant.pk, queue, budget=5):
            time.sleep(0.02)


@_closing
def _import(company: Company, has_ended: threading.Event) -> None:
    """Stands in for an import: facts of the bulk lane, a chunk per transaction, about people in turn."""
    after = 0
    while not has_ended.is_set():
        with tenant_scope(company.tenant):
            timeline.record_select(
                "page.visited",
                "SELECT id AS contact_id, 1::bigint AS object_id FROM contacts_contact"
                " WHERE id > %(after)s ORDER BY id LIMIT %(chunk)s",
                {"after": after, "chunk": CHUNK},
                columns=("contact_id", "object_id"),
                lane=Lane.BULK,
            )
        after = (after + CHUNK) % company.contacts
        has_ended.wait(PAUSE)


def _learned(company: Company, what: str, reaction: str, since: object, count: int) -> Result:
    statement = LEARNED.format(table=TABLE, reaction=reaction)
    with tenant_scope(company.tenant), connection.cursor() as cursor:
        cursor.execute(statement, {"since": since, "page": PAGE})
        reached, p95, slowest = cursor.fetchone()
    assert reached >= count, f"{what}: {reached} of {count} events had their effect"
    return Result(
        "P2", f"event {what}, p95 at {RATE}/s", count, float(slowest), None, "s (p95)", rate=float(p95), wanted="2 s"
    )
