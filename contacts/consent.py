"""The consent ledger: what people agreed to, with proof; levels and flags derive from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from psycopg import sql

from contacts import normalise, timeline
from contacts.models import Consent, ConsentLevel, Contact, Purpose
from tenants import preferences
from tenants.models import Member

# The setting that says whether silence means no (the default) or yes.
OPT_OUT_SETTING = "consent.opt_out"
preferences.declare(OPT_OUT_SETTING, False)
# From this level on, commercial mail for the purpose may be sent.
COMMERCIAL = ConsentLevel.MARKETING


@dataclass(frozen=True)
class PurposeState:
    """Where a contact stands with a purpose on e-mail; `state` is empty if nothing was ever said."""

    purpose: Purpose
    state: str = ""
    source: str = ""
    basis: str = ""
    text_shown: str = ""
    at: datetime | None = None
    level: int = ConsentLevel.NONE

    @property
    def is_granted(self) -> bool:
        return self.state == Consent.State.GRANTED

    @property
    def is_refused(self) -> bool:
        return self.state == Consent.State.REFUSED

    @property
    def may_mail(self) -> bool:
        """Whether commercial mail for the purpose is agreed to."""
        return self.is_granted and self.level >= COMMERCIAL


def grant(
    contact: Contact,
    purpose: Purpose,
    *,
    level: int = ConsentLevel.MARKETING,
    basis: str,
    source: str,
    text_shown: str = "",
    channel: str = Consent.Channel.EMAIL,
    at: datetime | None = None,
    by: Member | None = None,
) -> Consent:
    """Write that a contact agreed to a purpose: on what basis, where, and to which text."""
    row = Consent.objects.create(
        contact=contact,
        purpose=purpose,
        channel=channel,
        address=contact.email,
        state=Consent.State.GRANTED,
        level=level,
        basis=basis,
        source=source,
        text_shown=text_shown,
        **({"at": at} if at else {}),
    )
    derive([contact.pk])
    contact.refresh_from_db(fields=["consent_level"])
    timeline.record(
        "consent.granted",
        contact=contact,
        object_id=purpose.pk,
        actor=by,
        occurred_at=at,
        detail={"purpose": purpose.name, "source": source, "basis": basis},
    )
    return row


def refuse(
    who: Contact | str, purpose: Purpose, *, source: str, channel: str = Consent.Channel.EMAIL, by: Member | None = None
) -> int:
    """Write that a contact, or everybody with an address, refuses a purpose; returns how many contacts it concerns.

    A refusal holds for the address: on every contact that has it, those included that were deleted and may come back.
    """
    address = normalise.email(who if isinstance(who, str) else who.email)
    contacts = list(Contact.objects.filter(email=address, merged_into=None)) if address else []
    if isinstance(who, Contact) and who.pk not in {contact.pk for contact in contacts}:
        contacts.append(who)
    Consent.objects.bulk_create(
        Consent(
            contact=contact,
            purpose=purpose,
            channel=channel,
            address=address,
            state=Consent.State.REFUSED,
            level=ConsentLevel.NONE,
            source=source,
        )
        for contact in contacts
    )
    derive([contact.pk for contact in contacts])
    detail = {"purpose": purpose.name, "source": source}
    timeline.record_many(
        "consent.refused",
        [
            {"contact_id": c.pk, "object_id": purpose.pk, "actor_id": by.pk if by else None, "detail": detail}
            for c in contacts
        ],
    )
    return len(contacts)


def is_opt_out() -> bool:
    """Whether the tenant mails commercially until somebody refuses, instead of from when somebody agrees."""
    return bool(preferences.get(OPT_OUT_SETTING))


def state_of(contact: Contact, channel: str = Consent.Channel.EMAIL) -> list[PurposeState]:
    """Where the contact stands with each purpose of the tenant."""
    said = Consent.objects.filter(contact=contact, channel=channel).order_by("purpose", "-pk").distinct("purpose")
    rows = {row.purpose_id: row for row in said}
    return [
        PurposeState(p, row.state, row.source, row.basis, row.text_shown, row.at, row.level)
        if (row := rows.get(p.pk))
        else PurposeState(p)
        for p in Purpose.objects.order_by("-is_default", "name")
    ]


def refused_among(contact_ids: Iterable[int]) -> set[int]:
    """Those of the contacts whose latest word on some purpose by e-mail is no. Index: consent_latest."""
    said = Consent.objects.filter(contact__in=list(contact_ids), channel=Consent.Channel.EMAIL)
    latest = said.order_by("contact", "purpose", "-pk").distinct("contact", "purpose").values_list("contact", "state")
    return {contact for contact, state in latest if state == Consent.State.REFUSED}


def granted(purpose_id: int) -> sql.Composed:
    """SQL: the contact_id of everybody whose latest word on the purpose by e-mail allows commercial mail.

    One pass over consent_latest (tenant, contact, purpose, channel, id desc).
    """
    return sql.SQL(
        """SELECT contact_id FROM (
             SELECT DISTINCT ON (contact_id) contact_id, state, level FROM contacts_consent
             WHERE purpose_id = {purpose} AND channel = 'email' ORDER BY contact_id, id DESC) latest
           WHERE state = 'granted' AND level >= {level}"""
    ).format(purpose=sql.Literal(purpose_id), level=sql.Literal(int(COMMERCIAL)))


def note_refusal(contact: Contact, purpose: Purpose, *, source: str) -> Consent:
    """Write one contact's refusal into the ledger, without the timeline; `derive` afterwards."""
    return Consent.objects.create(
        contact=contact,
        purpose=purpose,
        address=contact.email,
        state=Consent.State.REFUSED,
        level=ConsentLevel.NONE,
        source=source,
    )


def derive(contact_ids: Iterable[int]) -> None:
    """Set the contacts' level to the highest that they still grant to any purpose; none without a statement."""
    ids = list(contact_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE contacts_contact c SET consent_level = derived.level, updated_at = now()
               FROM (SELECT given.id, max(CASE WHEN state = 'granted' THEN level ELSE 0 END) AS level
                     FROM unnest(%s::bigint[]) AS given (id) LEFT JOIN (
                       SELECT DISTINCT ON (contact_id, purpose_id, channel) contact_id, state, level
                       FROM contacts_consent WHERE contact_id = ANY(%s)
                       ORDER BY contact_id, purpose_id, channel, id DESC) latest ON latest.contact_id = given.id
                     GROUP BY given.id) derived
               WHERE c.id = derived.id AND c.consent_level <> derived.level""",
            [ids, ids],
        )
