"""Deleting a contact: inactive at once, restorable for 30 days, then erased (`contacts.erasure`)."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from contacts import people, search, timeline
from contacts.models import Contact
from tenants import audit
from tenants.models import Member

RESTORABLE = timedelta(days=30)


class AddressTaken(ValueError):
    """Another active contact has the deleted one's address by now."""


def deactivate(contact: Contact, *, by: Member | None) -> bool:
    """Take a contact out of lists, mail and journeys; False if somebody was faster."""
    active = Contact.objects.filter(pk=contact.pk, is_active=True)
    if not active.update(is_active=False, deactivated_at=Now(), updated_at=Now()):
        return False
    search.remove("contact", contact.pk)
    erased_on = date_format(timezone.localdate() + RESTORABLE, "DATE_FORMAT")
    timeline.record("contact.deactivated", contact=contact, actor=by, detail={"erased_on": erased_on})
    audit.write("contact.deleted", contact, by=by)
    return True


def restore(contact: Contact, *, by: Member | None) -> None:
    """Take a deletion back; raises AddressTaken."""
    try:
        with transaction.atomic():
            deleted = Contact.objects.filter(pk=contact.pk, is_active=False, deactivated_at__isnull=False)
            if not deleted.update(is_active=True, deactivated_at=None, updated_at=Now()):
                return
    except IntegrityError as error:
        raise AddressTaken(_("Another contact has this e-mail address by now. Change one of them first.")) from error
    people.index_contact(contact)
    timeline.record("contact.restored", contact=contact, actor=by)
    audit.write("contact.restored", contact, by=by)
