"""Sets of rows on their way into tables: COPY into a temporary table, then one statement.

`COPY FROM` is refused on a table under row-level security, so rows go through a table of this transaction's own. What
is copied is spelled out here, as one text: that needs no connection, so that a piece's values are spelled out while the
piece before is written.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from django.db import connection
from psycopg import sql
from psycopg.types.json import Jsonb

from leads.importing.options import Update


@dataclass(frozen=True)
class Record:
    """A table of people or companies: its columns with their types, and which may only be raised, or only filled."""

    entity: str
    table: str
    columns: Mapping[str, str]
    # What a new row has where nothing is given, beside the table's own defaults.
    blanks: Mapping[str, Any]
    # SQL: what becomes of new rows that a constraint refuses.
    on_conflict: LiteralString = ""
    only_raised: frozenset[str] = frozenset()
    only_filled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Spelled:
    """Values of rows as COPY takes them: `place`, and the columns that any row gives."""

    names: Sequence[str]
    content: bytes


def spell(record: Record, rows: Sequence[Mapping[str, Any]]) -> Spelled:
    """Spell rows out for `put`, each with its `place`; needs no database."""
    names = ["place", *_given_by(rows, record)]
    return Spelled(names, as_copy(_values(rows, names, record.blanks)))


def put(record: Record, spelled: Spelled) -> None:
    """Put the values into the temporary table `given_<entity>`."""
    _fill(f"given_{record.entity}", {"place": "integer", **record.columns}, spelled.content, spelled.names)


def stage(name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]], given: Sequence[str] = ()) -> None:
    """Put rows into the temporary table of this name, in place of those that are in it; a commit empties it.

    A name always has the same columns: the table is made once per connection, since making and dropping one costs more
    than filling it. `given` are the columns that the rows have, if not all. Look rows up from it by LATERAL … LIMIT:
    it has no statistics.
    """
    _fill(name, columns, as_copy(rows), given or list(columns))


def as_copy(rows: Iterable[Sequence[Any]]) -> bytes:
    """The rows, all of one length, in COPY's text format; spelled out column by column, since a column's values are
    mostly of one kind."""
    columns = [_column(values) for values in zip(*rows, strict=True)]
    return "".join(["\t".join(row) + "\n" for row in zip(*columns, strict=True)]).encode()


def _column(values: Sequence[Any]) -> Iterable[str]:
    kinds = set(map(type, values))
    if kinds == {str}:
        # Most texts have nothing to escape, and asking once for all is cheaper than translating.
        return values if _ESCAPED.search("".join(values)) is None else [text.translate(_ESCAPES) for text in values]
    if kinds == {int}:
        return map(str, values)
    return map(_cell, values)


def _cell(value: Any) -> str:
    """A value in COPY's text format: NULL is \\N, and a few characters are escaped; a list is an array of numbers."""
    if value is None:
        return "\\N"
    kind = type(value)
    if kind is int or kind is bool:
        return str(value)
    if isinstance(value, str):
        return value if _ESCAPED.search(value) is None else value.translate(_ESCAPES)
    if kind is dict:
        return _json_cell(value)
    if kind is Jsonb:
        return _json_cell(value.obj)
    if kind is list:
        return "{" + ",".join(map(str, value)) + "}"
    return str(value)


def _json_cell(value: Any) -> str:
    """A value as JSON, in which only backslashes are left to escape."""
    if value in ({}, []):
        return "[]" if isinstance(value, list) else "{}"
    return _encode(value).replace("\\", "\\\\")


_encode = json.JSONEncoder(ensure_ascii=False).encode
_ESCAPED = re.compile(r"[\\\t\n\r]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _fill(name: str, columns: Mapping[str, str], content: bytes, given: Sequence[str]) -> None:
    table = sql.Identifier(name)
    typed = [sql.SQL("{} " + kind).format(sql.Identifier(column)) for column, kind in columns.items()]
    names = sql.SQL(", ").join(map(sql.Identifier, given))
    make = sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {table} ({typed}) ON COMMIT DELETE ROWS; DELETE FROM {table}")
    with connection.cursor() as cursor:
        cursor.execute(make.format(table=table, typed=sql.SQL(", ").join(typed)))
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)) as copy:  # type: ignore[attr-defined]
            copy.write(content)


