"""What the pages ask about connections to Dynamics: runs, changes of the outbox, mappings, people, a lead's link."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.targets import Target
from integrations.connections import runs
from integrations.crm import backlog, ours, reasons, setting_up
from integrations.crm.columns import Column, Type
from integrations.crm.interface import crms
from integrations.crm.mapped import summary_column
from integrations.dynamics import access, fitting
from integrations.dynamics.crm import KEY as SYSTEM
from integrations.models import (
    MAPPED,
    Connection,
    CrmChange,
    Entity,
    FieldMapping,
    Pace,
    RecordLink,
    RemoteTable,
    SalesUser,
    SyncRun,
)
from leads.models import Lead
from tenants.models import Job
from tenants.paging import count_up_to
from tenants.registry import Text

SHOWN = 10
# What the page of the outbox shows first: what needs somebody.
ORDER = ("parked", "queued", "sending", "done", "cancelled")
# The page of a record of ours.
PAGES: dict[str, str] = {
    Entity.LEAD: "leads:detail",
    Entity.CONTACT: "contacts:detail",
    Entity.ACCOUNT: "contacts:account",
}
# What a change may be about that cannot be mapped.
BESIDE: dict[str, Text] = {
    "refusals": _("who may be contacted"),
    "lead.contact": _("contact"),
    "lead.account": _("account"),
    "lead.owner": _("owner"),
    "lead.summary": _("summary"),
}
DIRECTIONS = {"in": _("From Dynamics"), "out": _("To Dynamics")}
COUNTS = {
    "records": _("written"),
    "without_call": _("nothing to write"),
    "read": _("read"),
    "new": _("with news"),
    "deleted": _("deleted there"),
}


class Counted(NamedTuple):
    """A number of a run, and what it counts."""

    label: Text
    number: int


class Row(NamedTuple):
    """A change of the outbox, with its record's name and why it stands where it stands, also in detail."""

    change: CrmChange
    name: str
    reason: Text
    error: Text


@dataclass(frozen=True)
class Mapping:
    """A mapping as the page shows it: both sides by name, and what does not fit."""

    row: FieldMapping
    ours: Text
    column: Column | None
    problem: str = ""

    @property
    def note(self) -> str:
        """What their column takes, in words."""
        return fitting.in_words(self.column) if self.column else ""


def connections() -> QuerySet[Connection]:
    """All connections to Dynamics."""
    return Connection.objects.filter(system=SYSTEM)


def latest_runs(connection: Connection) -> list[tuple[SyncRun, Text, list[Counted]]]:
    """(run, direction, what it did) of the latest runs."""
    rows = runs.of(connection).select_related("started_by__user")[:SHOWN]
    return [(row, DIRECTIONS.get(row.kind, row.kind), counted(row)) for row in rows]


def counted(run: SyncRun) -> list[Counted]:
    """What a run has done, in words."""
    return [Counted(label, run.counts[key]) for key, label in COUNTS.items() if run.counts.get(key)]


def is_busy(connection: Connection) -> bool:
    """Whether a sync is under way or about to begin."""
    if not connection.is_running or held(connection):
        return False
    is_due = connection.next_sync_at is not None and connection.next_sync_at <= timezone.now()
    return is_due or runs.of(connection).filter(state=SyncRun.State.RUNNING).exists()


def held(connection: Connection) -> Pace | None:
    """Why and until when it is left alone, if something went wrong last."""
    return Pace.objects.filter(connection=connection, failure_count__gt=0).first()


# ---- the outbox ----


def changes(connection: Connection, state: str = "") -> QuerySet[CrmChange]:
    """A connection's changes. Index: changes_of_connection."""
    rows = CrmChange.objects.filter(connection=connection)
    return rows.filter(state=state) if state else rows


def change_counts(connection: Connection) -> list[tuple[str, Text, int, bool]]:
    """(state, label, how many, is that exact), those that need somebody first."""
    labels = dict(CrmChange.State.choices)
    return [(state, labels[state], *count_up_to(changes(connection, state))) for state in ORDER]


class Tried(NamedTuple):
    """An attempt to carry a change out."""

    at: datetime
    outcome: Text
    is_fine: bool
    error: Text


def attempts(change: CrmChange) -> list[Tried]:
    """A change's attempts, latest first."""
    labels = dict(CrmChange.State.choices)
    return [
        Tried(
            datetime.fromisoformat(each["at"]),
            labels.get(each["outcome"]) or reasons.in_words(each["outcome"]),
            each["outcome"] == CrmChange.State.DONE,
            reasons.in_words(each.get("error", "")),
        )
        for each in reversed(change.attempts)
    ]


def with_names(rows: Iterable[CrmChange]) -> list[Row]:
    """Changes with the names of their records, by one query per kind of record."""
    found = list(rows)
    names: dict[tuple[str, int], str] = {
        (entity.value, pk): name_of(record)
        for entity in MAPPED
        for pk, record in ours.load(entity, [row.object_id for row in found if row.entity == entity]).items()
    }
    gone = _("(not here any more)")
    return [
        Row(
            row,
            names.get((row.entity, row.object_id or 0), str(gone)),
            reasons.in_words(row.reason),
            reasons.in_words(row.error),
        )
        for row in found
    ]


