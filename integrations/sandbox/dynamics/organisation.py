"""One organisation's records and the rules of its platform: what happens when one is created, changed or deleted."""

from datetime import datetime
from typing import Any

from integrations.sandbox.dynamics import errors, payloads
from integrations.sandbox.dynamics.columns import Table, Type
from integrations.sandbox.dynamics.payloads import Changes
from integrations.sandbox.dynamics.rows import Row, Rows
from integrations.sandbox.dynamics.tables import CURRENCY, TABLES, USER
from integrations.sandbox.http import Clock

ACTIVITIES = ("task", "phonecall", "appointment")
# Tables whose closed records can only be reopened, and how their closed states come to be.
READ_ONLY_WHEN_CLOSED = ("lead", "opportunity", *ACTIVITIES)


class Organisation:
    """Creates, changes and deletes by the platform's rules. `by` is the id of the systemuser who does it."""

    def __init__(self, clock: Clock, rows: Rows) -> None:
        self.clock = clock
        self.rows = rows
        # Tables on which the admin has switched change tracking off, and whose alternate key does not exist (yet).
        self.untracked: set[str] = set()
        self.keyless: set[str] = set()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def create(self, table: Table, changes: Changes, by: str, key: str | None = None) -> Row:
        """Insert a record; `key` is its id if the caller chose one."""
        asked = changes.values
        key = key or asked.pop(table.id, None) or self.rows.new_id()
        if self.rows.get(table.name, key):
            raise errors.EXISTS
        if asked.get("statecode"):
            raise errors.Refusal(400, "0x80048408", f"The statecode of {table.name} cannot be set on create.")
        stamp = payloads.written(self.now)
        row = Row(table.name, key.lower(), {column.property: None for column in table.columns}, 0)
        row.values[table.id] = row.id
        row.values.update(_defaults(table))
        row.values.update({"createdon": stamp, "_createdby_value": by, "_ownerid_value": by})
        row.leads_to.update({"_ownerid_value": "systemuser", "_createdby_value": "systemuser"})
        if asked.get("overriddencreatedon"):
            row.values["createdon"] = asked["overriddencreatedon"]
        return self._write(table, row, changes, by, stamp)

    def update(self, table: Table, row: Row, changes: Changes, by: str) -> Row:
        """Change a record; one that is closed can only be reopened."""
        changes.values.pop(table.id, None)
        changes.values.pop("overriddencreatedon", None)
        self._check_open(table, row, changes)
        return self._write(table, row.copy(), changes, by, payloads.written(self.now))

    def close(self, table: Table, row: Row, changes: Changes, by: str) -> Row:
        """Like `update`, for the platform's own actions, which may do what a PATCH may not."""
        return self._write(table, row.copy(), changes, by, payloads.written(self.now))

    def delete(self, table: Table, row: Row) -> None:
        """Delete it; its activities go with it, other references to it are emptied."""
        for name, other in TABLES.items():
            for each in self.rows.all(name):
                named = [key for key, to in each.leads_to.items() if to == table.name and each.values[key] == row.id]
                if not named:
                    continue
                if name in ACTIVITIES and "_regardingobjectid_value" in named:
                    self.rows.remove(other, each)
                    continue
                changed = each.copy()
                for key in named:
                    changed.values[key] = None
                self.rows.put(other, changed)
        self.rows.remove(table, row)

    def _write(self, table: Table, row: Row, changes: Changes, by: str, stamp: str) -> Row:
        _check_state(table, row, changes)
        self._check_owner(changes)
        row.values.update(changes.values)
        row.leads_to.update(changes.leads_to)
        if "modifiedon" in row.values:
            row.values["modifiedon"] = stamp
        if "modifiedby" in table.by_name:
            row.values["_modifiedby_value"] = by
            row.leads_to["_modifiedby_value"] = USER.name
        if "fullname" in row.values:
            names = (row.values["firstname"], row.values["lastname"])
            row.values["fullname"] = " ".join(name for name in names if name) or None
        row.values = {
            name: value for name, value in row.values.items() if name in table.by_property or name == table.id
        }
        self._check_money(table, row)
        self._check_keys(table, row)
        self.rows.put(table, row)
        return row

    def _check_open(self, table: Table, row: Row, changes: Changes) -> None:
        state = row.values.get("statecode")
        if table.name == "opportunity" and changes.values.get("statecode") not in (None, 0, state):
            raise errors.Refusal(
                400, "0x80048408", "An opportunity is closed by WinOpportunity or LoseOpportunity, not by an update."
            )
        if table.name in READ_ONLY_WHEN_CLOSED and state and changes.values.get("statecode") != 0:
            raise errors.Refusal(
                400, "0x80040237", f"This {table.label.lower()} is closed. You can't edit it unless you reactivate it."
            )

    def _check_owner(self, changes: Changes) -> None:
        if "_ownerid_value" not in changes.values:
            return
        owner = self.rows.get(USER.name, changes.values["_ownerid_value"] or "")
        if owner is None:
            raise errors.invalid("The owner of a record cannot be empty.")
        if owner.values["isdisabled"]:
            raise errors.Refusal(
                400, "0x80041d37", f"The specified user(Id = {owner.id}) is disabled. Records cannot be assigned to it."
            )

    @staticmethod
    def _check_money(table: Table, row: Row) -> None:
        money = [column.name for column in table.columns if column.type == Type.MONEY]
        if any(row.values[name] is not None for name in money) and not row.values["_transactioncurrencyid_value"]:
            raise errors.Refusal(400, "0x80048cfe", "The currency cannot be null.")

    def _check_keys(self, table: Table, row: Row) -> None:
        for key in table.keys if table.name not in self.keyless else ():
            other = self.rows.find(table, key, row.values) if _has(row, table.keys[key]) else None
            if other is not None and other.id != row.id:
                raise errors.Refusal(
                    412,
                    "0x80060892",
                    f"A record that has the attribute values {', '.join(table.keys[key])} already exists. The entity "
                    f"key {key} requires that this set of attributes contains unique values.",
                )

    def user(self, address: str) -> Row | None:
        """By the e-mail address."""
        wanted = address.lower()
        found = (row for row in self.rows.all(USER.name) if (row.values["internalemailaddress"] or "") == wanted)
        return next(found, None)

    def currency(self) -> Row:
        """The organisation's own."""
        return self.rows.all(CURRENCY.name)[0]