def stage_keys(name: str, rows: Iterable[Sequence[Any]], **columns: str) -> None:
    """As `stage`, the rows being numbered by `place`; for looking something up for each."""
    numbered = ((place, *row) for place, row in enumerate(rows))
    stage(name, {"place": "integer", **columns}, numbered)


def next_ids(table: str, count: int) -> list[int]:
    """Ids for rows that are about to be made."""
    with connection.cursor() as cursor:
        # As one text, which is read faster than so many rows.
        cursor.execute(
            """SELECT string_agg(nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass))::text, ',')
               FROM generate_series(1, %s)""",
            [table, count],
        )
        return list(map(int, cursor.fetchone()[0].split(","))) if count else []


def insert(record: Record, rows: Sequence[Mapping[str, Any]], beside: Sequence[str] = ()) -> set[int]:
    """Make rows, each with its `id`; returns the ids that were made: a row that a constraint refuses is left out.

    Values of the columns `beside` are those that have been `put` at the row's `place`. What was made stays in the
    temporary table `fresh_<entity>` for the rest of the transaction.
    """
    if not rows:
        return set()
    fresh, given = f"fresh_{record.entity}", f"given_{record.entity}"
    own = ["id", *(["place"] if beside else []), *_given_by(rows, record)]
    columns = {"id": "bigint", "place": "integer", **record.columns}
    stage(fresh, columns, _values(rows, own, record.blanks), own)
    values = {name: _literal(record, name) for name in record.columns}
    values |= {name: sql.Identifier(given, name) for name in beside if name in values}
    values |= {name: sql.Identifier(fresh, name) for name in own if name in values}
    statement = sql.SQL(
        """INSERT INTO {table} (id, {names}, is_active)
           SELECT {fresh}.id, {values}, true FROM {fresh} {join} ORDER BY {fresh}.id {on_conflict}"""
    ).format(
        table=sql.Identifier(record.table),
        names=sql.SQL(", ").join(map(sql.Identifier, values)),
        values=sql.SQL(", ").join(values.values()),
        fresh=sql.Identifier(fresh),
        join=sql.SQL("JOIN {} USING (place)").format(sql.Identifier(given)) if beside else sql.SQL(""),
        on_conflict=sql.SQL(record.on_conflict),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        if cursor.rowcount == len(rows):
            return {row["id"] for row in rows}
        cursor.execute(
            sql.SQL(
                "DELETE FROM {fresh} WHERE NOT EXISTS (SELECT FROM {table} made WHERE made.id = {fresh}.id)"
            ).format(fresh=sql.Identifier(fresh), table=sql.Identifier(record.table))
        )
        cursor.execute(sql.SQL("SELECT id FROM {}").format(sql.Identifier(fresh)))
        return {id_ for (id_,) in cursor.fetchall()}


def _given_by(rows: Sequence[Mapping[str, Any]], record: Record) -> list[str]:
    """The columns that any row gives."""
    given: set[str] = set().union(*rows)
    return [name for name in record.columns if name in given]


@dataclass(frozen=True)
class Change:
    """What differed in a row that was there: the columns' values before and after."""

    id: int
    before: dict[str, Any]
    after: dict[str, Any]


def update(record: Record, rows: Sequence[Mapping[str, Any]], policy: str) -> list[Change]:
    """Change rows that are there, each given by its `id`, by the policy; returns what really changed.

    What differed stays in the temporary table `differing_<entity>` (id, before, after) until the next
    change, or the end of the transaction.
    Columns that no row gives are left alone. The rows are locked in the order of their ids, so that two writers wait
    for each other instead of locking each other out. Three statements by primary key.
    """
    names = [name for name in record.columns if any(row.get(name) is not None for row in rows)]
    if not names or policy == Update.LEAVE:
        return []
    known, differing = f"known_{record.entity}", f"differing_{record.entity}"
    given = ["id", *names]
    stage(known, {"id": "bigint", **record.columns}, _values(rows, given, {}), given)
    fresh = {name: _value(record, name, policy) for name in names}
    differs = {name: sql.SQL("{} IS DISTINCT FROM here.{}").format(fresh[name], sql.Identifier(name)) for name in names}
    table = sql.Identifier(record.table)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT id FROM {} WHERE id = ANY(%s) ORDER BY id FOR UPDATE").format(table),
            [sorted(row["id"] for row in rows)],
        )
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(differing)))
        cursor.execute(
            sql.SQL(
                """CREATE TEMP TABLE {differing} ON COMMIT DROP AS
                   SELECT here.id, {fresh}, {before} || jsonb_build_object('updated_at', here.updated_at) AS before,
                          {after} AS after
                   FROM {known} known
                   CROSS JOIN LATERAL (SELECT * FROM {table} row WHERE row.id = known.id LIMIT 1) here
                   WHERE {any}"""
            ).format(
                fresh=sql.SQL(", ").join(
                    sql.SQL("{} AS {}").format(fresh[name], sql.Identifier(f"new_{name}")) for name in names
                ),
                before=_object(differs, {name: sql.Identifier("here", name) for name in names}),
                after=_object(differs, fresh),
                table=table,
                known=sql.Identifier(known),
                differing=sql.Identifier(differing),
                any=sql.SQL(" OR ").join(differs.values()),
            )
        )
        # A join, unlike the others: it needs to know how many rows there are.
        cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(differing)))
        cursor.execute(
            sql.SQL(
                """UPDATE {table} here SET {set}, updated_at = now()
                   FROM {differing} differing WHERE here.id = differing.id"""
            ).format(
                table=table,
                differing=sql.Identifier(differing),
                set=sql.SQL(", ").join(
                    sql.SQL("{} = differing.{}").format(sql.Identifier(name), sql.Identifier(f"new_{name}"))
                    for name in names
                ),
            )
        )
        cursor.execute(sql.SQL("SELECT id, before, after FROM {} ORDER BY id").format(sql.Identifier(differing)))
        found: list[Any] = cursor.fetchall()
    return [Change(id_, _json(before), _json(after)) for id_, before, after in found]


