"""What people agreed to beside a form, into the ledger: with the text that they saw, as the mapping says.

A lead is no opt-in by itself. Only an accepted consent that the mapping takes for a purpose is written, as of the
moment of the submission: whatever the person or the address has said about the purpose since then, holds.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from contacts import consent, timeline
from contacts.models import Purpose
from integrations.linkedin.answers import Questions, Submission
from integrations.linkedin.mapping import ANY_CONSENT
from integrations.models import LeadFormMapping
from leads.importing import staging

BASIS = "opt-in"


class Agreed(NamedTuple):
    """One accepted consent of a submission whose contact is known."""

    contact_id: int
    purpose_id: int
    level: int
    at: Any
    text: str
    source: str


def of(submission: Submission, contact_id: int, mapping: LeadFormMapping, questions: Questions) -> list[Agreed]:
    """What of a submission's consents the mapping takes for something."""
    found = []
    for given in questions.consents(submission) if mapping.consents else ():
        entry: Mapping[str, Any] | None = mapping.consents.get(given.id) or mapping.consents.get(ANY_CONSENT)
        if given.is_accepted and entry and entry.get("purpose"):
            version = questions.version(submission)
            form = questions.form_name(submission)
            source = _("LinkedIn: %(form)s") % {"form": f"{form} ({version.number})" if version else form}
            agreed = (entry["purpose"], entry.get("level", 4), submission.submitted_at, given.text, source[:100])
            found.append(Agreed(contact_id, *agreed))
    return found


def write(agreed: Iterable[Agreed], *, lane: str) -> int:
    """Write those that nothing later speaks against; returns how many. Indexes: consent_latest, consent_of_address."""
    rows = sorted(set(agreed), key=lambda each: each.at)
    if not rows:
        return 0
    names = dict(Purpose.objects.filter(pk__in={row.purpose_id for row in rows}).values_list("pk", "name"))
    columns = {
        "contact_id": "bigint",
        "purpose_id": "bigint",
        "level": "integer",
        "at": "timestamptz",
        "text_shown": "text",
        "source": "text",
    }
    staging.stage("given_consents", columns, (row for row in rows if row.purpose_id in names))
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO contacts_consent
                 (contact_id, purpose_id, channel, address, state, level, basis, source, text_shown, at)
               SELECT given.contact_id, given.purpose_id, 'email', contact.email, 'granted', given.level, %(basis)s,
                      given.source, given.text_shown, least(given.at, now())
               FROM given_consents given
               CROSS JOIN LATERAL (SELECT email FROM contacts_contact WHERE id = given.contact_id LIMIT 1) contact
               WHERE NOT EXISTS (
                 SELECT FROM contacts_consent said
                 WHERE said.contact_id = given.contact_id AND said.purpose_id = given.purpose_id
                   AND said.channel = 'email' AND said.at >= least(given.at, now()))
               AND NOT EXISTS (
                 SELECT FROM contacts_consent said
                 WHERE contact.email <> '' AND said.address = contact.email AND said.purpose_id = given.purpose_id
                   AND said.channel = 'email' AND said.state = 'refused' AND said.at >= given.at)
               ORDER BY given.at
               RETURNING contact_id, purpose_id, source, at""",
            {"basis": BASIS},
        )
        written = cursor.fetchall()
    if not written:
        return 0
    consent.derive({contact for contact, _purpose, _source, _at in written})
    facts = [
        {
            "contact_id": contact,
            "object_id": purpose,
            "occurred_at": at,
            "detail": {"purpose": names[purpose], "source": source, "basis": BASIS},
        }
        for contact, purpose, source, at in written
    ]
    timeline.record_many("consent.granted", facts, lane=lane)
    return len(written)
