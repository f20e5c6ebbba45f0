"""Values in SQL text that may later be executed with or without parameters."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from psycopg import sql


def literal(value: Any) -> sql.Composable:
    """A value as a typed literal; see `text` for how strings are written."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return sql.SQL("true") if value else sql.SQL("false")
    if isinstance(value, int):
        return sql.SQL("{}::bigint").format(sql.Literal(value))
    if isinstance(value, datetime | date):
        return sql.Literal(value)
    raise TypeError(f"rules have no values of type {type(value)}")


def text(value: str) -> sql.Composable:
    """A text literal that never contains a percent sign.

    Composed statements are also run with parameters, where a percent sign would be read as a placeholder; so text
    with one is written with its Unicode escape.
    """
    if "%" not in value:
        return sql.SQL("{}::text").format(sql.Literal(value))
    escaped = value.replace("\\", "\\\\").replace("'", "''").replace("%", "\\0025")
    return sql.SQL("(U&'" + escaped + "')::text")  # type: ignore[arg-type]


def array(values: Iterable[int]) -> sql.Composable:
    """An array of ids."""
    return sql.SQL("'{" + ",".join(str(int(value)) for value in values) + "}'::bigint[]")  # type: ignore[arg-type]


def hours(days: int) -> sql.Composable:
    """A window of days as exact multiples of 24 hours, whatever the clocks do."""
    return sql.SQL(f"interval '{int(days) * 24} hours'")  # type: ignore[arg-type]
