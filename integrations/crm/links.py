"""Which of our records is which of theirs."""

from collections.abc import Iterable, Sequence
from uuid import uuid4

from django.db import connection as database
from django.db.models import Exists, OuterRef, Q

from contacts import merging
from contacts.models import Contact
from integrations.crm.interface import Reference
from integrations.models import Connection, Entity, RecordLink
from leads.models import Lead

State = RecordLink.State


def of(connection: Connection, entity: str, ids: Iterable[int]) -> dict[int, RecordLink]:
    """The links of our records of an entity, by our id."""
    rows = RecordLink.objects.filter(connection=connection, entity=entity, object_id__in=set(ids))
    return {row.object_id: row for row in rows if row.object_id}


def ensure(connection: Connection, entity: str, ids: Iterable[int]) -> None:
    """Give our records links where they have none: with our key, before anything is written under it."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    with database.cursor() as cursor:
        cursor.execute(
            """INSERT INTO integrations_recordlink (connection_id, entity, object_id, as_object_id, uid)
               SELECT %(connection)s, %(entity)s, id, id, gen_random_uuid()
               FROM unnest(%(ids)s::bigint[]) AS id ORDER BY id
               ON CONFLICT DO NOTHING""",
            {"connection": connection.pk, "entity": str(entity), "ids": wanted},
        )


def renew(link: RecordLink) -> None:
    """Let a record that was deleted there be made again: under another key, as if it had never been."""
    link.uid, link.external_id, link.version, link.state = uuid4(), "", "", State.LINKED
    link.known, link.standing, link.summaries, link.problem = {}, {}, [], ""
    link.save(update_fields=["uid", "external_id", "version", "state", "known", "standing", "summaries", "problem"])


def reference(link: RecordLink) -> Reference:
    """How the record is named there."""
    return Reference(link.entity, link.external_id, link.uid)


def of_records(
    connection: Connection, entity: str, external_ids: Sequence[str], uids: Sequence[str]
) -> dict[str, RecordLink]:
    """The links of their records, by their key and by ours."""
    rows = RecordLink.objects.filter(Q(external_id__in=external_ids) | Q(uid__in=uids), connection=connection)
    found: dict[str, RecordLink] = {}
    for row in rows.filter(entity=entity):
        found[str(row.uid)] = row
        if row.external_id:
            found[row.external_id] = row
    return found


def leads_of(contacts: Iterable[int | None]) -> list[tuple[int, int]]:
    """(lead, contact) of the contacts' leads that some CRM has. Indexes: lead_of_contact, link_of_object."""
    linked = RecordLink.objects.filter(entity=Entity.LEAD, object_id=OuterRef("pk"))
    return list(Lead.objects.filter(Exists(linked), contact__in=set(contacts)).values_list("pk", "contact"))


def after_merge(survivor_id: int, merged_id: int) -> None:
    """The survivor of a merge takes over the link, unless it has one of its own at that system; when the two are taken
    apart again, each has what was its own."""
    contacts = RecordLink.objects.filter(entity=Entity.CONTACT)
    if not Contact.objects.filter(pk=merged_id, merged_into=survivor_id).exists():
        own = [merged_id, *merging.merged_into(merged_id)]
        contacts.filter(object_id=survivor_id, as_object_id__in=own).update(object_id=merged_id)
        return
    has = set(contacts.filter(object_id=survivor_id).values_list("connection_id", flat=True))
    contacts.filter(object_id=merged_id).exclude(connection__in=has).update(object_id=survivor_id)
