"""What CRMs forget about erased people: their records there, and what we know of them."""

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.registry import Erased, Eraser
from integrations.crm import outbox, reasons
from integrations.models import Connection, CrmChange, Entity, RecordLink
from leads.models import Lead
from tenants.registry import Text

DELETE, EMPTY, KEEP = "delete", "empty", "keep"
# What becomes of the records of an erased person there, as a connection's settings say.
WAYS: dict[str, Text] = {
    DELETE: _("Delete the contact and her leads there"),
    EMPTY: _("Empty them there of what says who it was"),
    KEEP: _("Leave them there; only the link is forgotten"),
}
State, Kind = CrmChange.State, CrmChange.Kind


def way(connection: Connection) -> str:
    """What a connection does, as its settings say."""
    found = connection.settings.get("on_erasure", DELETE)
    return found if found in WAYS else DELETE


def erase(erased: Erased) -> None:
    """Forget what we know of their records, cancel what is waiting about them, and order that they go there too.

    Before the leads' own eraser: by then the leads would be nobody's. Indexes: link_of_object, changes_of_object.
    """
    leads = list(
        Lead.objects.filter(Q(contact__in=erased.ids) | Q(email__in=erased.addresses)).values_list("pk", flat=True)
    )
    theirs = Q(entity=Entity.CONTACT, object_id__in=erased.ids) | Q(entity=Entity.LEAD, object_id__in=leads)
    CrmChange.objects.filter(theirs, state__in=(State.QUEUED, State.SENDING, State.PARKED)).update(
        state=State.CANCELLED, reason=reasons.ERASED, lease_id=None, finished_at=Now()
    )
    CrmChange.objects.filter(theirs).update(error="", attempts=[], fields=[])
    links = list(RecordLink.objects.filter(theirs).select_related("connection").order_by("pk"))
    RecordLink.objects.filter(pk__in=[link.pk for link in links]).update(
        state=RecordLink.State.ERASED,
        object_id=None,
        as_object_id=None,
        known={},
        standing={},
        changed={},
        summaries=[],
        problem="",
        version="",
    )
    outbox.order(
        CrmChange(
            connection=link.connection,
            key=f"erasure:{link.connection_id}:{link.pk}",
            kind=Kind.ERASURE,
            entity=link.entity,
            link=link,
        )
        for link in links
        if link.state != RecordLink.State.UNLINKED
    )


def forget(change: CrmChange) -> None:
    """The record is gone there as well: nothing of it is left to know."""
    CrmChange.objects.filter(pk=change.pk).update(link=None)
    if change.link is not None:
        change.link.delete()


ERASER = Eraser(
    erase,
    {
        "integrations.RecordLink": _(
            "What a CRM knows of the person is deleted or emptied there, as its connection says; the link is forgotten."
        ),
        "integrations.CrmChange": _(
            "Nothing more is written to a CRM about the person; that something was written stays."
        ),
    },
)
