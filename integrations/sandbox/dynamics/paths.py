"""What an address of the Web API names: `leads`, `leads(8c4d…)`, `leads(new_crmkey='a''b')/parentcontactid/$ref`."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from integrations.sandbox.dynamics import errors
from integrations.sandbox.dynamics.columns import Table, Type
from integrations.sandbox.dynamics.organisation import Organisation
from integrations.sandbox.dynamics.payloads import GUID
from integrations.sandbox.dynamics.rows import Row
from integrations.sandbox.dynamics.tables import BY_SET

ROOT = re.compile(r"(?:https?://[^?]*?)?/api/data/v9\.[0-2]/")
HEAD = re.compile(r"(?P<set>[A-Za-z_]+)(?:\((?P<key>(?:[^()']|'(?:[^']|'')*')*)\))?")
PART = re.compile(r"\s*(?P<name>\w+)\s*=\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>[^,']+))\s*(?:,|$)")


@dataclass(frozen=True)
class Target:
    """An entity set, perhaps one of its records, and what follows."""

    table: Table
    # The record's id in small letters.
    id: str = ""
    # Or the values of an alternate key.
    key: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    rest: tuple[str, ...] = ()

    @property
    def is_record(self) -> bool:
        return bool(self.id or self.key)

    def find(self, organisation: Organisation) -> Row | None:
        """The record, if there is one."""
        if self.key:
            if self.table.name in organisation.keyless:
                raise not_a_key(self.table)
            return organisation.rows.find(self.table, self.key, self.values)
        return organisation.rows.get(self.table.name, self.id)

    def get(self, organisation: Organisation) -> Row:
        """The record; a Refusal if there is none."""
        found = self.find(organisation)
        if found is None:
            raise errors.no_such_key(self.table.name) if self.key else errors.missing(self.table.name, self.id)
        return found


def parse(path: str) -> Target:
    """From the part of a path behind `/api/data/v9.2/`, still encoded."""
    text = unquote(path)
    found = HEAD.match(text)
    if found is None or found["set"] not in BY_SET:
        raise errors.no_resource(re.split(r"[(/]", text)[0])
    table = BY_SET[found["set"]]
    behind = text[found.end() :]
    if behind and not behind.startswith("/"):
        raise errors.bad_query(f"Syntax error in '{text}'.")
    rest = tuple(part for part in behind.split("/") if part)
    if found["key"] is None:
        return Target(table, rest=rest)
    if GUID.fullmatch(found["key"]):
        return Target(table, found["key"].lower(), rest=rest)
    key, values = _key(table, found["key"])
    return Target(table, "", key, values, rest)


def _key(table: Table, text: str) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {}
    at = 0
    while at < len(text) and (part := PART.match(text, at)):
        column = table.by_name.get(part["name"])
        if column is None:
            raise errors.no_property(part["name"], table.name)
        bare = part["bare"]
        is_number = column.type == Type.INTEGER and bare is not None and bare.strip().isdigit()
        values[column.name] = int(bare) if is_number else (bare or part["text"].replace("''", "'"))
        at = part.end()
    if at < len(text) or not values:
        raise errors.bad_query(f"Bad Request - Error in query syntax: '{text}' is no key.")
    if set(values) == {table.id}:
        raise errors.bad_query(f"'{values[table.id]}' is not a valid identifier.")
    for key, columns in table.keys.items():
        if set(columns) == set(values):
            return key, values
    raise not_a_key(table)


def reference(text: str, organisation: Organisation) -> tuple[str, Row]:
    """The record behind an `@odata.bind` or an `@odata.id`."""
    bare = ROOT.sub("", text, count=1).lstrip("/")
    target = parse(bare)
    if not target.is_record or target.rest:
        raise errors.invalid(f"'{text}' is no reference to a record.")
    return target.table.name, target.get(organisation)


def not_a_key(table: Table) -> errors.Refusal:
    return errors.Refusal(
        400, "0x80060890", f"The specified key attributes are not a defined key for the {table.name} entity"
    )
