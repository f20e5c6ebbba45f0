"""What we know of their records: kept when they were written or read, forgotten when they are deleted there."""

from collections.abc import Sequence
from typing import Any

from django.db import connection as database
from psycopg.types.json import Jsonb

from contacts import timeline
from integrations.crm import links, reasons
from integrations.crm.interface import Record
from integrations.models import Connection, Entity, RecordLink
from leads.models import Lead

State = RecordLink.State
_SUBJECTS: dict[str, str] = {Entity.LEAD: "lead_id", Entity.CONTACT: "contact_id", Entity.ACCOUNT: "account_id"}


def remember(found: Sequence[tuple[RecordLink, Record]]) -> None:
    """Keep their key and version and what is in the mapped columns, as just written; one statement.

    What we had changed until the links were read has been written; what came later still waits.
    """
    rows = [
        {
            "id": link.pk,
            "external_id": record.external_id,
            "version": record.version,
            "known": dict(record.values),
            "standing": dict(record.standing),
            "changed": link.changed,
        }
        for link, record in {link.pk: (link, record) for link, record in found}.values()
    ]
    if not rows:
        return
    params: dict[str, Any] = {"rows": Jsonb(rows)}
    with database.cursor() as cursor:
        cursor.execute(
            """UPDATE integrations_recordlink link
               SET external_id = given.external_id, version = given.version, known = link.known || given.known,
                   standing = link.standing || given.standing, problem = '', synced_at = now(),
                   changed = (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(link.changed)
                              WHERE given.changed -> key IS DISTINCT FROM value)
               FROM jsonb_to_recordset(%(rows)s) AS given
                    (id bigint, external_id text, version text, known jsonb, standing jsonb, changed jsonb)
               WHERE link.id = given.id AND link.state <> 'erased'""",
            params,
        )


def sending(found: Sequence[RecordLink]) -> None:
    """Keep the summaries that are about to be sent; nothing of whom has been erased meanwhile. One statement."""
    rows = [{"id": link.pk, "summaries": link.summaries} for link in found]
    if not rows:
        return
    params: dict[str, Any] = {"rows": Jsonb(rows)}
    with database.cursor() as cursor:
        cursor.execute(
            """UPDATE integrations_recordlink link SET summaries = given.summaries
               FROM jsonb_to_recordset(%(rows)s) AS given (id bigint, summaries jsonb)
               WHERE link.id = given.id AND link.state <> 'erased'""",
            params,
        )


def told(link_ids: Sequence[int]) -> None:
    """Keep that the summaries that were sent last have been written."""
    with database.cursor() as cursor:
        cursor.execute(
            """UPDATE integrations_recordlink SET summaries = jsonb_build_array(summaries -> -1)
               WHERE id = ANY(%s) AND jsonb_array_length(summaries) > 1""",
            [list(link_ids)],
        )


def doubtful(connection: Connection, lead_ids: Sequence[int]) -> dict[str, list[RecordLink]]:
    """By entity: the links of leads, their people and companies that may be there without our having heard of it."""
    leads = list(Lead.objects.filter(pk__in=lead_ids).select_related("contact"))
    ids: dict[str, set[int | None]] = {
        Entity.LEAD: {lead.pk for lead in leads},
        Entity.CONTACT: {lead.contact_id for lead in leads},
        Entity.ACCOUNT: {lead.account_id or (lead.contact.account_id if lead.contact else None) for lead in leads},
    }
    found = {}
    for entity, pks in ids.items():
        linked = links.of(connection, entity, {pk for pk in pks if pk}).values()
        if rows := [link for link in linked if not link.external_id and link.state == State.LINKED]:
            found[entity] = rows
    return found


def unlink(connection: Connection, found: Sequence[RecordLink]) -> int:
    """Keep that records were deleted there: ours stay, are written no more, and their histories say so."""
    linked = RecordLink.objects.select_for_update().filter(pk__in=[link.pk for link in found], state=State.LINKED)
    gone = list(linked.order_by("pk"))
    RecordLink.objects.filter(pk__in=[link.pk for link in gone]).update(
        state=State.UNLINKED, version="", problem=reasons.said("deleted")
    )
    leads = [link.object_id for link in gone if link.entity == Entity.LEAD and link.object_id]
    contacts = dict(Lead.objects.filter(pk__in=leads).values_list("pk", "contact"))
    rows: list[dict[str, Any]] = []
    for link in gone:
        if link.entity in _SUBJECTS and link.object_id:
            row: dict[str, Any] = {_SUBJECTS[link.entity]: link.object_id, "detail": {"system": connection.name}}
            rows.append(row | ({"contact_id": contacts.get(link.object_id)} if link.entity == Entity.LEAD else {}))
    timeline.record_many("crm.unlinked", rows)
    return len(gone)
