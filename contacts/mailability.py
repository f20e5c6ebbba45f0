"""“Can I mail this person?”: the answer in words, from the flags, the address and the consent ledger."""

from dataclasses import dataclass, field

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from contacts import consent, registry
from contacts.consent import PurposeState
from contacts.models import ConsentLevel, Contact


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether commercial mail may go, in words; why not; and where she stands with each purpose."""

    may: bool
    words: str
    obstacles: list[str]
    purposes: list[PurposeState] = field(default_factory=list)


def answer(contact: Contact) -> Answer:
    """Whether a contact can be mailed commercially: for some purpose, and nothing standing against it."""
    purposes = consent.state_of(contact)
    obstacles = [*_own_obstacles(contact), *(words for ask in registry.mail_obstacles for words in ask(contact))]
    agreed = [state for state in purposes if state.may_mail]
    if not agreed and not obstacles and consent.is_opt_out():
        agreed = [state for state in purposes if not state.is_refused]
    if obstacles:
        return Answer(False, _("No: %(why)s.") % {"why": obstacles[0]}, obstacles, purposes)
    if not agreed:
        return Answer(False, _without_consent(contact, purposes), obstacles, purposes)
    names = ", ".join(str(state.purpose) for state in agreed)
    return Answer(True, _("Yes, about: %(purposes)s.") % {"purposes": names}, obstacles, purposes)


def _own_obstacles(contact: Contact) -> list[str]:
    checks = [
        (not contact.is_active, _("this contact was deleted")),
        (not contact.email, _("no e-mail address")),
        (contact.do_not_email, _("wants no e-mail")),
        (contact.do_not_bulk_email, _("wants no bulk e-mail")),
    ]
    return [words for is_so, words in checks if is_so]


def _without_consent(contact: Contact, purposes: list[PurposeState]) -> str:
    refused = [(state.at, state.purpose.name) for state in purposes if state.is_refused and state.at]
    if refused:
        at, name = max(refused)
        words = {"purpose": name, "date": date_format(localtime(at), "DATE_FORMAT")}
        return _("No: unsubscribed from %(purpose)s on %(date)s.") % words
    if contact.consent_level >= ConsentLevel.TRANSACTIONAL:
        return _("Only what was asked for: no consent to marketing.")
    return _("No: never agreed to anything.")
