"""What has happened becomes deliveries, in the transaction that moves the cursor of the reader "out"."""

from contacts.models import Contact
from contacts.reactor import Batch, Fact
from integrations.models import Delivery, Endpoint
from integrations.webhooks import bodies, outbox


def run(batch: Batch) -> None:
    """Order a delivery per fact and endpoint that wants to hear it; paused endpoints collect, disabled ones do not."""
    endpoints = Endpoint.objects.exclude(state=Endpoint.State.DISABLED).order_by("pk")
    wanted = [
        (endpoint, fact)
        for endpoint in endpoints
        for fact in batch.of(*endpoint.kinds)
        if fact.recorded_at >= endpoint.since
    ]
    if not wanted:
        return
    people = set(Contact.objects.filter(pk__in={fact.contact_id for _, fact in wanted}).values_list("pk", flat=True))
    outbox.order(_delivery(endpoint, fact, people) for endpoint, fact in wanted)


def _delivery(endpoint: Endpoint, fact: Fact, people: set[int]) -> Delivery:
    return Delivery(
        endpoint=endpoint,
        key=f"fact:{endpoint.pk}:{fact.id}",
        kind=fact.kind,
        contact_id=fact.contact_id if fact.contact_id in people else None,
        body=bodies.of_fact(fact),
    )
