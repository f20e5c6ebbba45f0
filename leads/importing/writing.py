"""Writing a piece: some twenty statements in one transaction, however many rows it has."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from contacts import timeline
from contacts.models import MatchAmbiguity
from contacts.models.timeline import Lane
from leads.creation import ENTERED, NewLead, make_leads
from leads.importing import accounts, alike, consents, consequences, contacts
from leads.importing.cleaning import Cleaned
from leads.importing.folding import Firm, Folded, Person
from leads.importing.options import MatchBy, Options, Strangers
from leads.importing.staging import Change, Spelled
from leads.models.imports import Import, ImportPiece
from tenants.models import Member

SOURCE = "import"


@dataclass
class Prepared:
    """A piece of rows, ready to be written: cleaned and folded, without those that were refused."""

    position: int
    count: int
    folded: Folded
    # What the rows say of `folded.people`, ready to be copied.
    spelled: Spelled
    refused: list[list[Any]] = field(default_factory=list)


class _TakenBack(Exception):
    """Ends a trial's savepoint."""


def write(batch: Import, options: Options, prepared: Prepared, by: Member | None) -> ImportPiece:
    """Write a piece in the scope's transaction, with the row that proves it; a second time IntegrityError."""
    piece = _write(batch, options, prepared, by, seen=set())
    piece.save(force_insert=True)
    return piece


def rehearse(batch: Import, options: Options, prepared: Prepared, by: Member | None) -> ImportPiece:
    """Do the same and take it back; only what it came to is kept."""
    seen = _seen(batch, prepared.folded)
    piece = ImportPiece()
    try:
        with transaction.atomic():
            piece = _write(batch, options, prepared, by, seen=seen)
            touched = [*piece.created["contact"], *map(int, piece.changed.get("contact", {}))]
            piece.consequences = consequences.ask(touched)
            piece.alike = alike.of(prepared.folded.people, set(piece.created["contact"]))
            raise _TakenBack
    except _TakenBack:
        piece.keys = _numbers(prepared.folded)
    piece.is_trial, piece.created, piece.changed, piece.contact_ids = True, {}, {}, []
    piece.is_indexed = True
    piece.save(force_insert=True)
    return piece


def _write(batch: Import, options: Options, prepared: Prepared, by: Member | None, seen: set[int]) -> ImportPiece:
    _one_at_a_time()
    folded, is_main = prepared.folded, batch.entity == Import.Entity.ACCOUNT
    accounts.find(folded.firms)
    contacts.find(folded.people, prepared.spelled, options)
    people = _those_to_write(folded, options, is_main)
    accounts.make(folded.firms, seen)
    changed_accounts = accounts.change(folded.firms, options.update, is_main=is_main)
    has_refused = consents.admit(people, options)
    made = contacts.make(people, prepared.spelled, options, seen)
    changed = {change.id: change for change in contacts.change(people, made, options.update)}
    _record_contacts(batch, options, by, has_made=bool(made), has_changed=bool(changed))
    granted = consents.grant(people, options, made, by)
    _add_levels(changed, granted, options)
    ambiguous = _note_ambiguities(people, options)
    made_accounts = [firm for firm in folded.firms if firm.is_new and firm.account_id]
    _record_accounts(made_accounts, changed_accounts, by)
    leads = _make_leads(batch, options, folded, by) if options.makes_leads else set()
    piece = ImportPiece(batch=batch, position=prepared.position, refused=prepared.refused, is_indexed=False)
    piece.created = {
        "contact": sorted(made),
        "account": [firm.account_id for firm in made_accounts],
        "lead": sorted(leads),
        "consent": granted.ids,
        "ambiguity": ambiguous,
    }
    piece.changed = {"contact": _kept(changed.values()), "account": _kept(changed_accounts)}
    piece.contact_ids = sorted({person.contact_id for person in people if person.contact_id})
    piece.counts = {
        **_count(folded, leads, is_main),
        "rows": prepared.count,
        "refused": len(prepared.refused),
        "accounts_new": len(made_accounts),
        "accounts_changed": len(changed_accounts),
        "leads_new": len(leads),
        "agreed": len(granted.ids),
        "mailable": granted.mailable,
        "refused_before": has_refused,
        "ambiguous": sum(1 for person in people if person.others),
    }
    piece.written_xid = _transaction_id()
    return piece


