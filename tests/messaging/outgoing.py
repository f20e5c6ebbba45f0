"""Ordering mail, letting the workers send it, and what became of it."""

from contacts.models import Interaction
from messaging import outbox
from messaging.models import Message
from tenants import wakeups
from tenants.scope import tenant_scope


def order(acme, email, *contacts, **values) -> None:
    with tenant_scope(acme):
        for contact in contacts:
            outbox.order(f"visit:{contact.pk}", contact=contact, email=email, **values)


def send() -> None:
    wakeups.run_due()


def state_of(acme, contact) -> tuple[str, str]:
    with tenant_scope(acme):
        message = Message.objects.get(contact=contact)
        return message.state, message.reason


def kinds(acme, contact) -> list[str]:
    with tenant_scope(acme):
        rows = Interaction.objects.filter(contact_id=contact.pk, kind__startswith="email.")
        return list(rows.order_by("pk").values_list("kind", flat=True))
