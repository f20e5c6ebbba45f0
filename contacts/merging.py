"""Merging two contacts into one, and taking them apart again.

Every row that points at the merged contact is pointed at the survivor and remembered; the timeline keeps whose a row
was when it happened (`as_contact_id`), so that undoing is one update along the tree of merges. What cannot be moved
because the survivor has the same (a membership of one segment, say) stays with the merged contact.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql

from contacts import consent, custom, duplicates, facts, people, registry, search, timeline
from contacts.models import Consent, Contact, ContactFacts, ContactMerge
from tenants import audit
from tenants.models import Member

UNDO_WITHIN = timedelta(days=30)
FLAGS = ("do_not_email", "do_not_bulk_email", "do_not_phone", "do_not_track")
# Statements of consent that a merge made, among the moved rows of ContactMerge.
STRICTEST = "strictest"


class CannotUndo(ValueError):
    """The two cannot be taken apart (any more); the text says why."""


def merge(survivor: Contact, merged: Contact, *, by: Member | None) -> ContactMerge:
    """Take one contact into another: rows, timeline, what the survivor lacks, and the strictest consent of both."""
    if survivor.pk == merged.pk:
        raise ValueError("a contact cannot be merged with itself")
    _lock(survivor.pk, merged.pk)
    for settle in registry.before_merge:
        settle(survivor.pk, merged.pk)
    refused = _refused(survivor, merged)
    moved = {name: _move(name, merged.pk, survivor.pk) for name in references()}
    _move_timeline(survivor.pk, merged.pk, [merged.pk, *merged_into(merged.pk)])
    moved[STRICTEST] = _refuse(survivor, refused)
    Contact.objects.filter(pk=merged.pk).update(is_active=False, merged_into=survivor, updated_at=Now())
    search.remove("contact", merged.pk)
    changes = people.update_contact(survivor, _lacking(survivor, merged), by=by)
    row = ContactMerge.objects.create(
        survivor=survivor, merged=merged, by=by, moved={k: v for k, v in moved.items() if v}, filled=_plain(changes)
    )
    detail = {"other": str(merged), "other_id": merged.pk, "merge": row.pk}
    timeline.record("contact.merged", contact=survivor, actor=by, detail=detail)
    _settle(survivor.pk, merged.pk)
    duplicates.settle(survivor.pk, merged.pk)
    audit.write("contact.merged", survivor, by=by, detail={"merged": merged.pk})
    return row


def undo(row: ContactMerge, *, by: Member | None) -> None:
    """Take two merged contacts apart again, within 30 days; raises CannotUndo."""
    survivor, merged = row.survivor, row.merged
    _lock(survivor.pk, merged.pk)
    _check_undo(row)
    for name, ids in row.moved.items():
        if name == STRICTEST:
            Consent.objects.filter(pk__in=ids).delete()
        else:
            _point(name, ids, survivor.pk, merged.pk)
    _move_timeline(merged.pk, survivor.pk, [merged.pk, *merged_into(merged.pk)])
    _give_back(survivor, row.filled, by)
    try:
        with transaction.atomic():
            Contact.objects.filter(pk=merged.pk).update(is_active=True, merged_into=None, updated_at=Now())
    except IntegrityError as error:
        raise CannotUndo(_("Another contact has the address of %(name)s by now.") % {"name": merged}) from error
    people.index_contact(merged)
    for contact, other in ((merged, survivor), (survivor, merged)):
        detail = {"other": str(other), "other_id": other.pk}
        timeline.record("contact.unmerged", contact=contact, actor=by, detail=detail)
    _settle(survivor.pk, merged.pk)
    audit.write("contact.unmerged", survivor, by=by, detail={"merged": merged.pk})


def recent() -> list[ContactMerge]:
    """The latest merges that can be undone."""
    rows = ContactMerge.objects.filter(undone_at=None, at__gt=timezone.now() - UNDO_WITHIN)
    return list(rows.select_related("survivor", "merged", "by__user").order_by("-at", "-pk")[:20])


def undoable(survivor: Contact) -> list[ContactMerge]:
    """The merges into a contact that can be undone."""
    rows = ContactMerge.objects.filter(survivor=survivor, undone_at=None, at__gt=timezone.now() - UNDO_WITHIN)
    return list(rows.select_related("merged").order_by("-pk"))


def references() -> dict[str, tuple[type[models.Model], str]]:
    """{table.column: (model, column)} of everything that points at a contact, but for what is computed anew."""
    found = {}
    for model in apps.get_models():
        if model in (Contact, ContactMerge, ContactFacts) or model._meta.label in registry.computed:
            continue
        for field in model._meta.concrete_fields:
            if field.related_model is Contact and field.column:
                found[f"{model._meta.db_table}.{field.column}"] = (model, field.column)
    return found


def _lock(*pks: int) -> None:
    """Both contacts, in the order of their ids, so that two merges of one pair wait instead of locking up."""
    list(Contact.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))


def _move(name: str, source: int, target: int) -> list[int]:
    """Point the rows of `table.column` from one contact at another; returns the ids of those that could be moved."""
    model, column = references()[name]
    rows = model._default_manager.filter(**{_field(model, column): source})
    return _point(name, list(rows.order_by("pk").values_list("pk", flat=True)), source, target)


def _point(name: str, ids: list[int], source: int, target: int) -> list[int]:
    """Point rows from one contact at another: all at once, or one by one where the target has the same already."""
    if name not in references() or not ids:
        return []
    model, column = references()[name]
    statement = sql.SQL("UPDATE {t} SET {c} = %s WHERE {id} = ANY(%s) AND {c} = %s").format(
        t=sql.Identifier(model._meta.db_table),
        c=sql.Identifier(column),
        id=sql.Identifier(model._meta.pk.column or "id"),
    )
    if _try(statement, target, ids, source):
        return ids
    return [pk for pk in ids if _try(statement, target, [pk], source)]


def _try(statement: sql.Composed, target: int, ids: list[int], source: int) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [target, ids, source])
    except IntegrityError:
        return False
    return True


def _field(model: type[models.Model], column: str) -> str:
    return next(field.attname for field in model._meta.concrete_fields if field.column == column)


def _move_timeline(target: int, source: int, tree: list[int]) -> None:
    """Point at the target those of the source's rows that happened to the contacts of `tree`.

    Index: interaction_of_contact, in every partition.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {timeline.TABLE} SET contact_id = %s WHERE contact_id = %s AND as_contact_id = ANY(%s)",
            [target, source, tree],
        )