def _values(
    rows: Iterable[Mapping[str, Any]], names: Sequence[str], blanks: Mapping[str, Any]
) -> Iterable[Sequence[Any]]:
    """The rows' values of these columns, blanks where they give none."""
    named = [(name, blanks.get(name)) for name in names]
    return ([blank if (value := row.get(name)) is None else value for name, blank in named] for row in rows)


def _literal(record: Record, name: str) -> sql.Composable:
    """SQL: what a column has that no row gives."""
    blank = record.blanks.get(name)
    return sql.SQL("{}::" + record.columns[name]).format(
        sql.Literal(Jsonb(blank) if isinstance(blank, dict) else blank)
    )


def _value(record: Record, name: str, policy: str) -> sql.Composable:
    """SQL: the value that a column comes to have, from `here` (the row that is there) and `known` (what is given)."""
    column, kind = sql.Identifier(name), record.columns[name]
    here, given = sql.SQL("here.{}").format(column), sql.SQL("known.{}").format(column)
    if name in record.only_raised:
        return sql.SQL("({} OR coalesce({}, false))").format(here, given)
    is_filling = policy == Update.FILL or name in record.only_filled
    if kind == "jsonb":
        order = "coalesce({1}, '{{}}') || jsonb_strip_nulls({0})" if is_filling else "{0} || coalesce({1}, '{{}}')"
        return sql.SQL("(" + order + ")").format(here, given)  # type: ignore[arg-type]
    if not is_filling:
        return sql.SQL("coalesce({}, {})").format(given, here)
    if kind == "text":
        return sql.SQL("coalesce(nullif({}, ''), {}, '')").format(here, given)
    return sql.SQL("coalesce({}, {})").format(here, given)


def _object(differs: Mapping[str, sql.Composable], values: Mapping[str, sql.Composable]) -> sql.Composable:
    """SQL: a jsonb of the columns that differ, with these values."""
    parts = [
        sql.SQL("CASE WHEN {} THEN jsonb_build_object({}, {}) ELSE '{{}}'::jsonb END").format(
            differs[name], sql.Literal(name), value
        )
        for name, value in values.items()
    ]
    return sql.SQL("(") + sql.SQL(" || ").join(parts) + sql.SQL(")")


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
