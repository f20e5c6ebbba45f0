"""Taking an import back: the last piece first, each in one transaction, as a job.

What it made is deleted and what it changed gets its old values, unless somebody has changed it or worked with it since:
that stays, and is listed. Rows of the timeline that only the import has written go with what it made.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from psycopg import sql
from psycopg.types.json import Jsonb

from contacts import findable, search, timeline
from contacts.exporting import as_csv
from contacts.models import Account, Consent, Contact, MatchAmbiguity
from contacts.models.timeline import Lane
from contacts.targets import ENTITIES
from leads.creation import SEARCH_KIND
from leads.importing import recording
from leads.importing.accounts import ACCOUNT
from leads.importing.contacts import CONTACT
from leads.importing.staging import Record
from leads.models import Lead, Stage
from leads.models.imports import Import, ImportPiece
from leads.moves import keep_contact_stages
from tenants import audit, jobs
from tenants.models import Job, Member
from tenants.scope import tenant_scope
from tenants.wakeups import announce

KIND = "leads.undo_import"
QUEUE = "imports"
# Kinds that readers write about anybody, beginnings of their keys: nobody has worked with a contact because of them.
AUTOMATIC = ("segment.", "score.", "journey.")


def order(job: Job, by: Member | None) -> Job:
    """Order the way back of an import's job. Raises CannotUndo."""
    batch = Import.objects.select_for_update(of=("self",)).get(pk=job.arguments["import"])
    if job.state in jobs.OPEN:
        raise jobs.CannotUndo(_("The import is still under way: cancel it first."))
    if batch.state == Import.State.UNDONE:
        raise jobs.CannotUndo(_("This import has been undone already."))
    count = batch.pieces.filter(is_trial=False, undone_xid=None).count()
    title = _("Undo the import of “%(name)s”") % {"name": batch.name}
    Import.objects.filter(pk=batch.pk).update(state=Import.State.UNDONE)
    undo = jobs.order(KIND, title, {"import": batch.pk, "undoes": job.pk}, by=by, total=count)
    audit.write("import.undone", batch, by=by)
    announce(QUEUE)
    return undo


def run(tenant_id: int, job_id: int, deadline: float | None) -> bool:
    """Take back the pieces that stand, the last one first; False if the deadline came first."""
    while True:
        with tenant_scope(tenant_id):
            job = jobs.lock(KIND, job_id)
            if job is None:
                return True
            all_pieces = ImportPiece.objects.filter(batch=job.arguments["import"], is_trial=False)
            piece = all_pieces.filter(undone_xid=None).order_by("-position").first()
            if piece is None:
                jobs.finish(job)
                return True
            kept = take_back(piece, all_pieces, job.started_by_id)
            result = job.result
            for name, count in (("taken_back", _size(piece) - len(kept)), ("kept", len(kept))):
                result[name] = result.get(name, 0) + count
            jobs.advance(job, job.done_count + 1)
        if deadline is not None and time.monotonic() >= deadline:
            return False


def _size(piece: ImportPiece) -> int:
    made = sum(len(piece.created.get(entity, ())) for entity in ("contact", "account", "lead"))
    return made + sum(len(changes) for changes in piece.changed.values())


def kept_lines(job: Job) -> Iterator[str]:
    """What an undo has left as it is, as a file's lines, a scope per piece."""
    yield from as_csv([[_("What"), _("Name"), _("Why it was left")]])
    with tenant_scope(job.tenant_id, read_only=True):
        rows = ImportPiece.objects.filter(batch=job.arguments["import"], is_trial=False).exclude(kept=[])
        positions = list(rows.order_by("position").values_list("pk", flat=True))
    for pk in positions:
        with tenant_scope(job.tenant_id, read_only=True):
            kept = ImportPiece.objects.values_list("kept", flat=True).get(pk=pk)
        yield from as_csv([str(ENTITIES[entity]), name, why] for entity, _pk, name, why in kept)