def merged_into(pk: int) -> list[int]:
    """The ids of all contacts that were merged into one, and into those."""
    found: list[int] = []
    level = [pk]
    while level := list(Contact.objects.filter(merged_into__in=level).values_list("pk", flat=True)):
        found += level
    return found


def _refused(*contacts: Contact) -> set[int]:
    """The purposes that one of them refuses."""
    return {state.purpose.pk for contact in contacts for state in consent.state_of(contact) if state.is_refused}


def _refuse(survivor: Contact, purposes: Iterable[int]) -> list[int]:
    """Let the refusals of either hold where the latest statement is now a consent; returns the statements' ids."""
    granted = [s.purpose for s in consent.state_of(survivor) if s.is_granted and s.purpose.pk in set(purposes)]
    return [consent.note_refusal(survivor, purpose, source="merge").pk for purpose in granted]


def _lacking(survivor: Contact, merged: Contact) -> dict[str, Any]:
    """What the survivor takes over: values she has none of, and everybody's wish not to be contacted."""
    names = [*sorted(people.CONTACT_FIELDS - set(FLAGS)), "account"]
    values = {n: getattr(merged, n) for n in names if not getattr(survivor, n) and getattr(merged, n)}
    values |= {name: True for name in FLAGS if getattr(merged, name) and not getattr(survivor, name)}
    own = {k: v for k, v in merged.custom.items() if v is not None and survivor.custom.get(k) is None}
    known = custom.fields("contact")
    own = {key: value for key, value in own.items() if key in known}
    return {**values, "custom": own} if own else values


def _plain(changes: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Changes as JSON: records by their ids."""
    return {n: [v.pk if isinstance(v, models.Model) else v for v in pair] for n, pair in changes.items()}


def _give_back(survivor: Contact, filled: dict[str, list[Any]], by: Member | None) -> None:
    """Empty what the survivor had taken over and nobody has changed since."""
    before: dict[str, Any] = {}
    for name, (old, new) in filled.items():
        now = getattr(survivor, f"{name}_id" if name in ("account", "owner") else name)
        if name == "custom":
            taken = [key for key in new if new[key] != (old or {}).get(key) and now.get(key) == new[key]]
            before |= {"custom": {key: (old or {}).get(key) for key in taken}} if taken else {}
        elif now == new:
            before[name] = None if name in ("account", "owner") else old
    people.update_contact(survivor, before, by=by)


def _settle(survivor: int, merged: int) -> None:
    """Compute anew what is derived from rows that have moved."""
    consent.derive([survivor, merged])
    for compute in registry.after_merge:
        compute(survivor, merged)
    facts.refresh([survivor, merged])


def _check_undo(row: ContactMerge) -> None:
    is_late = row.at < timezone.now() - UNDO_WITHIN
    survivor = Contact.objects.get(pk=row.survivor_id)
    if is_late or not survivor.is_active:
        raise CannotUndo(_("It is too late to take these two apart."))
    if not ContactMerge.objects.filter(pk=row.pk, undone_at=None).update(undone_at=Now()):
        raise CannotUndo(_("These two have been taken apart already."))