def _defaults(table: Table) -> dict[str, Any]:
    """What a new record has unless it says otherwise."""
    defaults: dict[str, Any] = {
        column.name: False for column in table.columns if column.type == Type.BOOLEAN and column.name != "decisionmaker"
    }
    if "statuscode" in table.by_name:
        defaults |= {"statecode": 0, "statuscode": _statuses(table, 0)[0]}
    if "preferredcontactmethodcode" in table.by_name:
        defaults["preferredcontactmethodcode"] = 1
    if "prioritycode" in table.by_name:
        defaults["prioritycode"] = 1
    return defaults


def _check_state(table: Table, row: Row, changes: Changes) -> None:
    """A status belongs to a state; a state without its status brings its default."""
    asked = changes.values
    if "statuscode" not in table.by_name or not {"statecode", "statuscode"} & asked.keys():
        return
    was = row.values["statecode"]
    state = asked.get("statecode", was)
    if asked.get("statuscode") in (None, -1):
        asked["statuscode"] = _statuses(table, state)[0]
    if table.by_name["statuscode"].states[asked["statuscode"]] != state:
        raise errors.Refusal(
            400,
            "0x80048408",
            f"{asked['statuscode']} is not a valid status code for state code "
            f"{table.label}State.{table.by_name['statecode'].options[state]} on {table.name} with Id {row.id}.",
        )
    asked["statecode"] = state


def _statuses(table: Table, state: int) -> list[int]:
    return [code for code, of in table.by_name["statuscode"].states.items() if of == state]


def _has(row: Row, columns: tuple[str, ...]) -> bool:
    return all(row.values.get(column) is not None for column in columns)