def take_back(piece: ImportPiece, all_pieces: QuerySet[ImportPiece], actor_id: int | None) -> list[list[Any]]:
    """Take a piece back; returns what was left: [entity, id, name, why]."""
    xids = _own_transactions(all_pieces)
    made = piece.created
    kept = _take_back_leads(made.get("lead", []), xids)
    kept += _restore(CONTACT, piece.changed.get("contact", {}), actor_id)
    kept += _take_back_consents(piece, {row[1] for row in kept if row[0] == "contact"})
    MatchAmbiguity.objects.filter(pk__in=made.get("ambiguity", []), resolved_at=None).delete()
    kept += _take_back_contacts(made.get("contact", []), xids)
    kept += _restore(ACCOUNT, piece.changed.get("account", {}), actor_id)
    kept += _take_back_accounts(made.get("account", []), xids)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        xid = cursor.fetchone()[0]
    ImportPiece.objects.filter(pk=piece.pk).update(undone_xid=xid, kept=kept, refused=[])
    return kept


def _own_transactions(all_pieces: QuerySet[ImportPiece]) -> list[str]:
    """The transactions of the import and of its undoing: rows of the timeline by these are nobody's work."""
    pairs = all_pieces.values_list("written_xid", "undone_xid")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        own = cursor.fetchone()[0]
    return [own, *(str(xid) for pair in pairs for xid in pair if xid is not None)]


def _worked_with(column: str, ids: list[int], xids: list[str]) -> set[int]:
    """Those of the ids about whom the timeline tells something that the import did not write and no reader."""
    statement = sql.SQL(
        """SELECT DISTINCT {column} FROM {table} WHERE {column} = ANY(%s)
           AND recorded_xid::text <> ALL(%s) AND NOT kind ^@ ANY(%s)"""
    ).format(column=sql.Identifier(column), table=sql.Identifier(timeline.TABLE))
    with connection.cursor() as cursor:
        cursor.execute(statement, [ids, xids, list(AUTOMATIC)])
        return {id_ for (id_,) in cursor.fetchall()}


def _forget(column: str, ids: list[int]) -> None:
    """Delete the rows of the timeline about what has never been."""
    statement = sql.SQL("DELETE FROM {table} WHERE {column} = ANY(%s)").format(
        column=sql.Identifier(column), table=sql.Identifier(timeline.TABLE)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [ids])


def _take_back_leads(ids: list[int], xids: list[str]) -> list[list[Any]]:
    if not ids:
        return []
    used = _worked_with("lead_id", ids, xids)
    used |= set(Lead.objects.filter(pk__in=ids).exclude(stage=Stage.INQUIRY).values_list("pk", flat=True))
    for relation in ("activities", "opportunities"):
        found = Lead.objects.filter(pk__in=ids, **{f"{relation}__isnull": False})
        used |= set(found.values_list("pk", flat=True))
    gone = [id_ for id_ in ids if id_ not in used]
    contact_ids = list(Lead.objects.filter(pk__in=gone, contact__isnull=False).values_list("contact", flat=True))
    _forget("lead_id", gone)
    search.remove_many(SEARCH_KIND, gone)
    Lead.objects.filter(pk__in=gone).delete()
    keep_contact_stages(contact_ids)
    rows = Lead.objects.filter(pk__in=used).order_by("pk").values_list("pk", "topic")
    return [["lead", pk, topic, _("somebody has worked with it")] for pk, topic in rows]


def _take_back_contacts(ids: list[int], xids: list[str]) -> list[list[Any]]:
    if not ids:
        return []
    there = Contact.objects.filter(pk__in=ids)
    used = _worked_with("contact_id", ids, xids)
    used |= set(there.exclude(updated_at=F("created_at")).values_list("pk", flat=True))
    used |= set(there.filter(leads__isnull=False).values_list("pk", flat=True))
    gone = [id_ for id_ in ids if id_ not in used]
    _forget("contact_id", gone)
    search.remove_many("contact", gone)
    Contact.objects.filter(pk__in=gone).delete()
    rows = Contact.objects.filter(pk__in=used).order_by("pk")
    return [["contact", row.pk, str(row), _("it was changed or somebody worked with it since")] for row in rows]


