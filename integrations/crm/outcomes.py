"""Recording what became of writes: the changes of the outbox, and through `knowing` their records."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from psycopg.types.json import Jsonb

from contacts import timeline
from integrations.crm import history, knowing, reasons
from integrations.crm.interface import How, Outcome, Record, Result, Status, Write
from integrations.crm.planning import Ended, Planned
from integrations.models import Connection, CrmChange, RecordLink
from leads.models import Lead

Kind, State = CrmChange.Kind, CrmChange.State
# Seconds after each attempt that failed for the record's own sake; then it is parked.
SCHEDULE = (30, 120, 600, 1_800, 7_200, 21_600, 43_200, 86_400)
# So often somebody who edits there at the same time is met again at once.
AT_ONCE = 3
# How many attempts are kept, and of an error's text.
KEPT, LONGEST = 10, 1_000
Contested = dict[str, list[RecordLink]]


class Recorder:
    """Records the results of one connection's batch, in the tenant's scope."""

    def __init__(self, connection: Connection, lease: UUID) -> None:
        self._connection, self._lease = connection, lease

    def record(self, results: Sequence[tuple[Planned, Result]]) -> Contested:
        """Record a batch; returns by entity the links whose records have to be read again."""
        contested: Contested = defaultdict(list)
        self._written([(unit, result) for unit, result in results if result.outcome == Outcome.WRITTEN])
        for unit, result in results:
            if result.outcome in (Outcome.CONFLICT, Outcome.CLOSED):
                self._retry(unit, result, reasons.CONTESTED)
                for link in unit.links:
                    if link is not None and link.external_id:
                        contested[link.entity].append(link)
            elif result.outcome == Outcome.GONE:
                self._gone(unit, result)
            elif result.outcome == Outcome.REJECTED:
                self.refuse(unit, result.error)
            elif result.outcome == Outcome.LATER:
                self._retry(unit, result, reasons.EXHAUSTED)
        return contested

    def refuse(self, unit: Planned, error: str) -> None:
        """Park what will never be taken as it is."""
        save(self._lease, unit.changes, State.PARKED, reasons.REJECTED, error)
        overtake(self._connection, unit.changes, is_mended=False)
        for link in unit.links:
            if link is not None:
                history.note(link, error[:LONGEST])

    def _written(self, written: Sequence[tuple[Planned, Result]]) -> None:
        """Keep what they have now, and end the changes: a fixed number of statements for any number of units."""
        knowing.remember(
            [
                (link, _to_be_read(write, record))
                for unit, result in written
                for link, write, record in zip(unit.links, unit.writes, result.records, strict=True)
                if link is not None
            ]
        )
        if told := [pk for unit, _result in written for pk in unit.told]:
            knowing.told(told)
        changes = [change for unit, _result in written for change in unit.changes]
        finished = save(self._lease, changes, State.DONE)
        overtake(self._connection, changes)
        handed = {c.object_id for c in changes if c.pk in finished and c.kind == Kind.HANDOFF and c.object_id}
        rows = [
            {**history.about(lead), "detail": {"system": self._connection.name, "lead": lead.topic}}
            for lead in Lead.objects.filter(pk__in=handed).order_by("pk")
        ]
        timeline.record_many("crm.handed_over", rows)

    def _gone(self, unit: Planned, result: Result) -> None:
        """What is not there any more is unlinked; a handoff is then made anew, an update has nowhere to go."""
        written = [link.external_id for link in unit.links if link is not None and link.external_id]
        gone = RecordLink.objects.filter(connection=self._connection, external_id__in=result.missing or written)
        if not knowing.unlink(self._connection, list(gone)):
            return self._retry(unit, result, reasons.EXHAUSTED)
        if any(change.kind == Kind.HANDOFF for change in unit.changes):
            save(self._lease, unit.changes, State.QUEUED)
        else:
            save(self._lease, unit.changes, State.CANCELLED, reasons.UNLINKED)

    def _retry(self, unit: Planned, result: Result, reason: str) -> None:
        """Another attempt after a while; parked when there were too many."""
        count = max(change.attempt_count for change in unit.changes)
        if count > len(SCHEDULE):
            save(self._lease, unit.changes, State.PARKED, reason, result.error)
            return
        is_at_once = result.outcome in (Outcome.CONFLICT, Outcome.CLOSED) and count <= AT_ONCE
        save(self._lease, unit.changes, State.QUEUED, "", result.error, 0 if is_at_once else SCHEDULE[count - 1])


def _to_be_read(write: Write, record: Record) -> Record:
    """What came back of a write. If it met a record that sales has worked on since an attempt that we never heard of,
    the next read finds that out: it is kept without its version."""
    if write.how == How.UPSERT and record.standing.get("status", Status.OPEN) != Status.OPEN:
        return replace(record, version="", standing={})
    return record


def end(connection: Connection, lease: UUID, ended: Iterable[Ended]) -> None:
    """Record what was over without a call."""
    groups: dict[tuple[str, str, str], list[CrmChange]] = defaultdict(list)
    settled = []
    for one in ended:
        groups[one.state, one.reason, one.error].extend(one.changes)
        if one.link is not None and one.state == State.DONE:
            settled.append(one.link.pk)
        elif one.link is not None:
            history.note(one.link, one.error)
    RecordLink.objects.filter(pk__in=settled).update(changed={})
    for (state, reason, error), changes in groups.items():
        save(lease, changes, state, reason, error)
        if state in (State.DONE, State.PARKED):
            overtake(connection, changes, is_mended=state == State.DONE)


def overtake(connection: Connection, by: Sequence[CrmChange], *, is_mended: bool = True) -> None:
    """Let updates of the same records that were parked before be overtaken by these, which write all that differs: they
    are done, or parked instead. Index: changes_of_object."""
    parked = CrmChange.objects.filter(connection=connection, state=State.PARKED, kind=Kind.UPDATE)
    before = parked.filter(_of((change.entity, change.object_id) for change in by))
    found = list(before.exclude(pk__in=[change.pk for change in by]).values_list("pk", "entity", "object_id"))
    if not found:
        return
    overtaken = parked.filter(pk__in=[pk for pk, _entity, _id in found])
    overtaken.update(state=State.CANCELLED, reason=reasons.OVERTAKEN, finished_at=Now())
    if is_mended:
        records = _of((entity, object_id) for _pk, entity, object_id in found)
        RecordLink.objects.filter(records, connection=connection).update(problem="")


def _of(records: Iterable[tuple[str, int | None]]) -> Q:
    """What is about one of the records, (entity, our id) each."""
    ids: dict[str, set[int]] = defaultdict(set)
    for entity, pk in records:
        ids[entity] |= {pk} if pk else set()
    return reduce(or_, (Q(entity=entity, object_id__in=pks) for entity, pks in ids.items()), Q(pk__in=[]))


def save(
    lease: UUID, changes: Sequence[CrmChange], state: str, reason: str = "", error: str = "", wait: float = 0
) -> set[int]:
    """Set the state of those changes that are still on our lease, and keep the attempt; returns their ids.

    One statement; whoever lost its lease records nothing.
    """
    if not changes:
        return set()
    attempt = {"at": timezone.now().isoformat(), "outcome": reason or state, "error": error[:LONGEST]}
    rows = [{"id": one.pk, "attempts": [*one.attempts, attempt][-KEPT:]} for one in changes]
    params: dict[str, Any] = {
        "state": str(state),
        "reason": reason,
        "error": error[:LONGEST],
        "wait": wait,
        "rows": Jsonb(rows),
        "lease": lease,
    }
    with database.cursor() as cursor:
        cursor.execute(
            """UPDATE integrations_crmchange change
               SET state = %(state)s, reason = %(reason)s, error = %(error)s, lease_id = NULL, is_uncertain = false,
                   attempts = given.attempts, next_attempt_at = now() + make_interval(secs => %(wait)s),
                   finished_at = CASE WHEN %(state)s = 'queued' THEN NULL ELSE now() END
               FROM jsonb_to_recordset(%(rows)s) AS given (id bigint, attempts jsonb)
               WHERE change.id = given.id AND change.lease_id = %(lease)s AND change.state = 'sending'
               RETURNING change.id""",
            params,
        )
        return {pk for (pk,) in cursor.fetchall()}