def _one_at_a_time() -> None:
    """Imports of one company write one after the other, so that each sees whom the other has made.

    Addresses are unique by a constraint; phones, ids, names and companies are not.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('import:' || current_setting('app.tenant_id'), 0))"
        )


def _transaction_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return cursor.fetchone()[0]


def _those_to_write(folded: Folded, options: Options, is_main: bool) -> list[Person]:
    """The people who get or have a contact; strangers whose leads are to wait for matching are left aside."""
    is_leaving = options.makes_leads and options.strangers == Strangers.LEAVE
    people = [person for person in folded.people if not is_leaving or person.contact_id]
    for person in people:
        if person.firm:
            person.firm.is_needed = True
    for _row, about, firm in folded.rows:
        if firm and (is_main or (about is None and not is_leaving)):
            firm.is_needed = True
    return people


def _add_levels(changed: dict[int, Change], granted: consents.Granted, options: Options) -> None:
    """What consent has changed about contacts belongs to what the piece has changed."""
    for id_, before in granted.before.items():
        change = changed.setdefault(id_, Change(id_, {"updated_at": before["updated_at"]}, {}))
        change.before["consent_level"] = before["consent_level"]
        change.after["consent_level"] = options.consent_level


def _kept(changes: Iterable[Change]) -> dict[str, Any]:
    return {str(change.id): {"before": change.before, "after": change.after} for change in changes}


def _note_ambiguities(people: Sequence[Person], options: Options) -> list[int]:
    """Offer those who may be several for merging, unless that is offered already; returns the ids."""
    found = [person for person in people if person.others]
    chosen = [person.contact_id for person in found]
    known = set(MatchAmbiguity.objects.filter(chosen__in=chosen, resolved_at=None).values_list("chosen", flat=True))
    reason = _("the same: %(what)s (import)") % {"what": MatchBy(options.match_by).label}
    rows = {
        person.contact_id: MatchAmbiguity(chosen_id=person.contact_id, others=person.others, reason=reason[:200])
        for person in found
        if person.contact_id is not None and person.contact_id not in known
    }
    return [row.pk for row in MatchAmbiguity.objects.bulk_create(rows.values())]


def _record_contacts(batch: Import, options: Options, by: Member | None, *, has_made: bool, has_changed: bool) -> None:
    """Who was made (`fresh_contact`) and changed (`differing_contact`); in the bulk lane, behind what people do."""
    params = {"actor": by.pk if by else None, "detail": Jsonb({"source": options.source or SOURCE, "import": batch.pk})}
    if has_made:
        timeline.record_select(
            "contact.created",
            """SELECT id AS contact_id, account_id, %(actor)s::bigint AS actor_id, %(detail)s::jsonb AS detail
               FROM fresh_contact ORDER BY id""",
            params,
            columns=("contact_id", "account_id", "actor_id", "detail"),
            lane=Lane.BULK,
        )
    if not has_changed:
        return
    labels = {name: str(getattr(field, "verbose_name", name)) for name, field in _shown_fields(contacts.MODEL)}
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
        lane=Lane.BULK,
    )


def _record_accounts(made_accounts: list[Firm], changed_accounts: list[Change], by: Member | None) -> None:
    """The same of companies, of which a piece has few."""
    actor = by.pk if by else None
    created = [
        {"account_id": f.account_id, "object_id": f.account_id, "actor_id": actor, "detail": {"account": _name(f)}}
        for f in made_accounts
    ]
    timeline.record_many("account.created", created, lane=Lane.BULK)
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
    timeline.record_many("account.changed", rows, lane=Lane.BULK)


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


def _make_leads(batch: Import, options: Options, folded: Folded, by: Member | None) -> set[int]:
    """A lead per row. A line of a file makes one lead, however often the file is imported."""
    new = [_new_lead(batch, options, row, person, firm) for row, person, firm in folded.rows]
    return make_leads(new, by=by, lane=Lane.BULK).fresh


def _new_lead(batch: Import, options: Options, row: Cleaned, person: Person | None, firm: Firm | None) -> NewLead:
    contact_id = person.contact_id if person else None
    entered = {**row.contact, **row.lead, "company": row.account.get("name", "")}
    # With a contact, its own fields say who it is; a second copy would have to be kept and erased as well.
    kept = ("description",) if contact_id else ENTERED
    values = {name: entered[name] for name in kept if entered.get(name)}
    own = {**row.contact.get("custom", {})} if contact_id is None else {}
    values["custom"] = {**own, **row.lead.get("custom", {})}
    return NewLead(
        topic=row.lead.get("topic") or options.lead_topic or batch.name,
        source=row.lead.get("source") or SOURCE,
        contact_id=contact_id,
        account_id=firm.account_id if firm else None,
        values=values,
        origin_key=f"import:{batch.fingerprint[:32]}:{row.row.line}",
    )


def _count(folded: Folded, leads: set[int], is_main: bool) -> dict[str, int]:
    """Each row once: new, changed or matched. Further rows about somebody whom one has made or changed are matched."""
    counts, told = Counter({"new": 0, "changed": 0, "matched": 0}), set()
    for _row, person, firm in folded.rows:
        about = firm if is_main else person
        if about is None or (isinstance(about, Person) and about.contact_id is None):
            counts["new" if leads else "matched"] += 1
        elif about in told or not (about.is_new or about.is_changed):
            counts["matched"] += 1
        else:
            counts["new" if about.is_new else "changed"] += 1
            told.add(about)
    return dict(counts)


def _numbers(folded: Folded) -> list[int]:
    """The numbers of those whom this piece would have made."""
    people = [person.number for person in folded.people if person.is_new]
    return [number for number in (*people, *(f.number for f in folded.firms if f.is_new)) if number is not None]


def _seen(batch: Import, folded: Folded) -> set[int]:
    """Of the people and companies of a piece, those that earlier pieces of the trial would have made."""
    asked = [person.number for person in folded.people] + [firm.number for firm in folded.firms]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT unnest(keys) FROM leads_importpiece WHERE batch_id = %s AND is_trial
               INTERSECT SELECT unnest(%s::bigint[])""",
            [batch.pk, [number for number in asked if number is not None]],
        )
        return {number for (number,) in cursor.fetchall()}
