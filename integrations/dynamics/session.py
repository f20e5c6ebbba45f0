"""One connection's Dataverse, by the words of `crm.interface`: units are change sets of a batch."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID

from babel.numbers import get_currency_precision

from integrations.client import Rejected
from integrations.crm import erasing
from integrations.crm.interface import (
    Expired,
    Finding,
    How,
    Outcome,
    Page,
    Record,
    Reference,
    Result,
    User,
    Write,
)
from integrations.crm.mapped import Mapped
from integrations.dynamics import access, checking, metadata, refusals, tables
from integrations.dynamics.odata import ANNOTATIONS, MOST_OPERATIONS, REPRESENTATION, Api, Operation, Part, rows_of
from integrations.dynamics.tables import Table
from integrations.models import MAPPED, Connection, Entity
from tenants.scope import tenant_scope

PAGE = 1_000
GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class DynamicsSession:
    """Talks to one environment, outside of any transaction."""

    def __init__(self, connection: Connection, api: Api | None = None, *, page: int = PAGE) -> None:
        self._settings, self._page = connection.settings, page
        self._environment = access.environment(connection)
        self._deletes = erasing.way(connection) == erasing.DELETE
        self._key = str(self._settings.get("key_column") or tables.KEY_COLUMN)
        self._api = api or Api(connection)
        with tenant_scope(connection.tenant_id, read_only=True):
            mapped = Mapped(connection)
        self._columns: dict[str, list[str]] = {entity: mapped.names(entity) for entity in MAPPED}

    # ---- writing ----

    def write(self, units: Sequence[Sequence[Write]]) -> list[Result]:
        """Write units as change sets of as few batches as hold them."""
        results: list[Result] = []
        pending: list[Sequence[Write]] = []
        for unit in units:
            if pending and _count([*pending, unit]) > MOST_OPERATIONS:
                results += self._batch(pending)
                pending = []
            pending.append(unit)
        return results + (self._batch(pending) if pending else [])

    def _batch(self, units: Sequence[Sequence[Write]]) -> list[Result]:
        answers = self._api.batch([[op for write in unit for op in self._operations(write)] for unit in units])
        return [self._result(unit, parts) for unit, parts in zip(units, answers, strict=True)]

    def _operations(self, write: Write) -> list[Operation]:
        table = tables.OF_ENTITY[write.entity]
        data = {**write.values}
        for role, reference in write.references.items():
            data[f"{tables.NAVIGATION[write.entity, role]}@odata.bind"] = f"/{self._address(reference)}"
        headers = {"Prefer": REPRESENTATION}
        if write.how == How.UPDATE:
            path = f"/{table.set}({write.external_id})"
            match = {"If-Match": write.version or "*"}
            if write.reopens:
                return [
                    Operation("PATCH", path, tables.REOPENED, match),
                    Operation("PATCH", path + self._select(table), data, {**headers, "If-Match": "*"}),
                ]
            return [Operation("PATCH", path + self._select(table), data, {**headers, **match})]
        path = f"/{self._address(Reference(write.entity, uid=write.uid))}"
        return [Operation("PATCH", path + self._select(table), data, headers)]

    def _result(self, unit: Sequence[Write], parts: Sequence[Part]) -> Result:
        refused = next((part for part in parts if part.status >= 400), None)
        if refused is not None:
            return refusals.result(refused)
        shown = [part.data for part in parts if part.data is not None]
        if len(shown) != len(unit):
            return Result(Outcome.LATER, error=f"{len(shown)} records came back of {len(unit)}.")
        return Result(
            Outcome.WRITTEN,
            [self._record(tables.OF_ENTITY[write.entity], row) for write, row in zip(unit, shown, strict=True)],
        )

    def erase(self, entity: str, reference: Reference, *, is_emptied: bool) -> None:
        """Delete a record, or overwrite what is mapped; what is gone is gone."""
        table = tables.OF_ENTITY[entity]
        path = f"/{self._address(reference)}"
        if not is_emptied:
            self._unless_gone("DELETE", path)
            return
        required = metadata.REQUIRED.get(table.name, {})
        names = [*self._columns.get(entity, []), *metadata.PERSONAL.get(table.name, ())]
        values = {name: required.get(name) for name in names if not name.startswith("donot")}
        [[part]] = self._api.batch([[Operation("PATCH", path, values, {"If-Match": "*"})]])
        if part.status >= 400 and part.status != 404:
            raise refusals.failure(part)

    def _unless_gone(self, method: str, path: str) -> None:
        try:
            self._api.call(method, path)
        except Rejected as refusal:
            if refusal.status != 404:
                raise

    # ---- reading ----

    def read(self, entity: str, references: Sequence[Reference]) -> list[Record | None]:
        """The records as they are now; one batch per MOST_OPERATIONS of them."""
        table = tables.OF_ENTITY[entity]
        select = self._select(table)
        found: list[Record | None] = []
        for start in range(0, len(references), MOST_OPERATIONS):
            reads = [
                [Operation("GET", f"/{self._address(one)}{select}", headers={"Prefer": ANNOTATIONS})]
                for one in references[start : start + MOST_OPERATIONS]
            ]
            for [part] in self._api.batch(reads, is_reading=True):
                if part.status >= 400 and part.status != 404:
                    raise refusals.failure(part)
                found.append(self._record(table, part.data) if part.status < 400 else None)
        return found

    def changes(self, table: str, position: str) -> Page:
        """One page of what has changed; its position is the link to what follows, as it came."""
        known = tables.BY_NAME[table]
        if position and not self._goes_on(known, position):
            raise Expired
        prefer = f"odata.track-changes,odata.maxpagesize={self._page},{ANNOTATIONS}"
        try:
            answer = self._api.get(position or f"/{known.set}{self._select(known)}", prefer=prefer)
        except Rejected as refusal:
            if position and refusals.is_expired(refusal):
                raise Expired from None
            if known.entity not in MAPPED and refusals.is_untracked(refusal):
                return Page([], [], "", is_last=True)
            raise
        rows = rows_of(answer)
        deleted = [row["id"] for row in rows if row.get("reason") == "deleted"]
        records = [self._record(known, row) for row in rows if row.get("reason") != "deleted" and row.get(known.id)]
        following = answer.get("@odata.nextLink")
        return Page(records, deleted, following or answer.get("@odata.deltaLink", ""), is_last=not following)

    def _goes_on(self, table: Table, link: str) -> bool:
        """Whether a link is still of use: it is of one environment, and keeps the columns with which it began."""
        begun = parse_qs(urlsplit(link).query).get("$select")
        wanted = self._select(table).partition("=")[2]
        has_all = begun is None or set(wanted.split(",")) <= set(begun[0].split(","))
        return has_all and link.startswith(f"{self._environment}/")

    def _record(self, table: Table, row: Mapping[str, Any]) -> Record:
        values = {name: row[name] for name in self._columns.get(table.entity, []) if name in row}
        standing = table.standing(row, self._settings)
        if "currency" in standing:
            standing["currency"] = self._currencies.get(standing["currency"], "")
            standing["amount_minor"] = _minor(standing.pop("amount"), standing["currency"])
        changed = row.get("modifiedon")
        return Record(
            table.entity,
            row[table.id],
            row.get("@odata.etag", ""),
            values,
            _uid(row.get(self._key)),
            datetime.fromisoformat(changed) if changed else None,
            standing,
        )

    def _select(self, table: Table) -> str:
        names = [table.id, "modifiedon", *table.columns, *self._columns.get(table.entity, ())]
        names += [self._key] if table.is_keyed else []
        return f"?$select={','.join(dict.fromkeys(names))}"

    def _address(self, reference: Reference) -> str:
        """A record's place below the root: by their key if we know it, else by ours."""
        set_ = tables.SETS[reference.entity]
        if reference.external_id:
            return f"{set_}({reference.external_id})"
        if reference.entity == Entity.ACTIVITY:
            return f"{set_}({reference.uid})"
        return f"{set_}({self._key}='{quote(str(reference.uid).replace(chr(39), chr(39) * 2), safe='')}')"

    # ---- what there is ----

    @cached_property
    def _currencies(self) -> dict[str, str]:
        rows = self._api.rows("/transactioncurrencies?$select=transactioncurrencyid,isocurrencycode")
        return {row["transactioncurrencyid"]: row["isocurrencycode"] for row in rows}

    def columns(self, entity: str) -> list[Mapping[str, Any]]:
        """The columns of an entity's table."""
        return [column.as_json() for column in metadata.columns(self._api, tables.OF_ENTITY[entity].name)]

    def users(self) -> list[User]:
        """Everybody who signs in there; the application users of other systems are left out."""
        query = "$select=systemuserid,fullname,internalemailaddress,isdisabled&$filter=accessmode ne 4"
        found: list[Mapping[str, Any]] = []
        link = f"/systemusers?{quote(query, safe='$=&,')}"
        while link:
            answer = self._api.get(link, prefer=f"odata.maxpagesize={self._page}")
            found += rows_of(answer)
            link = answer.get("@odata.nextLink", "")
        return [
            User(row["systemuserid"], row["fullname"] or "", row["internalemailaddress"] or "", not row["isdisabled"])
            for row in found
        ]

    def check(self) -> list[Finding]:
        """What is missing for the connection to work."""
        return checking.check(self._api, self._key, deletes=self._deletes)


def _uid(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


def _minor(amount: Any, currency: str) -> int | None:
    """An amount in the smallest unit of its currency: a yen has none, a dinar a thousand."""
    if amount is None:
        return None
    return round(Decimal(str(amount)).scaleb(get_currency_precision(currency or "EUR")))


def _count(units: Sequence[Sequence[Write]]) -> int:
    return sum(2 if write.reopens else 1 for unit in units for write in unit)
