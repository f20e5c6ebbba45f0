"""The sender: drains one tenant's outbox over a few connections.

    claim (scope) → make → final dot leaves (journal) → reply (journal) → record in bulk (scope)

The database is used by the calling thread alone; couriers, a thread per connection, make mails and talk to the server.
Killed anywhere, nothing is sent twice: what had not begun is queued again, what was finished is recorded from the
journal, and at most one message per connection is uncertain.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings

from messaging import claiming, journal, outcomes, stopping, transports
from messaging.couriers import Courier, Desk
from messaging.journal import Journal, Result
from messaging.making import Maker
from messaging.models import Message
from messaging.outbox import QUEUE
from messaging.outcomes import Outcome
from messaging.transports import Transport
from tenants.housekeeping import chore
from tenants.models import Tenant
from tenants.postgres.statistics import Statistics
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome as Left
from tenants.wakeups import queue

# Messages claimed at once: more while the server keeps up, so that a slow one does not hold a thousand leases.
FIRST_BATCH, LARGEST_BATCH = 50, 1_000
# One more connection for so many messages that wait.
MESSAGES_PER_CONNECTION = 200
# Results are recorded in sets of this many, or after this many seconds.
RECORD_COUNT, RECORD_SECONDS = 500, 0.5
PAUSE = 0.005


@queue(QUEUE)
def work(tenant_id: int, deadline: float) -> Left:
    """Send a tenant's due mail until none is left, the deadline has come, or the process is asked to stop."""
    tenant = Tenant.objects.get(pk=tenant_id)
    transport = transports.of(tenant)
    with tenant_scope(tenant):
        claiming.settle_abandoned()
    pause, has_more, trouble = transports.paused_until(transport), False, None
    if pause is None:
        with stopping.noticed() as is_asked:
            run = Run(tenant, transport, lambda: is_asked() or time.monotonic() >= deadline)
            run.go()
        pause, has_more, trouble = run.paused_until, run.has_more, run.trouble
    with tenant_scope(tenant):
        if trouble is not None:
            transports.tell(trouble)
        next_due = claiming.next_due()
    return Left(next_due=pause or next_due, has_more=has_more and pause is None)


@chore("journals", timedelta(hours=6))
def clear_journals() -> None:
    """Remove journals that nobody needs any more."""
    journal.remove_old()


class Run:
    """One drain of a tenant's outbox. `has_more` and `paused_until` say how it ended, `trouble` why the server could
    not be used ("": it could; None: nobody asked it)."""

    def __init__(self, tenant: Tenant, transport: Transport, must_stop: Callable[[], bool]) -> None:
        self.has_more = False
        self.paused_until: datetime | None = None
        self.trouble: str | None = None
        self._tenant = tenant
        self._transport = transport
        self._must_stop = must_stop
        self._lease = uuid4()
        self._maker = Maker(tenant, for_catcher=transport.is_catcher)
        self._couriers: list[Courier] = []
        self._batch = FIRST_BATCH
        self._statistics = Statistics(tenant.pk, Message)
        self._recorded_at = time.monotonic()

    def go(self) -> None:
        """Send until there is nothing left or it must stop; everything is recorded or given back when it returns."""
        notes, is_settled = Journal(self._lease), False
        self._desk = Desk(notes)
        try:
            try:
                self._send()
            finally:
                self._end_couriers()
            self._record(is_last=True)
            is_settled = True
        finally:
            # Whatever the database did: a journal that this process went on holding could never be settled.
            notes.close(is_settled=is_settled)

    def _send(self) -> None:
        may_claim = True
        while not self._must_stop():
            if may_claim and len(self._desk) < self._batch // 2:
                may_claim = self._claim()
            self._record()
            if not self._keep_couriers():
                return
            if not may_claim and not len(self._desk) and not any(c.is_busy for c in self._couriers):
                return
            time.sleep(PAUSE)
        self.has_more = True

    def _claim(self) -> bool:
        """Claim the next batch for the couriers; False if fewer were due than asked for."""
        with tenant_scope(self._tenant):
            claimed, is_full = claiming.claim(self._lease, self._batch)
            ready, broken = self._maker.prepare(claimed)
        for message_id, reason in broken:
            self._desk.finish(Result(message_id, Outcome.BROKEN, 0, reason))
        self._desk.put(ready)
        self._batch = min(self._batch * 2, LARGEST_BATCH)
        if is_full:
            # Whoever has little waiting is claimed as quickly by any index.
            self._statistics.keep_up()
        return is_full

    def _keep_couriers(self) -> bool:
        """As many couriers as the work asks for; False when the server cannot be used."""
        for courier in [courier for courier in self._couriers if not courier.is_alive()]:
            self._couriers.remove(courier)
            if courier.has_connected:
                transports.worked(self._transport)
                self.trouble = ""
            # A server may close a connection that has carried mail; another one is opened then.
            if courier.error and not courier.was_useful:
                self.paused_until = transports.failed(self._transport, is_ours=courier.is_ours)
                self.trouble = courier.error
                return False
        wanted = min(settings.EMAIL_CONNECTIONS, -(-len(self._desk) // MESSAGES_PER_CONNECTION))
        if len(self._couriers) < wanted:
            courier = Courier(self._desk, self._transport)
            self._couriers.append(courier)
            courier.start()
        return True

    def _record(self, *, is_last: bool = False) -> None:
        """Write results to the database, when there are enough of them or the last set has waited."""
        since = time.monotonic() - self._recorded_at
        is_time = self._desk.result_count >= RECORD_COUNT or since >= RECORD_SECONDS
        if not is_last and not is_time:
            return
        self._recorded_at = time.monotonic()
        results, doubtful = self._desk.drain()
        left_over = self._desk.left_over() if is_last else []
        if results or doubtful or left_over:
            with tenant_scope(self._tenant):
                outcomes.record(self._lease, results)
                outcomes.doubt(self._lease, doubtful)
                outcomes.give_back(self._lease, left_over)

    def _end_couriers(self) -> None:
        """Let each courier finish the mail at hand."""
        self._desk.stop()
        for courier in self._couriers:
            courier.join()
            if courier.has_connected and self.paused_until is None:
                transports.worked(self._transport)
                self.trouble = ""
