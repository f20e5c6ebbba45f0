"""Their columns: what they can hold, and how a value of ours becomes one of theirs and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from babel import Locale

from contacts import cells
from contacts.targets import Target
from integrations.crm import reasons


class Type(StrEnum):
    TEXT = "text"
    MEMO = "memo"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "moment"
    CHOICE = "choice"
    # A look-up, a file, a list …: not to be mapped.
    OTHER = "other"


class Unfit(ValueError):
    """A value that the column does not take; `kept` says why by a code of `reasons.DETAILS`, the text in words."""

    def __init__(self, code: str, **words: Any) -> None:
        self.kept = reasons.said(code, **words)
        super().__init__(str(reasons.in_words(self.kept)))


@dataclass(frozen=True, slots=True)
class Column:
    """One of their columns. `options` are (value, label) of a choice; `longest` is the length of a text."""

    name: str
    label: str
    type: str
    longest: int | None = None
    lowest: float | None = None
    highest: float | None = None
    options: tuple[tuple[Any, str], ...] = ()
    is_required: bool = False
    may_write: bool = True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Column":
        return cls(**{**kept, "options": tuple((value, label) for value, label in kept.get("options", ()))})

    @property
    def can_be_mapped(self) -> bool:
        return self.type != Type.OTHER and self.may_write


def to_theirs(value: Any, column: Column, options: Mapping[str, Any], target: Target | None = None) -> Any:
    """Our value as the column takes it; raises Unfit. None empties."""
    if value is None or value == "":
        if column.is_required:
            raise Unfit("empty", column=column.label)
        return None
    if options and str(value) in options:
        value = options[str(value)]
    if column.type == Type.CHOICE:
        return _option(value, column)
    if column.type == Type.BOOLEAN:
        return _boolean(value, column)
    if column.type in (Type.INTEGER, Type.NUMBER):
        return _number(value, column)
    if column.type in (Type.DATE, Type.MOMENT):
        return _day(value, column)
    if column.type in (Type.TEXT, Type.MEMO):
        return _text(_in_words(value, target), column)
    raise Unfit("not_written", column=column.label)


def to_ours(value: Any, target: Target, options: Mapping[str, Any]) -> Any:
    """Their value as our field holds it (None: empty); raises ValueError if it cannot be."""
    if value is None or value == "":
        return None
    if options:
        value = next((ours for ours, theirs in options.items() if theirs == value), value)
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if isinstance(value, str) and isinstance(target.cell, cells.DateCell):
        value = value[:10]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return target.cell.clean(str(value))


def _in_words(value: Any, target: Target | None) -> str:
    """A country by its name, yes and no as words, everything else as it is."""
    if target is not None and isinstance(target.cell, cells.CountryCell):
        return Locale.parse("en").territories.get(str(value), str(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _text(text: str, column: Column) -> str:
    length = len(text.encode("utf-16-le")) // 2  # as .NET counts: an emoji is two
    if column.longest is not None and length > column.longest:
        raise Unfit("too_long", column=column.label, count=length, most=column.longest)
    return text.replace("\x00", "")


def _option(value: Any, column: Column) -> Any:
    for theirs, label in column.options:
        if theirs == value or str(theirs) == str(value) or label.casefold() == str(value).casefold():
            return theirs
    raise Unfit("no_choice", column=column.label, value=str(value)[:60])


def _boolean(value: Any, column: Column) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return cells.BooleanCell().read(str(value), {})
    except ValueError:
        raise Unfit("no_yes_no", column=column.label) from None


def _number(value: Any, column: Column) -> int | float:
    try:
        number: int | float = float(str(value))
    except ValueError:
        raise Unfit("no_number", column=column.label) from None
    if column.type == Type.INTEGER:
        if number != int(number):
            raise Unfit("no_whole_number", column=column.label)
        number = int(number)
    if (column.lowest is not None and number < column.lowest) or (
        column.highest is not None and number > column.highest
    ):
        raise Unfit("out_of_range", column=column.label, low=column.lowest, high=column.highest)
    return number


def _day(value: Any, column: Column) -> str:
    try:
        day = date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise Unfit("no_date", column=column.label) from None
    return day if column.type == Type.DATE else f"{day}T00:00:00Z"
