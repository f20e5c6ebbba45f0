"""Erasing a person for good: what she did stays as numbers, without her.

The timeline keeps id, kind, times and objects of its rows and loses the person and every detail that its kind declares
personal. What other apps keep (leads as entered, files, sent bodies, suppression by the address's HMAC) they erase
through `registry.erasers`.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from contacts import registry, search, timeline
from contacts.deletion import RESTORABLE
from contacts.models import Contact
from tenants import audit
from tenants.housekeeping import chore
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

BATCH = 200


def erase(contact_ids: Iterable[int], *, by: Member | None) -> int:
    """Erase contacts, with those that were merged into them; returns how many records went."""
    ids = _with_merged(list(contact_ids))
    if not ids:
        return 0
    addresses = list(Contact.objects.filter(pk__in=ids).exclude(email="").values_list("email", flat=True))
    for erase_more in registry.erasers:
        erase_more(ids, addresses)
    _clear_timeline(ids)
    for pk in ids:
        search.remove("contact", pk)
    Contact.objects.filter(pk__in=ids).delete()
    audit.write("contacts.erased", by=by, detail={"ids": ids})
    return len(ids)


@chore("erasure", every=timedelta(hours=1))
def erase_deleted() -> None:
    """Erase whoever was deleted 30 days ago, in every tenant, a batch per transaction."""
    for tenant_id in Tenant.objects.order_by("pk").values_list("pk", flat=True):
        while _erase_batch(tenant_id) == BATCH:
            pass


def _erase_batch(tenant_id: int) -> int:
    """Index: contact_to_erase."""
    with tenant_scope(tenant_id):
        overdue = Contact.objects.filter(deactivated_at__lt=timezone.now() - RESTORABLE, is_active=False)
        ids = list(overdue.order_by("deactivated_at").values_list("pk", flat=True)[:BATCH])
        erase(ids, by=None)
        return len(ids)


def _with_merged(ids: list[int]) -> list[int]:
    """The contacts, and all that were merged into them, the innermost first."""
    found, level = list(ids), ids
    while level := list(Contact.objects.filter(merged_into__in=level).values_list("pk", flat=True)):
        found = [*level, *found]
    return list(dict.fromkeys(found))


def _clear_timeline(ids: list[int]) -> None:
    """Take the person and the personal details out of her rows. Index: interaction_of_contact."""
    personal = {kind.key: list(kind.personal) for kind in timeline.kinds() if kind.personal}
    with connection.cursor() as cursor:
        for key, names in personal.items():
            cursor.execute(
                f"UPDATE {timeline.TABLE} SET detail = detail - %s::text[] WHERE contact_id = ANY(%s) AND kind = %s",
                [names, ids, key],
            )
        cursor.execute(
            f"""UPDATE {timeline.TABLE} SET contact_id = NULL, as_contact_id = NULL, visitor_id = NULL
                WHERE contact_id = ANY(%s)""",
            [ids],
        )
