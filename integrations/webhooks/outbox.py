"""Ordering deliveries and doing something about them by hand. What is ordered here, `sending` carries out."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery, Endpoint
from integrations.webhooks import bodies
from tenants import audit, wakeups
from tenants.housekeeping import chore_of_tenants
from tenants.models import Member

QUEUE = "webhooks"
State = Delivery.State
FINISHED = (State.DELIVERED, State.FAILED, State.CANCELLED)
KEPT_FOR = timedelta(days=30)
BATCH = 2_000


def order(deliveries: Iterable[Delivery]) -> None:
    """Order deliveries in the order given; one whose key was ordered before is left as it is."""
    rows = list(deliveries)
    if not rows:
        return
    for row in rows:
        row.uid = uuid4()
    Delivery.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    wakeups.announce(QUEUE)


def send_test(endpoint: Endpoint, by: Member) -> bool:
    """Order a message that only says that it arrives; False if nothing is sent there now."""
    if endpoint.state != Endpoint.State.ACTIVE:
        return False
    key, body = f"test:{uuid4()}", bodies.of_test(timezone.now())
    order([Delivery(endpoint=endpoint, key=key, kind=bodies.TEST, body=body)])
    audit.write("webhook.tested", endpoint, by=by)
    return True


def replay(delivery: Delivery, by: Member) -> bool:
    """Send a finished delivery once more, under its own id and with a fresh schedule; False if there is nothing to
    send any more (its person was erased) or it is on its way."""
    count = _queue(Delivery.objects.filter(pk=delivery.pk, state__in=FINISHED))
    if count:
        audit.write("webhook.replayed", delivery, by=by)
    return bool(count)


def replay_failed(endpoint: Endpoint, by: Member) -> int:
    """Send everything again that failed at an endpoint, oldest first; returns how many."""
    count = _queue(Delivery.objects.filter(endpoint=endpoint, state=State.FAILED))
    if count:
        audit.write("webhook.failed_replayed", endpoint, by=by, detail={"count": count})
    return count


def _queue(rows: QuerySet[Delivery]) -> int:
    count = rows.exclude(body={}).update(
        state=State.QUEUED, reason="", step=0, next_attempt_at=Now(), finished_at=None, is_awaited=False
    )
    if count:
        wakeups.announce(QUEUE)
    return count


@chore_of_tenants("webhooks", every=timedelta(hours=6))
def forget_old() -> bool:
    """Remove deliveries of 30 days ago that are over, or wait for a webhook that is disabled, with their attempts.

    Index: delivery_to_prune.
    """
    over = Q(state__in=FINISHED) | Q(state=State.QUEUED, endpoint__state=Endpoint.State.DISABLED)
    old = Delivery.objects.filter(over, created_at__lt=timezone.now() - KEPT_FOR)
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH])
    Delivery.objects.filter(pk__in=ids).delete()
    return len(ids) == BATCH
