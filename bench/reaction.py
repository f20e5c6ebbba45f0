"""P2: from an event to membership, score and stage, at 500 events a second; the bar is a p95 of 2 seconds."""

import threading
import time
from pathlib import Path

from django.db import connection

from bench.data import Company, read_all
from bench.harness import Result
from contacts import timeline
from contacts.timeline import TABLE
from leads.models import Lead
from scoring.models import Grade, ScoringModel, ScoringRule
from segments import membership
from segments.models import Segment
from tenants import wakeups
from tenants.scope import tenant_scope

RATE, SECONDS = 500, 10
# Events come in transactions of this many, as the tracking door commits them.
GROUP = 25
LEARNED = """
SELECT count(*),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM reaction.recorded_at - event.recorded_at)),
       max(extract(epoch FROM reaction.recorded_at - event.recorded_at))
FROM {table} event JOIN {table} reaction ON reaction.contact_id = event.contact_id AND reaction.kind = %(kind)s
WHERE event.kind = 'email.clicked' AND event.object_id = 999 AND event.lane = 'live'
  AND reaction.recorded_at >= %(since)s AND event.recorded_at >= %(since)s
"""
REACTIONS = {"segment.entered": "to membership", "score.changed": "to score", "lead.stage_changed": "to stage"}


def measure(company: Company, folder: Path) -> list[Result]:
    """Each event is the first click of another lead's contact: it enters a segment, scores and becomes MQL."""
    count = min(RATE * SECONDS, company.leads)
    with tenant_scope(company.tenant):
        contact_ids = list(Lead.objects.order_by("pk").values_list("contact_id", flat=True)[:count])
        _rules(company)
    read_all(company)
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        since = cursor.fetchone()[0]
    has_ended = threading.Event()
    reactor = threading.Thread(target=_react, args=(has_ended,))
    reactor.start()
    start = time.monotonic()
    _record(company, contact_ids, start)
    has_ended.set()
    reactor.join()
    return [_learned(company, kind, what, since, count) for kind, what in REACTIONS.items()]


def _rules(company: Company) -> None:
    rule = {"did": "email.clicked", "object": 999, "within_days": 90}
    segment = Segment.objects.create(name="Clicked just now", rule=rule, state=Segment.State.LIVE)
    membership.refresh(segment)
    ScoringModel.objects.filter(is_primary=True).update(is_primary=False, state=ScoringModel.State.ARCHIVED)
    model = ScoringModel.objects.create(name="Reaction", state="live", is_primary=True, threshold=50)
    Grade.objects.create(model=model, name="A", lower_bound=50)
    Grade.objects.create(model=model, name="B", lower_bound=None)
    ScoringRule.objects.create(model=model, name="clicked", rule=rule, points=60)


def _record(company: Company, contact_ids: list[int], start: float) -> None:
    """Events at RATE a second, in small transactions."""
    for place in range(0, len(contact_ids), GROUP):
        with tenant_scope(company.tenant):
            rows = [{"contact_id": id_, "object_id": 999} for id_ in contact_ids[place : place + GROUP]]
            timeline.record_many("email.clicked", rows)
        ahead = start + (place + GROUP) / RATE - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)


def _react(has_ended: threading.Event) -> None:
    """What one worker does: work off whatever is due, as it comes due."""
    try:
        while not (has_ended.is_set() and not wakeups.due()):
            if not wakeups.run_due(budget=5):
                time.sleep(0.02)
    finally:
        connection.close()


def _learned(company: Company, kind: str, what: str, since: object, count: int) -> Result:
    with tenant_scope(company.tenant), connection.cursor() as cursor:
        cursor.execute(LEARNED.format(table=TABLE), {"kind": kind, "since": since})
        reached, p95, slowest = cursor.fetchone()
    assert reached >= count, f"{kind}: {reached} of {count} events had their effect"
    return Result(
        "P2", f"event {what}, p95 at {RATE}/s", count, float(slowest), None, "s (p95)", rate=float(p95), wanted="2 s"
    )