def _take_back_accounts(ids: list[int], xids: list[str]) -> list[list[Any]]:
    if not ids:
        return []
    there = Account.objects.filter(pk__in=ids)
    used = _worked_with("account_id", ids, xids)
    used |= set(there.exclude(updated_at=F("created_at")).values_list("pk", flat=True))
    for relation in Account._meta.related_objects:
        field = relation.field
        users = relation.related_model._default_manager.filter(**{f"{field.name}__in": ids})  # type: ignore[union-attr]
        used |= set(users.values_list(field.attname, flat=True))  # type: ignore[attr-defined]
    gone = [id_ for id_ in ids if id_ not in used]
    _forget("account_id", gone)
    search.remove_many("account", gone)
    Account.objects.filter(pk__in=gone).delete()
    rows = Account.objects.filter(pk__in=used).order_by("pk").values_list("pk", "name")
    return [["account", pk, name, _("it was changed or is in use since")] for pk, name in rows]


def _take_back_consents(piece: ImportPiece, kept: set[int]) -> list[list[Any]]:
    """Take the statements about known contacts out of the ledger again, unless mail has been sent on their strength."""
    rows = Consent.objects.filter(pk__in=piece.created.get("consent", []))
    known = dict(rows.exclude(contact__in=piece.created.get("contact", [])).values_list("pk", "contact_id"))
    if not known:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT DISTINCT contact_id FROM {timeline.TABLE} WHERE contact_id = ANY(%s)
                AND kind ^@ ANY(ARRAY['email.', 'consent.']) AND recorded_at > %s""",
            [list(known.values()), piece.written_at],
        )
        relied_on = {id_ for (id_,) in cursor.fetchall()}
    gone = [pk for pk, contact_id in known.items() if contact_id not in relied_on]
    Consent.objects.filter(pk__in=gone).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""DELETE FROM {timeline.TABLE} WHERE kind = 'consent.granted' AND contact_id = ANY(%s)
                AND recorded_xid = %s::text::xid8""",
            [[known[pk] for pk in gone], piece.written_xid],
        )
    found = Contact.objects.filter(pk__in=relied_on - kept).order_by("pk")
    return [["contact", row.pk, str(row), _("the consent stays: mail was sent or she answered since")] for row in found]


def _restore(record: Record, changes: dict[str, Any], actor_id: int | None) -> list[list[Any]]:
    """Give rows their old values back, where they still have what the import gave them."""
    ids = [int(id_) for id_ in changes]
    if not ids:
        return []
    table = sql.Identifier(record.table)
    model = Contact if record.entity == "contact" else Account
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT id, to_jsonb(here) FROM {} here WHERE id = ANY(%s) ORDER BY id FOR UPDATE").format(table),
            [ids],
        )
        now = {id_: _json(row) for id_, row in cursor.fetchall()}
        same = {
            id_: changes[str(id_)]["before"]
            for id_, row in now.items()
            if all(row[name] == value for name, value in changes[str(id_)]["after"].items())
        }
        columns = [*record.columns, "updated_at"]
        cursor.execute(
            sql.SQL(
                """UPDATE {table} row SET ({names}) = (SELECT {old} FROM jsonb_populate_record(row, given.before) old)
                   FROM unnest(%s::bigint[], %s::jsonb[]) AS given (id, before) WHERE row.id = given.id"""
            ).format(
                table=table,
                names=sql.SQL(", ").join(map(sql.Identifier, columns)),
                old=sql.SQL(", ").join(sql.Identifier("old", name) for name in columns),
            ),
            [list(same), [Jsonb(before) for before in same.values()]],
        )
    _tell(record.entity, same, changes, actor_id)
    findable.note(record.entity, same)
    left = model._default_manager.filter(pk__in=[id_ for id_ in ids if id_ not in same]).order_by("pk")
    return [[record.entity, row.pk, str(row), _("it was changed since")] for row in left]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _tell(entity: str, same: dict[int, Any], changes: dict[str, Any], actor_id: int | None) -> None:
    """The timeline hears that values went back, so that whoever follows them does."""
    labels = recording.labels_of(Contact if entity == "contact" else Account)
    rows = []
    for id_, before in same.items():
        after = changes[str(id_)]["after"]
        fields = {name: [value, before.get(name)] for name, value in after.items() if name in labels}
        if fields:
            who = {"contact_id": id_} if entity == "contact" else {"account_id": id_, "object_id": id_}
            detail = {"fields": fields, "names": ", ".join(labels[name] for name in fields), "account": ""}
            rows.append({**who, "actor_id": actor_id, "detail": detail})
    timeline.record_many(f"{entity}.changed", rows, lane=Lane.BULK)
