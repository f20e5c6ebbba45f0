"""What has happened here becomes changes to be written there, in the transaction that moves the reader's cursor.

A lead that goes to “Handed to sales” is handed over; a later change of what is mapped, of who has it, or of what
somebody agreed to, is written to every record that is linked, and what she does stands in the summary (`following`).
The rows say what is to be looked at; the values are read when they go out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from contacts.reactor import Batch, Fact
from integrations.crm import following, links, outbox
from integrations.crm.planning import OWNER, PARENTS
from integrations.models import Connection, CrmChange, Entity, FieldMapping, RecordLink
from leads.models import Lead, Stage
from leads.moves import Move, change_stages
from leads.transitions import may_go

Kind = CrmChange.Kind
Touched = dict[tuple[str, int], dict[str, datetime]]
_CONSENT = ("consent.granted", "consent.refused")
# A lead shows its contact's where nothing else was entered; refusals are written to both.
_FROM_CONTACT = {f"contact.{name}": f"lead.{name}" for name in ("first_name", "last_name", "email", "phone")} | {
    "contact.job_title": "lead.job_title",
    "contact.country": "lead.country",
}
KINDS = frozenset(
    {
        "lead.stage_changed", "lead.assigned", "lead.created", "lead.changed", "contact.changed", "account.changed",
        "contact.merged", "contact.unmerged", "score.changed", *_CONSENT,
    }
)  # fmt: skip
REFUSALS = "refusals"


def run(batch: Batch) -> None:
    """Order what the batch asks for, at every CRM that is connected."""
    told = following.kinds()
    if not batch.kinds & (KINDS | told) or not (connections := outbox.connections()):
        return
    following.order(connections, batch.of(*told))
    facts = batch.of(*KINDS)
    _hand_off_by_source(connections, facts)
    outbox.order(
        CrmChange(
            connection=connection,
            key=f"handoff:{connection.pk}:{fact.id}",
            kind=Kind.HANDOFF,
            entity=Entity.LEAD,
            object_id=fact.lead_id,
        )
        for connection in connections
        for fact in facts
        if fact.kind == "lead.stage_changed" and fact.detail.get("to") == Stage.HANDED_OFF
    )
    if touched := _touched(facts):
        _order_updates(connections, touched, facts[-1].id)


def _hand_off_by_source(connections: list[Connection], facts: list[Fact]) -> None:
    """Hand every new lead of certain sources straight to sales, as the connection says; nobody here is assigned.

    The stage's own fact orders the handoff, in the reader's next pass.
    """
    wanted = {source for row in connections for source in row.settings.get("handoff_sources", ())}
    causes = {f.lead_id: f for f in facts if f.kind == "lead.created" and f.detail.get("source") in wanted}
    if not causes:
        return
    reason = _("Every new lead of this source is handed over.")
    moves = [
        Move(lead, Stage.HANDED_OFF, reason, cause=causes[lead.pk])
        for lead in Lead.objects.filter(pk__in=[pk for pk in causes if pk]).order_by("pk")
        if lead.stage != Stage.HANDED_OFF and may_go(lead.stage, Stage.HANDED_OFF)
    ]
    if moves:
        change_stages(moves, changes={"handed_off_at": timezone.now()})


def _touched(facts: Iterable[Fact]) -> Touched:
    """{(entity, id): {our field: when}} of what the facts have changed, as far as it could be mapped."""
    found: Touched = defaultdict(dict)
    for fact in facts:
        for entity, pk, names in _concerned(fact):
            found[entity, pk] |= dict.fromkeys(names, fact.occurred_at)
    return found


def _concerned(fact: Fact) -> Iterator[tuple[str, int, list[str]]]:
    names = list(_names(fact.detail.get("fields") or {}))
    if fact.kind == "lead.changed" and fact.lead_id:
        yield Entity.LEAD, fact.lead_id, [f"lead.{name}" for name in names]
    elif fact.kind == "lead.assigned" and fact.lead_id:
        yield Entity.LEAD, fact.lead_id, [OWNER]
    elif fact.kind == "score.changed" and fact.lead_id:
        yield Entity.LEAD, fact.lead_id, ["lead.score", "lead.grade"]
    elif fact.kind == "account.changed" and fact.account_id:
        yield Entity.ACCOUNT, fact.account_id, [f"account.{name}" for name in names]
    elif fact.kind == "contact.changed" and fact.contact_id:
        refusals = [REFUSALS] if any(name.startswith("do_not_") for name in names) else []
        yield Entity.CONTACT, fact.contact_id, [f"contact.{name}" for name in names] + refusals
    elif fact.kind in ("contact.merged", "contact.unmerged") and fact.contact_id:
        yield Entity.CONTACT, fact.contact_id, [*_FROM_CONTACT, REFUSALS]
    elif fact.kind in _CONSENT and fact.contact_id:
        yield Entity.CONTACT, fact.contact_id, [REFUSALS]


def _names(changes: dict) -> Iterator[str]:
    """The fields that changed; of the tenant's own ones each by its key."""
    for name, values in changes.items():
        if name != "custom":
            yield name
            continue
        before, after = ((value or {}) for value in values)
        yield from (f"custom.{key}" for key in after if after[key] != before.get(key))


