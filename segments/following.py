"""Segments follow the timeline and the clock: the reader "segments".

Each batch says which contacts were touched and how; a segment whose rule watches it tests them again. Windows that
run out are tested by their clocks, and whole segments (after go-live, a changed rule, in the nightly check) in steps
that let the reader's work through in between.
"""

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import DataError, ProgrammingError, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from contacts import timeline
from contacts.models import Contact
from contacts.reactor import Batch, Fact
from segments import membership
from segments.membership import Cause, Diff
from segments.models import Segment, SegmentClock
from segments.rules import Did, Rule, RuleError, Sequence, Vocabulary, Watches, leaves, watches
from tenants.housekeeping import chore
from tenants.models import Heartbeat, Tenant
from tenants.scope import tenant_scope
from tenants.wakeups import announce

logger = logging.getLogger(__name__)

# Contacts that one statement tests; by then looking each up still beats a pass over everybody.
CHUNK = 2_000
# Seconds that whole segments may take of the reactor's time before it reads again.
SLICE = 2.0
# The nightly check counts as drift only what nothing has touched for so long.
SETTLED = timedelta(hours=1)
DRIFT = "fault:segments"


class Follower:
    """A live segment with its rule, ready to be tested."""

    def __init__(self, segment: Segment, rule: Rule) -> None:
        self.segment = segment
        self.rule = rule
        self.watches: Watches = watches(rule)
        # Whether what one person does, or her company's change, concerns the company's other people.
        self.by_account = any(
            isinstance(leaf, Did | Sequence) and leaf.by == "account_contacts" for leaf in leaves(rule.root)
        )

    def touched(self, batch: Batch) -> dict[int, Cause]:
        """The contacts to test again, each with the last row that made it so."""
        rows = [row for row in batch.rows if self.watches.touched_by(row.kind, row.object_id, row.detail)]
        touched = {row.contact_id: Cause(row.id, row.depth) for row in rows if row.contact_id}
        touched |= {row.detail["other_id"]: Cause(row.id, row.depth) for row in rows if row.kind == "contact.merged"}
        if self.by_account:
            return touched | _colleagues(rows) if rows else touched
        about_accounts = [row for row in rows if row.account_id and not row.contact_id]
        return _colleagues(about_accounts) | touched if about_accounts else touched


def run(batch: Batch) -> None:
    """Test what the batch's rows touched, segments that others ask about first.

    In the reader's transaction: memberships and the cursor commit together.
    """
    for follower in followers():
        touched = follower.touched(batch)
        ids = sorted(touched)
        for start in range(0, len(ids), CHUNK):
            _test(follower.segment, follower.rule, ids[start : start + CHUNK], touched)


def followers() -> list[Follower]:
    """The live dynamic segments of the scope, those that others ask membership of before them.

    A segment whose rule has come to name what no longer exists says so and keeps its members until it is corrected, or
    the nightly check finds it right again.
    """
    vocabulary = Vocabulary()
    found: dict[int, Follower] = {}
    for segment in _live().filter(error="").order_by("pk"):
        try:
            found[segment.pk] = Follower(segment, membership.rule_of(segment, vocabulary))
        except RuleError as error:
            _break(segment, error.message)
    return _in_order(found)


def _live() -> QuerySet[Segment]:
    return Segment.objects.filter(kind=Segment.Kind.DYNAMIC, state=Segment.State.LIVE)


def due(tenant_id: int, now: datetime, deadline: float) -> datetime | None:
    """Do what the clock asks for: whole segments that wait, then windows that ran out; the next moment to look."""
    until = min(deadline, time.monotonic() + SLICE)
    while segment_id := _waiting(tenant_id):
        _evaluate_whole(tenant_id, segment_id)
        if time.monotonic() >= until:
            return now
    while _test_due(tenant_id):
        if time.monotonic() >= until:
            return now
    with tenant_scope(tenant_id, read_only=True):
        return SegmentClock.objects.order_by("next_change_at").values_list("next_change_at", flat=True).first()


def _waiting(tenant_id: int) -> int | None:
    """A live segment that waits for being evaluated as a whole; changed rules before checks."""
    with tenant_scope(tenant_id, read_only=True):
        return _live().exclude(pending="").order_by("-pending", "pk").values_list("pk", flat=True).first()


