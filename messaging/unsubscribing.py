"""Unsubscribing by a mail: the purpose is refused for the address, on every contact that has it."""

from dataclasses import dataclass

from django.db.models.functions import Now

from contacts import consent, timeline
from contacts.models import Consent, Contact, Purpose
from messaging import figures
from messaging.models import Email, Message
from messaging.tokens import Own


@dataclass(frozen=True)
class Subject:
    """Who a token of a mail speaks for, as far as it is still known."""

    contact: Contact | None
    purpose: Purpose | None
    message: Message | None

    @property
    def address(self) -> str:
        """The address that was written to."""
        if self.message is not None:
            return self.message.address
        return self.contact.email if self.contact else ""


def subject_of(own: Own) -> Subject:
    """The contact (whoever she was merged into), purpose and message of a token; run in its tenant's scope."""
    message = Message.objects.select_related("contact", "email").filter(pk=own.message_id).first()
    contact = Contact.objects.filter(pk=own.contact_id).first() or (message.contact if message else None)
    while contact is not None and contact.merged_into is not None:
        contact = contact.merged_into
    purposes = Purpose.objects.all()
    purpose = purposes.filter(pk=own.purpose_id).first() or purposes.filter(is_default=True).first()
    return Subject(contact, purpose, message)


def unsubscribe(subject: Subject, *, source: str) -> bool:
    """Refuse the purpose for the address; without any purpose, bulk e-mail as a whole. False if it is so already."""
    if subject.contact is None or not is_subscribed(subject):
        return False
    if subject.purpose is not None:
        consent.refuse(subject.contact, subject.purpose, source=source)
        if subject.address != subject.contact.email:
            consent.refuse(subject.address, subject.purpose, source=source)
    else:
        Contact.objects.filter(email=subject.contact.email).update(do_not_bulk_email=True)
    _record(subject)
    return True


def is_subscribed(subject: Subject) -> bool:
    """Whether commercial mail for the purpose may still reach the contact, as far as the ledger says."""
    if subject.contact is None or subject.contact.do_not_email:
        return False
    if subject.purpose is None:
        return not subject.contact.do_not_bulk_email
    ledger = Consent.objects.filter(contact=subject.contact, purpose=subject.purpose, channel=Consent.Channel.EMAIL)
    state = ledger.order_by("-pk").values_list("state", flat=True).first()
    return state != Consent.State.REFUSED


def _record(subject: Subject) -> None:
    message = subject.message
    email: Email | None = message.email if message else None
    if message is None or email is None:
        return
    if Message.objects.filter(pk=message.pk, unsubscribed_at=None).update(unsubscribed_at=Now()):
        figures.count(figures.UNSUBSCRIBED, [message.pk])
    timeline.record(
        "email.unsubscribed",
        contact=subject.contact,
        object_id=email.pk,
        message_id=message.pk,
        journey_id=message.journey_id,
        tile=message.tile,
        detail={"email": email.name},
    )
