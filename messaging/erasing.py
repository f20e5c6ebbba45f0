"""What messaging forgets about erased people, and by when it forgets what it keeps of everybody."""

from datetime import timedelta

from django.db.models import Q, TextField
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext_lazy as _

from contacts import consent
from contacts.models import Contact
from contacts.registry import Erased, Eraser
from messaging import suppressing
from messaging.models import CaughtMail, Hit, Message
from tenants.housekeeping import chore_of_tenants

# The catcher's mails are to be looked at; a notice's text has reached its reader. Neither is kept longer than this.
KEPT = timedelta(days=30)
BATCH = 5_000
FINAL = (Message.State.SENT, Message.State.FAILED, Message.State.BLOCKED, Message.State.CANCELLED)


def erase(erased: Erased) -> None:
    """Empty the addresses, replies and bodies of their messages and of notices about them, drop where and by what
    they opened, and keep of suppressed or refusing addresses only fingerprints."""
    suppressing.forget(erased.addresses, _refused(erased))
    messages = Message.objects.filter(contact_id__in=erased.ids)
    Hit.objects.filter(message_id__in=messages.values("pk")).update(ip=None, user_agent="")
    # Blocked reasons are codes; those of failed messages are what the server said, address and all.
    messages.filter(state=Message.State.FAILED).update(reason="")
    messages.update(address="", content={})
    notices = Message.objects.filter(email=None, contact=None).exclude(content={})
    to_them = notices.filter(address__in=erased.addresses)
    to_them.filter(state=Message.State.QUEUED).update(state=Message.State.CANCELLED, finished_at=Now())
    to_them.update(address="", content={})
    notices.alias(words=Cast("content", TextField())).filter(erased.named_in("words")).update(content={})
    CaughtMail.objects.filter(Q(recipient__in=erased.addresses) | erased.named_in("subject", "raw")).delete()


@chore_of_tenants("mail kept", every=timedelta(days=1))
def prune() -> bool:
    """Delete old mails of the catcher and empty old notices.

    Indexes: caught_latest from its old end; message_of_email, notices being those without an e-mail.
    """
    caught = CaughtMail.objects.filter(at__lt=Now() - KEPT).order_by("pk").values_list("pk", flat=True)[:BATCH]
    deleted, _rows = CaughtMail.objects.filter(pk__in=list(caught)).delete()
    notices = Message.objects.filter(email=None, state__in=FINAL, finished_at__lt=Now() - KEPT).exclude(content={})
    emptied = notices.filter(pk__in=list(notices.order_by("pk").values_list("pk", flat=True)[:BATCH]))
    return max(deleted, emptied.update(content={}, address="")) == BATCH


def _refused(erased: Erased) -> list[str]:
    """Addresses of those who had refused mail: by a flag, or by their latest word on some purpose."""
    refused = consent.refused_among(erased.ids)
    said_no = Q(do_not_email=True) | Q(do_not_bulk_email=True) | Q(pk__in=refused)
    people = Contact.objects.filter(said_no, pk__in=erased.ids, email__in=erased.addresses)
    return list(people.values_list("email", flat=True).distinct())


ERASER = Eraser(
    erase,
    {
        "messaging.Message": _("E-mails: address, text and the server's words are emptied; that they were sent stays."),
        "messaging.Hit": _("Opens and clicks: network address and browser are emptied."),
        "messaging.CaughtMail": _("Mail catcher: mails that are to the person or name her are deleted."),
        "messaging.Suppression": _("Suppression: the address gives way to a fingerprint, so that it stays suppressed."),
    },
)
