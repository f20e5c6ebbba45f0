"""The records of an organisation: versions, alternate keys, what was deleted, and transactions."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from integrations.sandbox.dynamics.columns import Table
from integrations.sandbox.dynamics.tables import TABLES

FIRST_VERSION = 1_000_000


@dataclass
class Row:
    """One record. `values` by the names under which they are read; `leads_to`: the table of each look-up's record."""

    table: str
    id: str
    values: dict[str, Any]
    version: int
    leads_to: dict[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'

    def copy(self) -> "Row":
        return Row(self.table, self.id, dict(self.values), self.version, dict(self.leads_to))


@dataclass
class Deletion:
    version: int
    table: str
    id: str


class Rows:
    """All records. Every write raises the organisation's version, which is the row's from then on."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)
        self.version = FIRST_VERSION
        self.tables: dict[str, dict[str, Row]] = {name: {} for name in TABLES}
        self.deletions: list[Deletion] = []
        # (table, key) → the values of the key's columns → the record.
        self._keys: dict[tuple[str, str], dict[tuple[Any, ...], str]] = {}
        # Of an open transaction: what each record was before.
        self._before: list[tuple[str, str, Row | None]] | None = None

    def new_id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def get(self, table: str, key: str) -> Row | None:
        return self.tables[table].get(key.lower())

    def all(self, table: str) -> list[Row]:
        return list(self.tables[table].values())

    def find(self, table: Table, key: str, values: dict[str, Any]) -> Row | None:
        """By an alternate key."""
        wanted = tuple(_folded(values[column]) for column in table.keys[key])
        found = self._keys.get((table.name, key), {}).get(wanted)
        return self.get(table.name, found) if found else None

    def put(self, table: Table, row: Row) -> None:
        """Insert it, or replace the one of its id; it gets the next version."""
        before = self.get(table.name, row.id)
        self._remember(table.name, row.id, before)
        self.version += 1
        row.version = row.values["versionnumber"] = self.version
        self._unindex(table, before)
        self.tables[table.name][row.id] = row
        self._index(table, row)

    def remove(self, table: Table, row: Row) -> None:
        self._remember(table.name, row.id, row)
        self.version += 1
        self._unindex(table, row)
        del self.tables[table.name][row.id]
        self.deletions.append(Deletion(self.version, table.name, row.id))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the block, or nothing if it raises; within another one, part of that."""
        if self._before is not None:
            yield
            return
        self._before, deletions = [], len(self.deletions)
        try:
            yield
        except BaseException:
            for name, key, row in reversed(self._before):
                table = TABLES[name]
                self._unindex(table, self.get(name, key))
                if row is None:
                    self.tables[name].pop(key, None)
                else:
                    self.tables[name][key] = row
                    self._index(table, row)
            del self.deletions[deletions:]
            raise
        finally:
            self._before = None

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "version": self.version,
            "tables": {
                name: [[row.id, row.values, row.version, row.leads_to] for row in rows.values()]
                for name, rows in self.tables.items()
            },
            "deletions": [[each.version, each.table, each.id] for each in self.deletions],
        }

    @classmethod
    def load(cls, kept: dict[str, Any]) -> "Rows":
        rows = cls()
        rows.version = kept["version"]
        for name, found in kept["tables"].items():
            for each in found:
                row = Row(name, *each)
                rows.tables[name][row.id] = row
                rows._index(TABLES[name], row)
        rows.deletions = [Deletion(*each) for each in kept["deletions"]]
        return rows

    def _remember(self, table: str, key: str, row: Row | None) -> None:
        if self._before is not None:
            self._before.append((table, key, row))

    def _index(self, table: Table, row: Row) -> None:
        for key, columns in table.keys.items():
            if (values := _values(row, columns)) is not None:
                self._keys.setdefault((table.name, key), {})[values] = row.id

    def _unindex(self, table: Table, row: Row | None) -> None:
        for key, columns in table.keys.items() if row else ():
            if row and (values := _values(row, columns)) is not None:
                self._keys.get((table.name, key), {}).pop(values, None)


def _values(row: Row, columns: tuple[str, ...]) -> tuple[Any, ...] | None:
    """The key of a record; none if one of its columns is empty."""
    values = tuple(_folded(row.values.get(column)) for column in columns)
    return None if None in values else values


def _folded(value: Any) -> Any:
    # Text is compared without regard to case.
    return value.lower() if isinstance(value, str) else value