def name_of(record: Any) -> str:
    """What a record of ours is called in a list."""
    return f"{record.person} · {record.topic}" if isinstance(record, Lead) else str(record)


def fields_in_words(keys: Sequence[str]) -> list[str]:
    """Names of our fields, and of what is written beside them."""
    known = {key: target.label for key, target in ours.fields().items()} | BESIDE
    return [str(known.get(key, key)) for key in keys]


@dataclass(frozen=True)
class Backlog:
    """How many leads of sales it has not got (is that exact?), and the job that hands them over."""

    count: int
    is_exact: bool
    job: Job | None


def backlog_of(connection: Connection) -> Backlog | None:
    """The leads that sales had before there was the connection; None if it has them all, or is not ready."""
    if connection.state == Connection.State.DRAFT:
        return None
    found = Backlog(*count_up_to(backlog.leads(connection)), backlog.open_job(connection))
    return found if found.count or found.job else None


# ---- mappings ----


def columns(connection: Connection, entity: str) -> dict[str, Column]:
    """Their columns that can be mapped, by name; our own key is none of them."""
    key = fitting.key_column(connection)
    return {name: column for name, column in setting_up.columns_of(connection, entity).items() if name != key}


def mappings(connection: Connection) -> list[tuple[str, Text, str, list[Mapping]]]:
    """(entity, its name, their table, its mappings) of all that can be mapped."""
    fields = ours.fields()
    rows = list(FieldMapping.objects.filter(connection=connection).order_by("field"))
    found: list[tuple[str, Text, str, list[Mapping]]] = []
    for entity in MAPPED:
        known = columns(connection, entity)
        shown = [_mapping(row, fields, known) for row in rows if row.entity == entity]
        found.append((entity.value, entity.label, crms.of(SYSTEM).tables[entity], shown))
    return found


def unmapped(connection: Connection, entity: str) -> tuple[dict[str, Target], dict[str, Column]]:
    """Our fields and their columns of an entity that are free yet."""
    taken = list(FieldMapping.objects.filter(connection=connection, entity=entity))
    mapped, used = {row.field for row in taken}, {row.remote for row in taken}
    targets = {key: t for key, t in ours.fields().items() if t.entity == entity and key not in mapped}
    return targets, {name: c for name, c in columns(connection, entity).items() if name not in used}


def _mapping(row: FieldMapping, fields: dict[str, Any], known: dict[str, Column]) -> Mapping:
    target, column = fields.get(row.field), known.get(row.remote)
    if target is None:
        return Mapping(row, row.field, column, str(_("This field does not exist here any more.")))
    if column is None:
        return Mapping(row, target.label, None, str(_("Dynamics has no such column, or it cannot be written.")))
    return Mapping(row, target.label, column, fitting.problem(target, column, row.options))


def summary_columns(connection: Connection) -> list[tuple[str, str]]:
    """(name, label) of the long texts of leads that may have the summary for sales: the one that has it, free ones."""
    chosen, known = summary_column(connection), setting_up.known_columns(connection, Entity.LEAD)
    _targets, free = unmapped(connection, Entity.LEAD)
    names = [chosen, *(name for name, column in free.items() if column.type == Type.MEMO)]
    return [(name, f"{known[name].label} ({name})" if name in known else name) for name in names]


def fetched_at(connection: Connection) -> Any:
    """When their columns were read last."""
    return RemoteTable.objects.filter(connection=connection).values_list("fetched_at", flat=True).first()


# ---- people ----


def sales_users(connection: Connection) -> list[SalesUser]:
    """Everybody who works there now."""
    return list(SalesUser.objects.filter(connection=connection, is_active=True).order_by("name", "pk"))


# ---- a lead's page ----


def panel_of(lead: Lead) -> dict[str, Any] | None:
    """What the page of a lead says about sales' side; nothing without a connection."""
    rows = list(connections().exclude(state=Connection.State.DRAFT).order_by("pk"))
    if not rows:
        return None
    return {"sides": [_side(connection, lead) for connection in rows]}


def _side(connection: Connection, lead: Lead) -> dict[str, Any]:
    links = RecordLink.objects.filter(connection=connection, entity=Entity.LEAD, object_id=lead.pk)
    link = links.first()
    latest = CrmChange.objects.filter(entity=Entity.LEAD, object_id=lead.pk, connection=connection).order_by("-pk")
    return {
        "connection": connection,
        "link": link,
        "page": _page(connection, link),
        "problem": reasons.in_words(link.problem if link else ""),
        "status": STATUSES.get((link.standing.get("status") if link else "") or ""),
        "changes": [(row, reasons.in_words(row.reason)) for row in latest[:3]],
        "may_hand_over": lead.is_open and (link is None or link.state != RecordLink.State.LINKED),
    }


STATUSES = {
    "open": (_("Open"), "blue"),
    "accepted": (_("Accepted"), "green"),
    "qualified": (_("Qualified"), "green"),
    "disqualified": (_("Disqualified"), "orange"),
}


def _page(connection: Connection, link: RecordLink | None) -> str:
    """Where a person sees the record there."""
    if link is None or not link.external_id or link.state != RecordLink.State.LINKED:
        return ""
    return f"{access.environment(connection)}/main.aspx?etn=lead&pagetype=entityrecord&id={link.external_id}"
