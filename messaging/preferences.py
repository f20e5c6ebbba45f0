"""What a recipient chooses on her own page: which purposes, or nothing at all."""

from dataclasses import dataclass

from contacts import consent
from contacts.models import Contact, Purpose
from messaging.unsubscribing import Subject

SOURCE = "subscription center"


@dataclass(frozen=True)
class Choice:
    """A purpose, and whether the recipient gets mail for it."""

    purpose: Purpose
    is_chosen: bool


def choices(contact: Contact) -> list[Choice]:
    """The tenant's purposes with where the contact stands."""
    return [Choice(state.purpose, state.is_granted) for state in consent.state_of(contact)]


def save(subject: Subject, wanted: set[int], *, wants_none: bool) -> None:
    """Grant and refuse what has changed; "nothing at all" refuses every purpose and stops bulk mail."""
    contact = subject.contact
    if contact is None:
        return
    for choice in choices(contact):
        is_wanted = choice.purpose.pk in wanted and not wants_none
        if is_wanted and not choice.is_chosen:
            text = choice.purpose.description or choice.purpose.name
            consent.grant(contact, choice.purpose, basis="consent", source=SOURCE, text_shown=text)
        elif not is_wanted and (choice.is_chosen or wants_none):
            consent.refuse(contact, choice.purpose, source=SOURCE)
    if contact.do_not_bulk_email != wants_none:
        Contact.objects.filter(email=contact.email).exclude(email="").update(do_not_bulk_email=wants_none)
        contact.do_not_bulk_email = wants_none
