"""Visits of marketing pages: whose they are, and whose they turn out to be."""

from django.db import connection
from django.http import HttpRequest

from contacts import timeline
from contacts.models import Contact
from contacts.timeline import TABLE
from messaging.tokens import read_visitor_token
from pages.models import Page, Visitor

COOKIE = "onward_visitor"
COOKIE_AGE = 2 * 365 * 24 * 60 * 60


def visitor_of(request: HttpRequest) -> Visitor | None:
    """The browser, if it agreed to be recognised."""
    key = request.COOKIES.get(COOKIE, "")
    return Visitor.objects.select_related("contact").filter(key=key).first() if key else None


def contact_of(token: str, tenant_id: int) -> Contact | None:
    """The contact that a link of an e-mail names (its signed `o` parameter); None if it is not ours or too old."""
    contact_id = read_visitor_token(token, tenant_id) if token else None
    return Contact.objects.filter(pk=contact_id, is_active=True).first() if contact_id else None


def record(page: Page, *, contact: Contact | None, visitor: Visitor | None, url: str, referrer: str) -> bool:
    """Record a visit; False if it is nobody's: neither a contact we may track nor a browser that agreed."""
    contact = contact or (visitor.contact if visitor else None)
    if contact is not None and contact.do_not_track:
        contact = visitor = None
    if contact is None and visitor is None:
        return False
    timeline.record(
        "page.visited",
        contact=contact,
        object_id=page.pk,
        visitor_id=visitor.pk if visitor else None,
        # Postgres keeps no NUL.
        detail={"page": page.name, "url": url.replace("\0", "")[:500], "referrer": referrer.replace("\0", "")[:500]},
    )
    return True


def identify(visitor: Visitor, contact: Contact, *, by: str) -> int:
    """The browser turned out to be the contact's: its earlier anonymous visits become hers; returns how many.

    They are recorded anew (time and transaction of now, `occurred_at` unchanged), so that every reader sees them.
    """
    if visitor.contact_id == contact.pk or contact.do_not_track:
        return 0
    Visitor.objects.filter(pk=visitor.pk).update(contact=contact)
    with connection.cursor() as cursor:
        # Rows of one browser: seldom more than a few hundred; scans the partitions of the visitor's life.
        cursor.execute(
            f"""UPDATE {TABLE} SET contact_id = %(contact)s, as_contact_id = %(contact)s, account_id = %(account)s,
                       recorded_at = now(), recorded_xid = pg_current_xact_id()
                WHERE visitor_id = %(visitor)s AND contact_id IS NULL AND kind = 'page.visited'
                  AND recorded_at >= %(since)s""",
            {
                "contact": contact.pk,
                "account": contact.account_id,
                "visitor": visitor.pk,
                "since": visitor.first_seen_at,
            },
        )
        visits = cursor.rowcount
    timeline.record("visitor.identified", contact=contact, visitor_id=visitor.pk, detail={"by": by, "visits": visits})
    return visits