def _evaluate_whole(tenant_id: int, segment_id: int) -> None:
    """One step of evaluating a segment for everybody, in a transaction of its own."""
    with tenant_scope(tenant_id):
        segment = Segment.objects.get(pk=segment_id)
        is_check = segment.pending == Segment.Pending.CHECK and not segment.error
        try:
            with transaction.atomic():
                diff = membership.refresh(segment)
        except RuleError as error:
            return _break(segment, error.message)
        except (DataError, ProgrammingError) as error:
            return _fail(segment, error)
        if is_check:
            _note_drift(segment, diff)
    return None


def _note_drift(segment: Segment, diff: Diff) -> None:
    """The check found differences: what had settled should have been right, so it is an error that operators see."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM unnest(%s::bigint[]) given (id) WHERE NOT EXISTS (
                 SELECT FROM contacts_interaction i WHERE i.contact_id = given.id AND i.recorded_at > %s
                 AND i.kind NOT IN ('segment.entered', 'segment.left'))""",
            [diff.contact_ids, timezone.now() - SETTLED],
        )
        drift = cursor.fetchone()[0]
    Segment.objects.filter(pk=segment.pk).update(checked_at=Now())
    if drift:
        Segment.objects.filter(pk=segment.pk).update(drift=F("drift") + drift)
        logger.error("Segment %s: the nightly check corrected %s memberships", segment.pk, drift)
        Heartbeat.objects.update_or_create(name=DRIFT, defaults={"at": Now()})


def _test_due(tenant_id: int) -> bool:
    """Test some of the contacts whose window ran out; False if there is none."""
    with tenant_scope(tenant_id):
        by_segment: dict[int, list[int]] = {}
        clocks = SegmentClock.objects.filter(next_change_at__lte=Now()).order_by("next_change_at")[:CHUNK]
        for segment_id, contact_id in clocks.values_list("segment_id", "contact_id"):
            by_segment.setdefault(segment_id, []).append(contact_id)
        if not by_segment:
            return False
        for follower in followers():
            if ids := by_segment.pop(follower.segment.pk, None):
                _test(follower.segment, follower.rule, ids, {})
        # Of segments that are not followed any more.
        SegmentClock.objects.filter(segment__in=by_segment).delete()
    return True


def _test(segment: Segment, rule: Rule, ids: list[int], causes: dict[int, Cause]) -> None:
    """Test contacts; a rule that Postgres cannot run is put aside, so that it does not stop the tenant's reactor."""
    try:
        with transaction.atomic():
            membership.retest(segment, rule, ids, causes)
    except (DataError, ProgrammingError) as error:
        _fail(segment, error)


def _fail(segment: Segment, error: Exception) -> None:
    logger.error("Segment %s cannot be evaluated", segment.pk, exc_info=error)
    _break(segment, str(error).splitlines()[0])


def _break(segment: Segment, message: str) -> None:
    """Show what is wrong with a segment's rule; nothing is evaluated by the clock until it is corrected."""
    membership.empty_clocks(segment)
    if segment.error != message or segment.pending:
        Segment.objects.filter(pk=segment.pk).update(error=message, pending="")


def _colleagues(rows: Iterable[Fact]) -> dict[int, Cause]:
    """Everybody at the companies of the rows: of the persons as they are now, or named by the row itself."""
    causes = {row.account_id: Cause(row.id, row.depth) for row in rows if row.account_id}
    people = Contact.objects.filter(pk__in={row.contact_id for row in rows if row.contact_id})
    now_at = dict(people.exclude(account=None).values_list("pk", "account_id"))
    causes |= {now_at[row.contact_id]: Cause(row.id, row.depth) for row in rows if row.contact_id in now_at}
    found = Contact.objects.filter(account__in=causes, is_active=True).values_list("pk", "account_id")
    return {contact_id: causes[account_id] for contact_id, account_id in found}


def _in_order(found: dict[int, Follower]) -> list[Follower]:
    """Segments before those that ask about them (circles are refused at saving)."""
    ordered: dict[int, Follower] = {}

    def place(key: int) -> None:
        follower = found.pop(key, None)
        if follower is None:
            return
        for needed in sorted(follower.watches.segments):
            place(needed)
        ordered[key] = follower

    for key in list(found):
        place(key)
    return list(ordered.values())


@chore("segments-check", timedelta(days=1))
def check_all() -> None:
    """Once a day, have every live segment evaluated for everybody: following must have kept it right already."""
    for tenant_id in Tenant.objects.values_list("pk", flat=True):
        with tenant_scope(tenant_id):
            waiting = _live().filter(pending=Segment.Pending.NOTHING)
            if waiting.update(pending=Segment.Pending.CHECK, drift=0):
                announce(timeline.REACTOR)
