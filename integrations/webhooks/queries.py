"""What the pages show about endpoints and deliveries."""

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from contacts import timeline
from integrations.models import Attempt, Delivery, Endpoint
from integrations.webhooks import bodies
from tenants.paging import count_up_to
from tenants.registry import Text

# What the page of an endpoint shows first: what needs somebody.
ORDER = ("failed", "queued", "sending", "delivered", "cancelled")


def endpoints() -> QuerySet[Endpoint]:
    """All endpoints, the working ones last added first."""
    return Endpoint.objects.order_by("state", "-pk")


def deliveries(endpoint: Endpoint, state: str = "", kind: str = "") -> QuerySet[Delivery]:
    """An endpoint's deliveries in a state, of a kind. Index: delivery_of_endpoint."""
    rows = Delivery.objects.filter(endpoint=endpoint).select_related("contact")
    if state:
        rows = rows.filter(state=state)
    return rows.filter(kind=kind) if kind else rows


def counts(endpoint: Endpoint) -> list[tuple[str, Text, int, bool]]:
    """(state, label, how many, is that exact) of an endpoint's deliveries."""
    labels = dict(Delivery.State.choices)
    return [(state, labels[state], *count_up_to(deliveries(endpoint, state))) for state in ORDER]


def titles() -> dict[str, Text]:
    """What the types of messages are called."""
    own = {bodies.TEST: _("Test"), bodies.FROM_JOURNEY: _("Call of a journey")}
    return {kind.key: kind.title for kind in timeline.kinds()} | own


def kinds_of(endpoint: Endpoint) -> list[tuple[str, Text]]:
    """The types of messages that an endpoint gets, with their titles; one that is gone has its key for a title."""
    known = titles()
    return [(key, known.get(key, key)) for key in [*endpoint.kinds, bodies.FROM_JOURNEY, bodies.TEST]]


def ahead(delivery: Delivery) -> int:
    """How many of the same contact's deliveries must be over before this one goes. Index: delivery_ahead."""
    if delivery.state != Delivery.State.QUEUED or delivery.contact_id is None or delivery.endpoint_id is None:
        return 0
    unfinished = Delivery.objects.filter(
        endpoint_id=delivery.endpoint_id,
        contact_id=delivery.contact_id,
        state__in=(Delivery.State.QUEUED, Delivery.State.SENDING),
    )
    return unfinished.filter(pk__lt=delivery.pk).count()


def attempts(delivery: Delivery) -> QuerySet[Attempt]:
    """A delivery's attempts, latest first. Index: attempts_of_delivery."""
    return delivery.attempts.order_by("-pk")


def last_attempts(rows: list[Delivery]) -> dict[int, Attempt]:
    """By delivery: its latest attempt, for a page of them."""
    latest = Attempt.objects.filter(delivery__in=rows, number=F("delivery__attempt_count"))
    return {attempt.delivery_id: attempt for attempt in latest}
