"""Signed tokens of messages' links: purpose-bound, each carrying its tenant."""

from django.core import signing

from contacts.models import Contact

# A link of an e-mail names its recipient to our own pages for this long (seconds).
VISITOR_AGE = 90 * 24 * 60 * 60
_VISITOR = signing.TimestampSigner(salt="messaging.visitor")


def visitor_token(contact: Contact) -> str:
    """What a link of an e-mail to one of our own pages carries (`o`), so that the visit is known to be hers."""
    return _VISITOR.sign(f"{contact.tenant_id}.{contact.pk}")


def read_visitor_token(token: str, tenant_id: int) -> int | None:
    """The contact's id; None for a token that is forged, too old, or another tenant's."""
    try:
        signed_tenant, _, contact_id = _VISITOR.unsign(token, max_age=VISITOR_AGE).partition(".")
    except signing.BadSignature:
        return None
    return int(contact_id) if signed_tenant == str(tenant_id) else None
