"""The ground: people, companies, what they agreed to and everything they did."""

from contacts.models.consent import Consent, ConsentLevel, Purpose
from contacts.models.people import Account, Contact, ContactFacts, Role
from contacts.models.records import ContactMerge, Field, MatchAmbiguity, SearchBacklog, SearchTerm
from contacts.models.timeline import Interaction, ReaderCursor, Received
from contacts.models.views import SavedView

__all__ = [
    "Account",
    "Consent",
    "ConsentLevel",
    "Contact",
    "ContactFacts",
    "ContactMerge",
    "Field",
    "Interaction",
    "MatchAmbiguity",
    "Purpose",
    "ReaderCursor",
    "Received",
    "Role",
    "SavedView",
    "SearchBacklog",
    "SearchTerm",
]
