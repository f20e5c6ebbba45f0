"""What an import says that people agreed to. It never overrules a refusal: that holds for the address."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from psycopg import sql
from psycopg.types.json import Jsonb

from contacts import consent, timeline
from contacts.models import Contact, Purpose
from contacts.models.timeline import Lane
from leads.importing import staging
from leads.importing.folding import Person
from leads.importing.options import MatchBy, Options
from messaging.eligibility import effective_suppression
from tenants.models import Member


@dataclass
class Granted:
    """The statements that were written, how many people can be mailed who could not be before, and what levels were.

    `before` has {"consent_level", "updated_at"} of the contacts known before whose level has changed, by id.
    """

    ids: list[int] = field(default_factory=list)
    mailable: int = 0
    before: dict[int, dict[str, Any]] = field(default_factory=dict)


def admit(people: Sequence[Person], options: Options) -> int:
    """Note who may be said to agree; returns how many have refused before.

    Nobody who has refused the purpose, nor whoever has the address of somebody who did; nobody without an address; and
    whoever has agreed as far already need not again. Indexes: consent_latest, consent_of_address.
    """
    if not options.purpose_id:
        return 0
    asked = {person.place: person for person in people if person.values.get("email")}
    known = ([place, person.contact_id] for place, person in asked.items() if person.contact_id)
    staging.stage("known_people", {"place": "integer", "contact_id": "bigint"}, known)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT place, coalesce(hers.state = 'refused' OR its.state = 'refused', false),
                      coalesce(hers.state = 'granted' AND hers.level >= %(level)s, false)
               FROM given_contact given LEFT JOIN known_people known USING (place)
               LEFT JOIN LATERAL (
                 SELECT state, level FROM contacts_consent ledger
                 WHERE ledger.contact_id = known.contact_id AND ledger.purpose_id = %(purpose)s
                   AND ledger.channel = 'email' ORDER BY ledger.id DESC LIMIT 1) hers ON true
               LEFT JOIN LATERAL (
                 SELECT state FROM contacts_consent ledger
                 WHERE ledger.address = given.email AND ledger.purpose_id = %(purpose)s
                   AND ledger.channel = 'email' ORDER BY ledger.id DESC LIMIT 1) its ON true
               WHERE given.email <> '' AND (hers.state IS NOT NULL OR its.state IS NOT NULL)""",
            {"level": options.consent_level, "purpose": options.purpose_id},
        )
        for person in asked.values():
            person.may_agree = True
        refused = 0
        for place, has_refused, has_agreed in cursor.fetchall():
            if found := asked.get(place):
                found.may_agree = not (has_refused or has_agreed)
                refused += has_refused
    return refused


def grant(people: Sequence[Person], options: Options, made: set[int], by: Member | None) -> Granted:
    """Write that the admitted people agree, with basis, source and date; the levels of those known before follow."""
    agreed = _agreed(people, made)
    purpose = Purpose.objects.filter(pk=options.purpose_id).first() if agreed and options.purpose_id else None
    if purpose is None:
        return Granted()
    at = datetime.fromisoformat(options.consented_on).replace(tzinfo=UTC) if options.consented_on else None
    source = options.consent_source or options.source or "import"
    params: dict[str, Any] = {
        "purpose": purpose.pk,
        "level": options.consent_level,
        "basis": options.basis,
        "source": source,
        "at": at,
        "by": by.pk if by else None,
        "detail": Jsonb({"purpose": purpose.name, "source": source, "basis": options.basis}),
    }
    staging.stage("agreeing", {"id": "bigint", "address": "text"}, agreed.items())
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO contacts_consent
                 (contact_id, purpose_id, channel, address, state, level, basis, source, text_shown, at)
               SELECT id, %(purpose)s, 'email', address, 'granted', %(level)s, %(basis)s, %(source)s, '',
                      coalesce(least(%(at)s::timestamptz, now()), now())
               FROM agreeing RETURNING id""",
            params,
        )
        ids = [id_ for (id_,) in cursor.fetchall()]
    timeline.record_select(
        "consent.granted",
        """SELECT agreeing.id AS contact_id, contact.account_id, %(purpose)s::bigint AS object_id,
                  %(by)s::bigint AS actor_id, %(at)s::timestamptz AS occurred_at, %(detail)s::jsonb AS detail
           FROM agreeing
           CROSS JOIN LATERAL (SELECT account_id FROM contacts_contact WHERE id = agreeing.id LIMIT 1) contact""",
        params,
        columns=("contact_id", "account_id", "object_id", "actor_id", "occurred_at", "detail"),
        lane=Lane.BULK,
    )
    before = _derive([id_ for id_ in agreed if id_ not in made])
    is_enough = options.consent_level >= consent.COMMERCIAL
    return Granted(ids, _mailable() if is_enough else 0, before)


def _agreed(people: Sequence[Person], made: set[int]) -> dict[int, str]:
    """The addresses of those who agree, by contact; who keeps another address than the row's says nothing of hers."""
    agreed = {p.contact_id: p.values["email"] for p in people if p.may_agree and p.contact_id}
    doubtful = [p.contact_id for p in people if p.contact_id in agreed and not (p.key and p.key[0] == MatchBy.EMAIL)]
    known = [id_ for id_ in doubtful if id_ and id_ not in made]
    emails = dict(Contact.objects.filter(pk__in=known).values_list("pk", "email")) if known else {}
    return {id_: address for id_, address in agreed.items() if emails.get(id_, address) == address}


def _derive(known: list[int]) -> dict[int, dict[str, Any]]:
    """Let the levels of contacts follow the ledger; returns what those that changed were before."""
    if not known:
        return {}
    rows = Contact.objects.filter(pk__in=known)
    before = {pk: (level, at) for pk, level, at in rows.values_list("pk", "consent_level", "updated_at")}
    consent.derive(known)
    return {
        pk: {"consent_level": before[pk][0], "updated_at": before[pk][1].isoformat()}
        for pk, level in rows.values_list("pk", "consent_level")
        if level != before[pk][0]
    }


def _mailable() -> int:
    """How many of those who agree nothing else keeps from getting mail."""
    statement = sql.SQL(
        """SELECT count(*) FROM agreeing
           CROSS JOIN LATERAL (SELECT do_not_email, do_not_bulk_email FROM contacts_contact
                               WHERE id = agreeing.id LIMIT 1) contact
           WHERE NOT (do_not_email OR do_not_bulk_email) AND NOT EXISTS (
             SELECT FROM messaging_suppression suppression
             WHERE suppression.address = agreeing.address AND {effective})"""
    ).format(effective=effective_suppression("suppression"))
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
