"""Late commits and two readers: what is read, once, whoever commits first."""

from collections.abc import Callable

import pytest
from django.db.models import Value
from django.db.models.functions import Cast

from contacts import reactor
from contacts.models import ReaderCursor
from contacts.reactor import Batch, Reader
from contacts.timeline import REACTOR
from tenants import wakeups
from tenants.fields import Xid8
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope
from tests.concurrency import hammer, processes
from tests.concurrency.threads import Gate, beside

pytestmark = pytest.mark.django_db(transaction=True)
# A transaction id beyond any that these tests see.
FAR = 2**62


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that the one reader has read, in order."""
    seen: list[int] = []
    reader = Reader("segments", run=lambda batch: seen.extend(row.id for row in batch.rows))
    monkeypatch.setattr(reactor, "_readers", {"segments": reader})
    return seen


def happened(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        hammer.happen()


def open_until(tenant: Tenant, gate: Gate) -> Callable[[], None]:
    """A fact in a transaction that stays open until the gate is opened."""

    def record() -> None:
        with tenant_scope(tenant):
            hammer.happen()
            gate.wait_here()

    return record


def late_commit(tenant: Tenant) -> None:
    """Of three facts the second one's transaction commits last; the readers look before and after it does."""
    late = Gate()
    happened(tenant)
    with beside(open_until(tenant, late)):
        late.is_reached()
        happened(tenant)
        wakeups.run_due()
        late.open()
    wakeups.run_due()


def test_a_fact_that_commits_late_is_read(acme: Tenant, read: list[int]) -> None:
    late_commit(acme)
    assert len(read) == len(set(read)) == 3


def test_control_without_the_horizon_a_late_commit_is_skipped(
    acme: Tenant, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactor, "_horizon", lambda: (FAR, FAR))
    late_commit(acme)
    assert len(read) == 2


def early_wakeup(acme: Tenant, rival: Tenant) -> None:
    """A wakeup is there although what it announces cannot be read yet, because of an older transaction elsewhere."""
    older = Gate()
    with beside(open_until(rival, older)):
        older.is_reached()
        happened(acme)
        wakeups.work(acme.pk, REACTOR)
        older.open()
    wakeups.run_due()


def test_a_wakeup_waits_until_what_it_announces_is_readable(acme: Tenant, rival: Tenant, read: list[int]) -> None:
    early_wakeup(acme, rival)
    assert len(read) == 2
    assert not Wakeup.objects.exists()


def test_control_a_wakeup_taken_too_early_leaves_its_fact_unread(
    acme: Tenant, rival: Tenant, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "Horizon", lambda: Cast(Value(str(FAR)), Xid8()))
    early_wakeup(acme, rival)
    assert len(read) == 1, "the other company's"


def two_readers(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two workers run one reader at once, the second one while the first has read and not committed yet."""
    seen: list[int] = []
    first = Gate()

    def slow(batch: Batch) -> None:
        is_first = not seen
        seen.extend(row.id for row in batch.rows)
        if is_first:
            first.wait_here()

    monkeypatch.setattr(reactor, "_readers", {"segments": Reader("segments", run=slow)})
    happened(tenant)
    with beside(lambda: reactor.react(tenant.pk, float("inf"))):
        first.is_reached()
        with beside(lambda: reactor.react(tenant.pk, float("inf"))) as second:
            # With the guard it waits for the cursor; without it, it has read or waits to write where it has come to.
            processes.until(
                lambda: not second.is_alive() or len(seen) > 1 or processes.somebody_waits(), "the second reader"
            )
            first.open()
    return seen


def test_two_readers_read_every_fact_once(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(two_readers(acme, monkeypatch)) == 1


def test_control_without_the_lock_of_the_cursor_two_readers_read_a_fact_twice(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_scope(acme):
        ReaderCursor.objects.create(reader="segments", lane="live", xid=0, last_id=0, recorded_at=reactor.EPOCH)
    monkeypatch.setattr(reactor, "_lock", lambda reader, lane: ReaderCursor.objects.get(reader=reader, lane=lane))
    monkeypatch.setattr(reactor, "BATCH", {"live": 2_000})
    monkeypatch.setattr(reactor, "_run_lane", live_only(reactor._run_lane))
    assert len(two_readers(acme, monkeypatch)) == 2


def live_only(run_lane: Callable[[int, str, float], bool]) -> Callable[[int, str, float], bool]:
    """The live lane alone: the control has no cursor for the other."""
    return lambda tenant_id, lane, deadline: lane == "live" and run_lane(tenant_id, lane, deadline)


def test_a_second_worker_of_a_queue_leaves_it_to_the_first(
    acme: Tenant, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work = Gate()
    react = wakeups._queues[REACTOR]
    monkeypatch.setitem(
        wakeups._queues, REACTOR, lambda tenant_id, deadline: (at_work.wait_here(), react(tenant_id, deadline))[1]
    )
    happened(acme)
    with beside(lambda: wakeups.work(acme.pk, REACTOR)):
        at_work.is_reached()
        assert wakeups.work(acme.pk, REACTOR) is False
        assert read == []
        assert Wakeup.objects.filter(tenant=acme).exists()
        at_work.open()
    assert len(read) == 1
