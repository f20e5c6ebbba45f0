"""Erasing a person for good: what she did stays as numbers, without her.

The timeline keeps id, kind, times and objects of its rows and loses the person and every detail that its kind declares
personal. Rows that belong to the contact go with it; what else an app keeps of people (leads as entered, sent mails,
submissions, suppressed addresses) it erases through `registry.erasers`.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal
from urllib.parse import quote_plus

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts import registry, search, timeline
from contacts.deletion import RESTORABLE
from contacts.models import Consent, Contact, SavedView
from contacts.registry import Erased, Eraser
from tenants import audit
from tenants.housekeeping import chore_of_tenants
from tenants.models import Audit, Member, Notification

BATCH = 200


@transaction.atomic
def erase(contact_ids: Iterable[int], *, by: Member | None) -> int:
    """Erase contacts, with those that were merged into them, and for good; returns how many records went."""
    ids = _with_merged(list(contact_ids))
    if not ids:
        return 0
    erased = _who(ids)
    for eraser in registry.erasers:
        eraser.erase(erased)
    clear_timeline("contact_id", ids)
    Contact.objects.filter(pk__in=ids).delete()
    audit.write("contacts.erased", by=by, detail={"ids": ids})
    return len(ids)


def what_becomes() -> list[str]:
    """What becomes of everything that does not simply go with the contact, in sentences."""
    return sorted(str(rule) for eraser in registry.erasers for rule in eraser.tables.values())


@chore_of_tenants("erasure", every=timedelta(hours=1))
def erase_deleted() -> bool:
    """Erase whoever was deleted 30 days ago. Index: contact_to_erase."""
    overdue = Contact.objects.filter(deactivated_at__lt=timezone.now() - RESTORABLE, is_active=False)
    ids = list(overdue.order_by("deactivated_at").values_list("pk", flat=True)[:BATCH])
    erase(ids, by=None)
    return len(ids) == BATCH


def _with_merged(ids: list[int]) -> list[int]:
    """The contacts, and all that were merged into them, the innermost first."""
    found, level = list(ids), ids
    while level := list(Contact.objects.filter(merged_into__in=level).values_list("pk", flat=True)):
        found = [*level, *found]
    return list(dict.fromkeys(found))


def _who(ids: list[int]) -> Erased:
    """The contacts as erasers know them: an address or name that somebody else has by now is left to her."""
    people = list(Contact.objects.filter(pk__in=ids).only("email", "first_name", "last_name"))
    said = Consent.objects.filter(contact__in=ids).values_list("address", flat=True)
    addresses = {address for address in [*(person.email for person in people), *said] if address}
    names = {str(person) for person in people if person.first_name and person.last_name}
    others = Contact.objects.exclude(pk__in=ids)
    addresses -= set(others.filter(email__in=addresses).values_list("email", flat=True))
    last_names = [person.last_name for person in people]
    names -= {str(other) for other in others.filter(last_name__in=last_names).only("first_name", "last_name")}
    return Erased(ids, sorted(addresses), sorted(names))


def clear_timeline(column: Literal["contact_id", "lead_id"], ids: list[int]) -> None:
    """Take the people and the personal details out of rows of contacts, or of leads that nobody had yet.

    Index: interaction_of_contact or interaction_of_lead, in every partition.
    """
    theirs = f"{column} = ANY(%s)" + (" AND contact_id IS NULL" if column == "lead_id" else "")
    with connection.cursor() as cursor:
        for kind in timeline.kinds():
            if kind.personal:
                cursor.execute(
                    f"UPDATE {timeline.TABLE} SET detail = detail - %s::text[] WHERE {theirs} AND kind = %s",
                    [list(kind.personal), ids, kind.key],
                )
        cursor.execute(
            f"UPDATE {timeline.TABLE} SET contact_id = NULL, as_contact_id = NULL, visitor_id = NULL WHERE {theirs}",
            [ids],
        )


def _forget(erased: Erased) -> None:
    """What contacts and tenants keep beside the rows that go with a contact."""
    for pk in erased.ids:
        search.remove("contact", pk)
    named = Q(object_kind="contact", object_id__in=erased.ids) | erased.named_in("object_label")
    Audit.objects.filter(named).update(object_label="", detail={})
    Notification.objects.filter(erased.named_in("title", "body")).delete()
    asked = Erased(erased.ids, [quote_plus(text) for text in erased.addresses], [quote_plus(n) for n in erased.names])
    SavedView.objects.filter(erased.named_in("name") | asked.named_in("query")).delete()
    with connection.cursor() as cursor:
        # Whom she was taken apart from again: their rows name her, and say what of hers they had meanwhile. (Both are
        # written within the transactions of the merge and of its undoing, which last a minute at most.)
        # Index: interaction_of_contact.
        cursor.execute(
            f"""UPDATE {timeline.TABLE} row SET detail = detail - CASE WHEN kind = 'contact.changed' THEN 'fields'
                                                                       ELSE 'other' END
                FROM contacts_contactmerge merge
                WHERE merge.merged_id = ANY(%(ids)s) AND row.contact_id = merge.survivor_id
                  AND row.kind IN ('contact.merged', 'contact.unmerged', 'contact.changed')
                  AND row.recorded_at BETWEEN merge.at - interval '1 minute'
                                          AND merge.undone_at + interval '1 minute'""",
            {"ids": erased.ids},
        )


ERASER = Eraser(
    _forget,
    {
        "contacts.Interaction": _("Timeline: the person and every personal detail are taken out; what happened stays."),
        "contacts.SavedView": _("Saved views: those that search for the person are deleted."),
        "contacts.SearchTerm": _("Search: the person is not found any more."),
        "tenants.Audit": _("Audit trail: names and details are emptied; who did what, and when, stays."),
        "tenants.Notification": _("Notifications: those that name the person are deleted."),
    },
)
