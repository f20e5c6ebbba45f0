"""What webhooks forget about erased people: what was sent about them, and what came back."""

from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.registry import Erased, Eraser
from integrations.models import Attempt, Delivery
from integrations.webhooks import reasons

State = Delivery.State


def erase(erased: Erased) -> None:
    """Empty their deliveries, and cancel those that have not gone out. Index: delivery_of_contact."""
    rows = Delivery.objects.filter(contact_id__in=erased.ids)
    Attempt.objects.filter(delivery__in=rows).update(response="", error="")
    rows.filter(state__in=(State.QUEUED, State.SENDING)).update(
        state=State.CANCELLED, reason=reasons.ERASED, lease_id=None, leased_until=None, finished_at=Now()
    )
    rows.update(body={})


ERASER = Eraser(
    erase,
    {
        "integrations.Delivery": _(
            "What was sent is removed, and nothing more goes out; that something was sent stays."
        ),
        "integrations.Attempt": _("What came back is removed; when, and with which status, stays."),
    },
)
