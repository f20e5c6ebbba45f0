"""Ordering what is to be written to a CRM, and doing something about it by hand. `sending` carries it out."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integrations.crm.interface import crms
from integrations.models import Connection, CrmChange, Entity
from integrations.systems import systems
from tenants import audit, wakeups
from tenants.housekeeping import chore_of_tenants
from tenants.models import Member

State, Kind = CrmChange.State, CrmChange.Kind
KEPT_FOR = timedelta(days=90)
BATCH = 2_000


def connections() -> list[Connection]:
    """The connections to CRMs for which changes are collected: all that were set up, whether they run or not."""
    rows = Connection.objects.filter(system__in=crms.keys()).exclude(state=Connection.State.DRAFT)
    return list(rows.order_by("pk"))


def order(changes: Iterable[CrmChange], *, due_at: datetime | None = None) -> None:
    """Order changes in the order given; one whose key was ordered before is left as it is.

    `due_at`: none of them is due before then.
    """
    rows = list(changes)
    if not rows:
        return
    CrmChange.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    announce({row.connection for row in rows}, due_at)


def announce(of: Iterable[Connection], due_at: datetime | None = None) -> None:
    """Wake the queues of connections that have something to do, now or then."""
    for queue in {systems.of(connection.system).queue for connection in of}:
        wakeups.announce(queue, due_at)


def retry(change: CrmChange, by: Member) -> bool:
    """Try a parked change again; False if it is not parked any more."""
    count = _queue(CrmChange.objects.filter(pk=change.pk), change.connection)
    if count:
        audit.write("crm.retried", change.connection, by=by, detail={"change": change.pk})
    return bool(count)


def retry_parked(connection: Connection, by: Member) -> int:
    """Try everything again that is parked at a connection; returns how many."""
    count = _queue(CrmChange.objects.filter(connection=connection), connection)
    if count:
        audit.write("crm.parked_retried", connection, by=by, detail={"count": count})
    return count


def dismiss(change: CrmChange, by: Member) -> bool:
    """Give up a change that is parked or waits; False if it is on its way or over."""
    rows = CrmChange.objects.filter(pk=change.pk, state__in=(State.PARKED, State.QUEUED))
    count = rows.update(state=State.CANCELLED, finished_at=Now())
    if count:
        audit.write("crm.dismissed", change.connection, by=by, detail={"change": change.pk})
    return bool(count)


def hand_over(connection: Connection, lead_id: int, by: Member) -> None:
    """Hand a lead over by hand, once more if need be."""
    key = f"handoff:{connection.pk}:by:{by.pk}:{timezone.now().timestamp()}"
    order([CrmChange(connection=connection, key=key, kind=Kind.HANDOFF, entity=Entity.LEAD, object_id=lead_id)])


def _queue(rows: QuerySet[CrmChange], connection: Connection) -> int:
    count = rows.filter(state=State.PARKED).update(
        state=State.QUEUED, reason="", error="", attempt_count=0, next_attempt_at=Now(), finished_at=None
    )
    if count:
        announce([connection])
    return count


@chore_of_tenants("crm", every=timedelta(hours=6))
def forget_old() -> bool:
    """Remove changes that were over 90 days ago; parked ones stay. Index: change_to_prune."""
    old = CrmChange.objects.filter(finished_at__lt=timezone.now() - KEPT_FOR, state__in=(State.DONE, State.CANCELLED))
    ids = list(old.order_by("finished_at").values_list("pk", flat=True)[:BATCH])
    CrmChange.objects.filter(pk__in=ids).delete()
    return len(ids) == BATCH
