"""Carrying out the outbox of one connection.

    claim (scope) → plan (scope) → commit → write, outside of any transaction → record (scope)

Every write goes by our key or by the version that we know, so that one whose answer was lost can be repeated: it meets
what it has made. Before that it is looked for, because sales may have begun to work on it.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.utils import timezone

from integrations.client import CallFailed, Rejected
from integrations.connections import runs
from integrations.crm import applying, claiming, erasing, knowing, links, outcomes, pace
from integrations.crm.interface import Outcome, Result, Session
from integrations.crm.planning import Plan, Planned, Planner
from integrations.models import Connection, CrmChange, RecordLink, SyncRun
from tenants.postgres.statistics import Statistics
from tenants.scope import tenant_scope

# Changes per batch: with the records of a handoff far below what a CRM takes in one call.
BATCH = 200
OUT = "out"
# Answers to a whole call that are about a unit in it: the units are then tried by themselves.
ABOUT_A_UNIT = frozenset({400, 404, 409, 412, 413, 422})


class Sender:
    """One drain of a connection's outbox."""

    def __init__(self, connection: Connection, session: Session, deadline: float) -> None:
        self._connection, self._session, self._deadline = connection, session, deadline
        self._tenant_id = connection.tenant_id
        self._lease = uuid4()
        self._run: SyncRun | None = None

    def go(self) -> bool:
        """Write; True if nothing is left that is due, False if the time is over. Raises CallFailed, all given back."""
        with tenant_scope(self._tenant_id):
            claiming.settle(self._connection)
        # Whoever has little waiting is claimed as quickly by any index.
        statistics = Statistics(self._tenant_id, CrmChange, RecordLink)
        while time.monotonic() < self._deadline:
            with tenant_scope(self._tenant_id):
                changes = claiming.claim(self._connection, self._lease, BATCH)
            if not changes:
                self._finish()
                return True
            if len(changes) == BATCH:
                statistics.keep_up()
            try:
                self._carry_out(changes)
            except CallFailed as failure:
                self._give_back(failure)
                raise
        return False

    def _carry_out(self, changes: Sequence[CrmChange]) -> None:
        self._look_before_repeating(changes)
        with tenant_scope(self._tenant_id):
            if self._run is None:
                self._run = runs.begin(self._connection, OUT)
            plan = Planner(self._connection, changes).plan()
            outcomes.end(self._connection, self._lease, plan.ended)
        recorder = outcomes.Recorder(self._connection, self._lease)
        self._write(recorder, plan.planned)
        for change in plan.erasures:
            self._erase(recorder, change)
        self._count(plan)

    def _look_before_repeating(self, changes: Sequence[CrmChange]) -> None:
        """Look for what an earlier attempt may have made without our hearing of it."""
        repeated = [change.object_id for change in changes if change.is_uncertain and change.object_id]
        if not repeated:
            return
        with tenant_scope(self._tenant_id, read_only=True):
            found = knowing.doubtful(self._connection, repeated)
        for entity, rows in found.items():
            self._read_again(entity, rows)

    def _read_again(self, entity: str, found: Sequence[RecordLink]) -> None:
        """Read records and decide about what they are now; what is to be written then goes out by the next plan."""
        records = self._session.read(entity, [links.reference(link) for link in found])
        with tenant_scope(self._tenant_id):
            read = [record for record in records if record is not None]
            applying.apply(self._connection, entity, read)
            gone = [
                link
                for link, record in zip(found, records, strict=True)
                if record is None and link.external_id
            ]  # fmt: skip
            knowing.unlink(self._connection, gone)

    def _write(self, recorder: outcomes.Recorder, planned: Sequence[Planned]) -> None:
        if not planned:
            return
        began = timezone.now()
        try:
            results = self._session.write([unit.writes for unit in planned])
        except Rejected as failure:
            if failure.status not in ABOUT_A_UNIT:
                raise
            self._write_by_halves(recorder, planned, failure)
            return
        with tenant_scope(self._tenant_id):
            if written_at := _written_at(results):
                pace.set_clock(self._connection, written_at, began)
            contested = recorder.record(list(zip(planned, results, strict=True)))
        for entity, found in contested.items():
            self._read_again(entity, found)
        if denied := next((result for result in results if result.outcome == Outcome.DENIED), None):
            raise Rejected(denied.error, status=403)

    def _write_by_halves(self, recorder: outcomes.Recorder, planned: Sequence[Planned], failure: Rejected) -> None:
        """One unit has spoilt the call for all: the others are written, and it is parked."""
        if len(planned) > 1:
            half = len(planned) // 2
            self._write(recorder, planned[:half])
            self._write(recorder, planned[half:])
            return
        with tenant_scope(self._tenant_id):
            recorder.refuse(planned[0], failure.text)

    def _erase(self, recorder: outcomes.Recorder, change: CrmChange) -> None:
        """Let what we have erased be erased there, as the connection says."""
        way = erasing.way(self._connection)
        if change.link is not None and way != erasing.KEEP:
            try:
                self._session.erase(change.link.entity, links.reference(change.link), is_emptied=way == erasing.EMPTY)
            except Rejected as failure:
                # A right that is only needed here stops nothing else.
                if failure.status not in {403, *ABOUT_A_UNIT}:
                    raise
                with tenant_scope(self._tenant_id):
                    recorder.refuse(Planned([change], [], []), failure.text)
                return
        with tenant_scope(self._tenant_id):
            outcomes.save(self._lease, [change], CrmChange.State.DONE)
            erasing.forget(change)

    def _count(self, plan: Plan) -> None:
        if self._run is None:
            return
        counts = {"records": sum(len(unit.writes) for unit in plan.planned), "without_call": len(plan.ended)}
        with tenant_scope(self._tenant_id):
            runs.count(self._run, {name: number for name, number in counts.items() if number})

    def _finish(self) -> None:
        with tenant_scope(self._tenant_id):
            pace.ease(self._connection)
            # Also what a killed worker began and has been finished by another.
            for run in SyncRun.objects.filter(connection=self._connection, kind=OUT, state=SyncRun.State.RUNNING):
                runs.finish(run)

    def _give_back(self, failure: CallFailed) -> None:
        """What was claimed waits as if it had not been."""
        with tenant_scope(self._tenant_id):
            claiming.give_back(self._lease)
            if self._run is not None:
                runs.fail(self._run, failure.text)


def _written_at(results: Sequence[Result]) -> datetime | None:
    """When they say that something was written just now."""
    return next((result.records[0].changed_at for result in results if result.records), None)
