"""What a table and its columns are; `tables.py` has those that exist."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Type(StrEnum):
    """Dataverse's names of the types of attributes that we have."""

    STRING = "String"
    MEMO = "Memo"
    INTEGER = "Integer"
    BIGINT = "BigInt"
    MONEY = "Money"
    BOOLEAN = "Boolean"
    DATETIME = "DateTime"
    DATE = "DateOnly"
    PICKLIST = "Picklist"
    STATE = "State"
    STATUS = "Status"
    LOOKUP = "Lookup"
    OWNER = "Owner"
    ID = "Uniqueidentifier"


@dataclass(frozen=True)
class Column:
    """One attribute. A look-up is written as one of its navigation properties, and read as `_name_value`."""

    name: str
    label: str
    type: Type = Type.STRING
    length: int = 100
    options: Mapping[int, str] = field(default_factory=dict)
    # The state to which each status belongs.
    states: Mapping[int, int] = field(default_factory=dict)
    # A look-up's navigation properties and the table that each leads to.
    targets: Mapping[str, str] = field(default_factory=dict)
    least: int = 0
    most: int = 2_147_483_647
    required: str = "None"
    is_writable: bool = True

    @property
    def is_lookup(self) -> bool:
        return self.type in (Type.LOOKUP, Type.OWNER)

    @property
    def property(self) -> str:
        """Under which name it is read."""
        return f"_{self.name}_value" if self.is_lookup else self.name


@dataclass(frozen=True)
class Table:
    """One table. `keys`: alternate keys, name → columns; they hold for as long as the organisation has them."""

    name: str
    label: str
    set_name: str
    id: str
    primary_name: str
    columns: tuple[Column, ...]
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_tracked: bool = True

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def by_property(self) -> dict[str, Column]:
        return {column.property: column for column in self.columns}

    @cached_property
    def navigation(self) -> dict[str, tuple[Column, str]]:
        """Navigation property → its column and the table it leads to; names are case-sensitive."""
        return {name: (column, table) for column in self.columns for name, table in column.targets.items()}


def text(name: str, label: str, length: int = 100, required: str = "None") -> Column:
    return Column(name, label, Type.STRING, length, required=required)


def memo(name: str, label: str, length: int = 2000) -> Column:
    return Column(name, label, Type.MEMO, length)


def choice(name: str, label: str, *labels: str, first: int = 1) -> Column:
    """An option set whose values count up from `first`."""
    return Column(name, label, Type.PICKLIST, options=dict(enumerate(labels, first)))


def flag(name: str, label: str) -> Column:
    return Column(name, label, Type.BOOLEAN, options={0: "Allow", 1: "Do Not Allow"})


def moment(name: str, label: str, is_writable: bool = True) -> Column:
    return Column(name, label, Type.DATETIME, is_writable=is_writable)


def lookup(name: str, label: str, is_writable: bool = True, **targets: str) -> Column:
    return Column(name, label, Type.LOOKUP, targets=targets, is_writable=is_writable)


def states(table: str, *named: tuple[str, dict[int, str]]) -> tuple[Column, Column]:
    """statecode and statuscode: each state with its statuses, its default first."""
    return (
        Column("statecode", "Status", Type.STATE, options={n: name for n, (name, _) in enumerate(named)}),
        Column(
            "statuscode",
            "Status Reason",
            Type.STATUS,
            options={code: label for _, statuses in named for code, label in statuses.items()},
            states={code: n for n, (_, statuses) in enumerate(named) for code in statuses},
        ),
    )
