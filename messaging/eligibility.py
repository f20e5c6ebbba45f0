"""Who can be mailed, and why not: one definition, used by the claim of the sender and by what is shown before.

A *target* is whatever is to be mailed to a contact: the contact itself in an audience, a message in the outbox. The
first reason that applies is the one given.
"""

from django.db import connection
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from contacts.consent import COMMERCIAL, is_opt_out
from contacts.models import ConsentLevel, Contact, Purpose
from messaging import suppressing
from messaging.models import Email, Suppression

# So many soft bounces in a row suppress an address.
SOFT_BOUNCES = 5


class Reason(TextChoices):
    """Why an e-mail does not go to a contact."""

    INACTIVE = "inactive", _("Inactive contact")
    NO_ADDRESS = "no_address", _("No e-mail address")
    DO_NOT_EMAIL = "do_not_email", _("Wants no e-mail")
    DO_NOT_BULK_EMAIL = "do_not_bulk_email", _("Wants no bulk e-mail")
    SUPPRESSED = "suppressed", _("Suppressed address")
    NO_CONSENT = "no_consent", _("No consent")
    DUPLICATE = "duplicate", _("Address already mailed")
    NOT_LIVE = "not_live", _("E-mail is not live")
    EXPIRED = "expired", _("Too late")


def blocked(email: Email, contacts: sql.Composable | None = None) -> sql.Composed:
    """SQL: (contact_id, reason) of the contacts that cannot get the e-mail now, among `contacts` (a SELECT of
    contact_id) or all."""
    if contacts is None:
        contacts = sql.SQL("SELECT id FROM contacts_contact")
    targets = sql.SQL("SELECT id AS target, id AS contact_id FROM ({}) AS asked (id)").format(contacts)
    return sql.SQL("SELECT target AS contact_id, reason FROM ({}) blocked").format(reasons(email, targets))


def reasons(email: Email, targets: sql.Composable) -> sql.Composed:
    """SQL: (target, reason) of the blocked ones among `targets`, a query of (target, contact_id).

    Cost: per target one step each along the contact's primary key, the list of suppressed addresses, that of erased
    people's fingerprints (if there are any) and, for commercial mail, the ledger (consent_latest). They are laterals so
    that no statistics, however old, can make them scans.
    """
    is_commercial, purpose = email.designation == Email.Designation.COMMERCIAL, purpose_id(email) or 0
    return sql.SQL(
        """SELECT target, reason FROM (
             SELECT target.target, CASE
               WHEN contact.id IS NULL OR NOT contact.is_active THEN 'inactive'
               WHEN contact.email = '' THEN 'no_address'
               WHEN contact.do_not_email THEN 'do_not_email'
               WHEN {is_commercial} AND contact.do_not_bulk_email THEN 'do_not_bulk_email'
               WHEN EXISTS (SELECT FROM messaging_suppression suppression
                            WHERE suppression.address = contact.email AND {is_effective}) THEN 'suppressed'
               WHEN EXISTS (SELECT FROM messaging_suppression suppression
                            WHERE suppression.fingerprint = {fingerprint} AND {is_effective}
                              AND (suppression.reason <> {refused}
                                   OR {is_commercial} AND latest.state IS DISTINCT FROM 'granted')) THEN 'suppressed'
               WHEN {lacks_consent} THEN 'no_consent' END AS reason
             FROM ({targets}) target
             LEFT JOIN LATERAL (
               SELECT id, is_active, email, do_not_email, do_not_bulk_email, consent_level
               FROM contacts_contact WHERE id = target.contact_id OFFSET 0) contact ON true
             LEFT JOIN LATERAL (
               SELECT state, level FROM contacts_consent ledger
               WHERE {is_commercial} AND ledger.contact_id = target.contact_id AND ledger.purpose_id = {purpose}
                 AND ledger.channel = 'email' ORDER BY ledger.id DESC LIMIT 1) latest ON true) looked
           WHERE reason IS NOT NULL"""
    ).format(
        targets=targets,
        is_commercial=sql.Literal(is_commercial),
        is_effective=effective_suppression("suppression"),
        fingerprint=suppressing.fingerprint_of(sql.Identifier("contact", "email")),
        refused=sql.Literal(Suppression.Reason.REFUSED.value),
        lacks_consent=_lacks_consent(is_commercial, purpose),
        purpose=sql.Literal(purpose),
    )


def summary(email: Email, contacts: sql.Composable) -> dict[str, int]:
    """How many of the contacts (a SELECT of contact_id) cannot get the e-mail now, by reason, most first."""
    statement = sql.SQL("SELECT reason, count(*) FROM ({}) blocked GROUP BY 1 ORDER BY 2 DESC, 1").format(
        blocked(email, contacts)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return dict(cursor.fetchall())


def why_not(email: Email, contact_id: int) -> str:
    """The reason why a contact cannot get the e-mail now; empty if it can."""
    found = summary(email, sql.SQL("SELECT {}::bigint").format(sql.Literal(contact_id)))
    return next(iter(found), "")


def obstacles(contact: Contact) -> list[str]:
    """What stands against the contact's address, in words for her page; a refusal is told with her consents."""
    statement = sql.SQL(
        """SELECT reason FROM messaging_suppression suppression
           WHERE (address = {address} OR fingerprint = {fingerprint} AND reason <> {refused}) AND {is_effective}
           LIMIT 1"""
    ).format(
        address=sql.Literal(contact.email),
        fingerprint=suppressing.fingerprint_of(sql.Literal(contact.email)),
        refused=sql.Literal(Suppression.Reason.REFUSED.value),
        is_effective=effective_suppression("suppression"),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [
            _("the address is suppressed (%(reason)s)") % {"reason": Suppression.Reason(reason).label}
            for (reason,) in cursor.fetchall()
        ]


def effective_suppression(alias: str) -> sql.Composed:
    """SQL: whether a row of Suppression (under `alias`) stops mail now; soft bounces only count up to their limit."""
    return sql.SQL(
        "(({0}.until IS NULL OR {0}.until > now()) AND ({0}.reason <> {1} OR {0}.soft_bounces >= {2}))"
    ).format(sql.Identifier(alias), sql.Literal(Suppression.Reason.SOFT_BOUNCES.value), sql.Literal(SOFT_BOUNCES))


def purpose_id(email: Email) -> int | None:
    """The e-mail's purpose, else the tenant's default one."""
    if email.purpose_id:
        return email.purpose_id
    return Purpose.objects.filter(is_default=True).values_list("pk", flat=True).first()


def _lacks_consent(is_commercial: bool, purpose: int) -> sql.Composed:
    """Commercial: level 4 for the purpose (opt-out mode: not refused). Transactional: level 2 for any."""
    if not is_commercial:
        return sql.SQL("contact.consent_level < {}").format(sql.Literal(int(ConsentLevel.TRANSACTIONAL)))
    if is_opt_out():
        # Who has said nothing herself may have had the address before: its latest word holds.
        return sql.SQL(
            """coalesce(latest.state, (SELECT state FROM contacts_consent ledger
                                       WHERE ledger.address = contact.email AND ledger.purpose_id = {}
                                         AND ledger.channel = 'email' ORDER BY ledger.id DESC LIMIT 1)) = 'refused'"""
        ).format(sql.Literal(purpose))
    return sql.SQL("coalesce(latest.state <> 'granted' OR latest.level < {}, true)").format(
        sql.Literal(int(COMMERCIAL))
    )
