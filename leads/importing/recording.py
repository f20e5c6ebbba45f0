"""What a set of rows has made and changed, told to the timeline and to whoever merges; used by all ways in for sets."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from contacts import timeline
from contacts.models import MatchAmbiguity
from contacts.models.timeline import Lane
from leads.importing import accounts, contacts
from leads.importing.folding import Firm, Person
from leads.importing.options import MatchBy
from leads.importing.staging import Change
from tenants.models import Member


def one_at_a_time() -> None:
    """Those who bring sets of people into one company write one after the other: each sees whom the other has made.

    Addresses are unique by a constraint; phones, ids, names and companies are not.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('import:' || current_setting('app.tenant_id'), 0))"
        )


def note_ambiguities(people: Sequence[Person], match_by: str, way_in: str) -> list[int]:
    """Offer those who may be several for merging, unless that is offered already; returns the ids."""
    found = [person for person in people if person.others]
    chosen = [person.contact_id for person in found]
    known = set(MatchAmbiguity.objects.filter(chosen__in=chosen, resolved_at=None).values_list("chosen", flat=True))
    reason = _("the same: %(what)s (%(way)s)") % {"what": MatchBy(match_by).label, "way": way_in}
    rows = {
        person.contact_id: MatchAmbiguity(chosen_id=person.contact_id, others=person.others, reason=reason[:200])
        for person in found
        if person.contact_id is not None and person.contact_id not in known
    }
    return [row.pk for row in MatchAmbiguity.objects.bulk_create(rows.values())]


def record_contacts(
    said: Mapping[str, Any], by: Member | None, *, has_made: bool, has_changed: bool, lane: str = Lane.BULK
) -> None:
    """Who was made (`fresh_contact`) and changed (`differing_contact`); in the bulk lane, behind what people do.

    `said` is what the timeline keeps of how they came in; it has a "source".
    """
    params = {"actor": by.pk if by else None, "said": Jsonb(dict(said))}
    if has_made:
        timeline.record_select(
            "contact.created",
            """SELECT id AS contact_id, account_id, %(actor)s::bigint AS actor_id, %(said)s::jsonb AS detail
               FROM fresh_contact ORDER BY id""",
            params,
            columns=("contact_id", "account_id", "actor_id", "detail"),
            lane=lane,
        )
    if not has_changed:
        return
    labels = labels_of(contacts.MODEL)
    timeline.record_select(
        "contact.changed",
        """SELECT differing.id AS contact_id, contact.account_id, %(actor)s::bigint AS actor_id,
                  jsonb_build_object('fields', told.fields, 'names', told.names) AS detail
           FROM differing_contact differing
           CROSS JOIN LATERAL (SELECT account_id FROM contacts_contact WHERE id = differing.id LIMIT 1) contact
           CROSS JOIN LATERAL (
             SELECT jsonb_object_agg(key, jsonb_build_array(differing.before -> key, value)) AS fields,
                    string_agg(%(labels)s::jsonb ->> key, ', ') AS names
             FROM jsonb_each(differing.after) WHERE key IN (SELECT jsonb_object_keys(%(labels)s::jsonb))) told
           WHERE told.names IS NOT NULL ORDER BY differing.id""",
        {**params, "labels": Jsonb(labels)},
        columns=("contact_id", "account_id", "actor_id", "detail"),
        lane=lane,
    )


def record_accounts(
    made_accounts: list[Firm], changed_accounts: list[Change], by: Member | None, *, lane: str = Lane.BULK
) -> None:
    """The same of companies, of which a piece has few."""
    actor = by.pk if by else None
    created = [
        {"account_id": f.account_id, "object_id": f.account_id, "actor_id": actor, "detail": {"account": _name(f)}}
        for f in made_accounts
    ]
    timeline.record_many("account.created", created, lane=lane)
    names = _account_names([change.id for change in changed_accounts])
    rows = [
        {
            "account_id": change.id,
            "object_id": change.id,
            "actor_id": actor,
            "detail": {"account": names.get(change.id, ""), **_told(change)},
        }
        for change in changed_accounts
    ]
    timeline.record_many("account.changed", rows, lane=lane)


def labels_of(model: type[Any]) -> dict[str, str]:
    """What the columns are called whose changes are told."""
    return {name: str(getattr(field, "verbose_name", name)) for name, field in _shown_fields(model)}


def _shown_fields(model: type[Any]) -> list[tuple[str, Any]]:
    """The columns whose changes are told; consent has rows of its own, derived columns none."""
    hidden = ("updated_at", "sort_key", "name_key", "consent_level")
    return [(f.attname, f) for f in model._meta.local_fields if f.attname not in hidden]


def _told(change: Change) -> dict[str, Any]:
    """A change as the timeline keeps it."""
    shown = dict(_shown_fields(accounts.MODEL))
    fields = {name: [change.before.get(name), after] for name, after in change.after.items() if name in shown}
    return {"fields": fields, "names": ", ".join(str(shown[name].verbose_name) for name in fields)}


def _name(firm: Firm) -> str:
    return str(firm.values.get("name", ""))


def _account_names(ids: list[int]) -> dict[int, str]:
    return dict(accounts.MODEL.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
