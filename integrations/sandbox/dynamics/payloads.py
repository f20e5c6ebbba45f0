"""The body of a create or an update, read as Dataverse reads it: names, types, lengths, options, references."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from integrations.sandbox.dynamics import errors
from integrations.sandbox.dynamics.columns import Column, Table, Type
from integrations.sandbox.dynamics.rows import Row

BIND = "@odata.bind"
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# From what stands behind `@odata.bind` to the record and its table; it raises for what leads nowhere.
Resolve = Callable[[str], tuple[str, Row]]


@dataclass
class Changes:
    """What a body asks for: values by the names under which they are read, and the tables of look-ups."""

    values: dict[str, Any] = field(default_factory=dict)
    leads_to: dict[str, str] = field(default_factory=dict)


def read(table: Table, body: Any, resolve: Resolve) -> Changes:
    """The changes; raises Refusal for what Dataverse refuses. Read-only columns are passed over, as there."""
    if not isinstance(body, dict):
        raise errors.invalid("the body must be a JSON object")
    changes = Changes()
    for name, value in body.items():
        if name.endswith(BIND):
            _bind(table, name.removesuffix(BIND), value, resolve, changes)
        elif "@" not in name:
            _set(table, name, value, changes)
    return changes


def _bind(table: Table, name: str, value: Any, resolve: Resolve, changes: Changes) -> None:
    if name not in table.navigation:
        raise errors.undeclared(name)
    column, target = table.navigation[name]
    if not column.is_writable:
        return
    changes.values[column.property] = None
    changes.leads_to[column.property] = target
    if value is None:
        return
    if not isinstance(value, str):
        raise errors.unconvertible(value, "Edm.String")
    found, row = resolve(value)
    if found != target:
        raise errors.invalid(f"A resource of type '{found}' cannot be bound to the property '{name}' of {table.name}.")
    changes.values[column.property] = row.id


def _set(table: Table, name: str, value: Any, changes: Changes) -> None:
    if name in table.navigation:
        if value is not None:
            raise errors.invalid(
                f"A node of type 'PrimitiveValue' was read from the JSON reader when trying to read the contents of "
                f"the property '{name}'; however, a 'StartObject' node was expected."
            )
        return _bind(table, name, None, _nowhere, changes)
    if name in table.by_property and table.by_property[name].is_lookup:
        raise errors.REFERENCE_AS_VALUE
    column = table.by_name.get(name)
    if column is None or column.is_lookup:
        raise errors.no_property(name, table.name)
    if value is None and column.type in (Type.STATE, Type.STATUS):
        raise errors.unconvertible(value, "Edm.Int32")
    if column.is_writable:
        changes.values[name] = None if value is None else CHECKS[column.type](table, column, value)


def _nowhere(reference: str) -> tuple[str, Row]:
    raise errors.invalid(reference)


def _text(table: Table, column: Column, value: Any) -> str:
    if not isinstance(value, str):
        raise errors.unconvertible(value, "Edm.String")
    # Lengths are counted as .NET counts them: an emoji is two.
    if len(value.encode("utf-16-le")) // 2 > column.length:
        raise errors.too_long(column.name, table.name, column.length)
    return value


def _whole(table: Table, column: Column, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise errors.unconvertible(value, "Edm.Int32")
    if not column.least <= value <= column.most:
        raise errors.out_of_range(column.name, table.name, value, f"{column.least} - {column.most}")
    return value


def _money(table: Table, column: Column, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise errors.unconvertible(value, "Edm.Decimal")
    if not column.least <= value <= column.most:
        raise errors.out_of_range(column.name, table.name, value, f"{column.least} - {column.most}")
    return round(float(value), 4)


def _truth(table: Table, column: Column, value: Any) -> bool:
    if not isinstance(value, bool):
        raise errors.unconvertible(value, "Edm.Boolean")
    return value


def _option(table: Table, column: Column, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise errors.unconvertible(value, "Edm.Int32")
    if value not in column.options:
        raise errors.out_of_range(column.name, table.name, value, ",".join(map(str, column.options)))
    return value


def _moment(table: Table, column: Column, value: Any) -> str:
    try:
        parsed = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise errors.unconvertible(value, "Edm.DateTimeOffset") from None
    if parsed.tzinfo is None:
        raise errors.unconvertible(value, "Edm.DateTimeOffset")
    return written(parsed)


def _day(table: Table, column: Column, value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (ValueError, TypeError):
        raise errors.unconvertible(value, "Edm.Date") from None


def _guid(table: Table, column: Column, value: Any) -> str:
    if not isinstance(value, str) or not GUID.fullmatch(value):
        raise errors.unconvertible(value, "Edm.Guid")
    return str(UUID(value))


def written(moment: datetime) -> str:
    """An instant as Dataverse writes it: whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


CHECKS: dict[Type, Callable[[Table, Column, Any], Any]] = {
    Type.STRING: _text,
    Type.MEMO: _text,
    Type.INTEGER: _whole,
    Type.BIGINT: _whole,
    Type.MONEY: _money,
    Type.BOOLEAN: _truth,
    Type.DATETIME: _moment,
    Type.DATE: _day,
    Type.PICKLIST: _option,
    Type.STATE: _option,
    Type.STATUS: _option,
    Type.ID: _guid,
}
