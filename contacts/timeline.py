"""The timeline: the only way in, and the way back after a restore.

Every fact is one row of `Interaction`. Kinds are declared once, by the app whose fact it is; they then appear on
contact pages, in rules, scoring and branches. Every way in announces the tenant's reactor.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from django.db import connection, models, transaction
from django.utils.functional import Promise
from psycopg import sql

from contacts.models import Interaction
from contacts.models.timeline import Lane
from tenants import wakeups

REACTOR = "reactor"
# A row made automatically by a row, made by a row …: beyond this depth it is a loop, and nothing reacts any more.
MAX_DEPTH = 20

TABLE = Interaction._meta.db_table
_COLUMNS: dict[str, str] = {
    "contact_id": "bigint",
    "as_contact_id": "bigint",
    "account_id": "bigint",
    "lead_id": "bigint",
    "visitor_id": "bigint",
    "actor_id": "bigint",
    "object_id": "bigint",
    "link_id": "bigint",
    "journey_id": "bigint",
    "tile": "text",
    "message_id": "bigint",
    "cause_id": "bigint",
    "depth": "smallint",
    "occurred_at": "timestamptz",
    "detail": "jsonb",
}


@dataclass(frozen=True)
class Kind:
    """A kind of fact.

    `sentence` completes "Amara …" and may name keys of `detail` in braces ("clicked {link} in {email}").
    `object_kind` says what `object_id` is the id of ("email", "form", "page", "segment", "lead" …).
    `fields` are keys of `detail` that rules may ask about, with their label. `personal` are keys of `detail` that
    erasure removes. `is_activity` says that the person did it herself: it counts as engagement.
    """

    key: str
    title: str | Promise
    icon: str
    sentence: str | Promise
    object_kind: str = ""
    group: str = "other"
    fields: Mapping[str, str | Promise] = field(default_factory=dict)
    personal: tuple[str, ...] = ()
    is_activity: bool = False
    in_rules: bool = True


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Declare kinds; apps do so in `ready()`. A second declaration of one key is a mistake."""
    for kind in kinds:
        if kind.key in _kinds and _kinds[kind.key] != kind:
            raise ValueError(f"timeline kind {kind.key} is declared twice")
        _kinds[kind.key] = kind


def kind(key: str) -> Kind:
    return _kinds[key]


def kinds() -> list[Kind]:
    """All declared kinds, by key."""
    return [_kinds[key] for key in sorted(_kinds)]


def activity_kinds() -> list[str]:
    """The keys of what people do themselves."""
    return [kind.key for kind in kinds() if kind.is_activity]


def record(
    kind: str,
    *,
    contact: models.Model | int | None = None,
    account: models.Model | int | None = None,
    lead: models.Model | int | None = None,
    actor: models.Model | int | None = None,
    object_id: int | None = None,
    cause: Interaction | None = None,
    occurred_at: datetime | None = None,
    lane: str = Lane.LIVE,
    detail: Mapping[str, Any] | None = None,
    **ids: Any,
) -> int:
    """Record one fact in the current scope and return its id.

    `ids` may be visitor_id, link_id, journey_id, tile, message_id, cause_id, depth. `occurred_at` in the future is
    clamped to now. Without `account`, the contact's account at this moment is taken. `cause` is the interaction that
    made this one happen.
    """
    row = {
        **ids,
        "contact_id": _id(contact),
        "account_id": _id(account),
        "lead_id": _id(lead),
        "actor_id": _id(actor),
        "object_id": object_id,
        "occurred_at": occurred_at,
        "detail": detail or {},
    }
    if cause is not None:
        row |= {"cause_id": cause.pk, "depth": cause.depth + 1}
    return record_many(kind, [row], lane=lane)[0]


def record_many(kind: str, rows: Iterable[Mapping[str, Any]], *, lane: str = Lane.LIVE) -> list[int]:
    """Record a list of facts of one kind by one statement; returns their ids in order.

    A row's keys are those of `record`'s ids; left-out ones are NULL. Rows without `account_id` take their contact's.
    """
    prepared = [_with_defaults(row) for row in rows]
    if not prepared:
        return []
    # Columns that no row has are left to the table.
    used = {"contact_id", "account_id"}.union(*prepared)
    columns = {name: type_ for name, type_ in _COLUMNS.items() if name in used}
    texts = {f"c_{name}": _NEXT.join([_value(name, row) for row in prepared]) for name in columns}
    select = sql.SQL(
        """SELECT {fields}, coalesce(given.account_id, contact.account_id) AS account_id
           FROM unnest({arrays}) WITH ORDINALITY AS given ({names}, position)
           LEFT JOIN contacts_contact contact ON contact.id = given.contact_id ORDER BY given.position"""
    ).format(
        fields=sql.SQL(", ").join(sql.Identifier("given", name) for name in columns if name != "account_id"),
        arrays=sql.SQL(", ").join(
            sql.SQL(f"string_to_array(%(c_{name})s, E'\\x1e', E'\\x1f')::{type_}[]") for name, type_ in columns.items()
        ),
        names=sql.SQL(", ").join(sql.Identifier(name) for name in columns),
    )
    with connection.cursor() as cursor:
        statement = sql.SQL("{} RETURNING id").format(_insert(kind, select, columns))
        cursor.execute(statement, {**texts, "kind": kind, "lane": lane})
        ids = [id_ for (id_,) in cursor.fetchall()]
    wakeups.announce(REACTOR)
    return ids


