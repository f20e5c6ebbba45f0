"""Writing a piece: some twenty statements in one transaction, however many rows it has."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from contacts import findable
from contacts.models.timeline import Lane
from leads.creation import ENTERED, NewLead, make_leads
from leads.importing import accounts, alike, consents, consequences, contacts, recording
from leads.importing.cleaning import Cleaned
from leads.importing.folding import Firm, Folded, Person
from leads.importing.options import Options, Strangers
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
    piece.save(force_insert=True)
    return piece


def _write(batch: Import, options: Options, prepared: Prepared, by: Member | None, seen: set[int]) -> ImportPiece:
    recording.one_at_a_time()
    folded, is_main = prepared.folded, batch.entity == Import.Entity.ACCOUNT
    accounts.find(folded.firms)
    contacts.find(folded.people, prepared.spelled, options)
    people = _those_to_write(folded, options, is_main)
    accounts.make(folded.firms, seen)
    changed_accounts = accounts.change(folded.firms, options.update, is_main=is_main)
    has_refused = consents.admit(people, options)
    made = contacts.make(people, prepared.spelled, options, seen)
    changed = {change.id: change for change in contacts.change(people, made, options.update)}
    recording.record_contacts(_said(batch, options), by, has_made=bool(made), has_changed=bool(changed))
    granted = consents.grant(people, options, made, by)
    _add_levels(changed, granted, options)
    ambiguous = recording.note_ambiguities(people, options.match_by, _("import"))
    made_accounts = [firm for firm in folded.firms if firm.is_new and firm.account_id]
    recording.record_accounts(made_accounts, changed_accounts, by)
    leads = _make_leads(batch, options, folded, by) if options.makes_leads else set()
    piece = ImportPiece(batch=batch, position=prepared.position, refused=prepared.refused)
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
    findable.note("contact", [*made, *changed])
    findable.note("account", [*piece.created["account"], *(change.id for change in changed_accounts)])
    return piece


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


def _said(batch: Import, options: Options) -> dict[str, Any]:
    """What the timeline says of how somebody came in."""
    return {"source": options.source or SOURCE, "import": batch.pk}


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