def _order_updates(connections: list[Connection], touched: Touched, last: int) -> None:
    """An update for every linked record that has something mapped which changed; when is noted at the link."""
    _spread_to_leads(touched)
    mapped = _mapped(connections)
    changes: list[CrmChange] = []
    noted: list[dict[str, Any]] = []
    for link in _linked(connections, touched):
        at = touched[link.entity, link.object_id or 0]
        fields = {name: moment for name, moment in at.items() if name in mapped[link.connection_id]}
        if not fields:
            continue
        noted.append({"id": link.pk, "changed": {name: moment.isoformat() for name, moment in fields.items()}})
        changes.append(
            CrmChange(
                connection=link.connection,
                key=f"update:{link.connection_id}:{last}:{link.entity}:{link.object_id}",
                kind=Kind.UPDATE,
                entity=link.entity,
                object_id=link.object_id,
                fields=sorted(fields),
            )
        )
    _note(noted)
    outbox.order(changes)


def _note(rows: list[dict[str, Any]]) -> None:
    """Keep at links when what was changed; one statement."""
    params: dict[str, Any] = {"rows": Jsonb(rows)}
    with database.cursor() as cursor:
        cursor.execute(
            """UPDATE integrations_recordlink link SET changed = link.changed || given.changed
               FROM jsonb_to_recordset(%(rows)s) AS given (id bigint, changed jsonb) WHERE link.id = given.id""",
            params,
        )


def _spread_to_leads(touched: Touched) -> None:
    """What changes about a contact changes her leads, as far as they show it."""
    contacts = {pk: names for (entity, pk), names in touched.items() if entity == Entity.CONTACT}
    for lead, contact in links.leads_of(contacts):
        names = contacts[contact]
        shown = {_FROM_CONTACT.get(name, name): at for name, at in names.items()}
        touched[Entity.LEAD, lead] = {n: at for n, at in shown.items() if n.startswith("lead.") or n == REFUSALS} | (
            touched.get((Entity.LEAD, lead), {})
        )


def _mapped(connections: list[Connection]) -> dict[int, set[str]]:
    found = {connection.pk: {REFUSALS, OWNER, *PARENTS} for connection in connections}
    for pk, name in FieldMapping.objects.filter(connection__in=connections).values_list("connection", "field"):
        found[pk].add(name)
    return found


def _linked(connections: list[Connection], touched: Touched) -> Iterable[RecordLink]:
    """The links of what was touched, locked in one order. Index: one_link_per_object."""
    ids: dict[str, set[int]] = defaultdict(set)
    for entity, pk in touched:
        ids[entity].add(pk)
    wanted = Q(pk__in=[])
    for entity, pks in ids.items():
        wanted |= Q(entity=entity, object_id__in=pks)
    rows = RecordLink.objects.filter(wanted, connection__in=connections, state=RecordLink.State.LINKED)
    return rows.select_related("connection").select_for_update(of=("self",)).order_by("pk")