def record_select(
    kind: str,
    select: sql.Composable | LiteralString,
    params: Mapping[str, Any] | None = None,
    *,
    columns: Iterable[str],
    lane: str = Lane.LIVE,
) -> int:
    """Record a set of facts of one kind by `INSERT … SELECT`; returns how many there were.

    `select` is a query returning at least `columns` (names of Interaction's columns: contact_id, account_id,
    object_id …) under those names. The facts and whatever else the transaction does commit together.
    """
    with connection.cursor() as cursor:
        cursor.execute(_insert(kind, select, columns), {**(params or {}), "kind": kind, "lane": lane})
        count = cursor.rowcount
    if count:
        wakeups.announce(REACTOR)
    return count


def _insert(kind: str, select: sql.Composable | LiteralString, columns: Iterable[str]) -> sql.Composed:
    """SQL: a row of the timeline for each of the select's, in its order."""
    if kind not in _kinds:
        raise KeyError(f"timeline kind {kind} is not declared")
    names = list(columns)
    picked: dict[str, sql.Composable] = {name: sql.Identifier("source", name) for name in names}
    picked.setdefault("as_contact_id", picked.get("contact_id", sql.SQL("NULL::bigint")))
    if "as_contact_id" in names and "contact_id" in names:
        picked["as_contact_id"] = sql.SQL("coalesce(source.as_contact_id, source.contact_id)")
    defaults = {"occurred_at": "now()", "depth": "0", "tile": "''", "detail": "'{}'::jsonb"}
    for name, default in defaults.items():
        if name in picked:
            picked[name] = sql.SQL("coalesce({}, {})").format(picked[name], sql.SQL(default))
    if "occurred_at" in picked:
        picked["occurred_at"] = sql.SQL("least({}, now())").format(picked["occurred_at"])
    return sql.SQL(
        "INSERT INTO {table} (kind, lane, {names}) SELECT %(kind)s, %(lane)s, {picked} FROM ({select}) source"
    ).format(
        table=sql.Identifier(TABLE),
        names=sql.SQL(", ").join(map(sql.Identifier, picked)),
        picked=sql.SQL(", ").join(picked.values()),
        select=sql.SQL(select) if isinstance(select, str) else select,
    )


def rebase_timeline() -> int:
    """After a restore into a younger cluster: renumber transaction ids so that readers go on where they were.

    Transaction ids of the old cluster may lie above everything the new one will assign for long, and readers would
    see nothing. What a reader must still tell apart is what lies before, at and behind each cursor of its tenant; a few
    dozen numbers do that, and they are below the first id that any cluster assigns (3 and up, over 700 after initdb).
    Runs as an owner over all tenants (outside any scope); returns the highest id there was (0: nothing to do).
    """
    tables = (TABLE, "contacts_readercursor")
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        highest = _rebase(cursor)
        for table in tables:
            cursor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    return highest


def _rebase(cursor: Any) -> int:
    cursor.execute(
        f"""SELECT coalesce(greatest((SELECT max(recorded_xid) FROM {TABLE}),
                                    (SELECT max(xid) FROM contacts_readercursor),
                                    (SELECT max(xid) FROM tenants_wakeup)), '0'::xid8)::text::numeric,
                   pg_snapshot_xmax(pg_current_snapshot())::text::numeric"""
    )
    highest, next_xid = map(int, cursor.fetchone())
    if highest < next_xid:
        return 0
    # A tenant's cursors get the even numbers 2, 4, 6 …; rows at a cursor share its number and keep their ids' order
    # there, rows between two cursors get the odd number between. One pass over the timeline.
    cursor.execute(
        """CREATE TEMP TABLE places ON COMMIT DROP AS
           SELECT tenant_id, xid, 2 * dense_rank() OVER (PARTITION BY tenant_id ORDER BY xid) AS place
           FROM contacts_readercursor GROUP BY tenant_id, xid"""
    )
    cursor.execute(
        f"""UPDATE {TABLE} row SET recorded_xid = coalesce(
               (SELECT max(place + CASE WHEN xid < row.recorded_xid THEN 1 ELSE 0 END) FROM places
                WHERE places.tenant_id = row.tenant_id AND xid <= row.recorded_xid), 1)::text::xid8"""
    )
    cursor.execute(
        """UPDATE contacts_readercursor reader SET xid = place::text::xid8 FROM places
           WHERE places.tenant_id = reader.tenant_id AND places.xid = reader.xid"""
    )
    cursor.execute("UPDATE tenants_wakeup SET xid = '1'::xid8")
    return highest


def _with_defaults(row: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = set(row) - set(_COLUMNS)
    if unknown:
        raise TypeError(f"unknown columns of an interaction: {sorted(unknown)}")
    return row


def _value(name: str, row: Mapping[str, Any]) -> str:
    """A value as text between others; the driver would spell out an array value by value, which takes far longer."""
    value = row.get(name)
    if name == "detail":
        return _encode(value or {})
    return _NULL if value is None else str(value)


# What stands between values, and for none: no value has it, since JSON escapes it and nothing else is free text.
_NEXT, _NULL = "\x1e", "\x1f"
_encode = json.JSONEncoder(ensure_ascii=False).encode


def _id(target: models.Model | int | None) -> int | None:
    return target.pk if isinstance(target, models.Model) else target
