"""The Web API's requests for one organisation, behind the door: reads, the writes with their conditions, actions."""

import json
import re
from typing import Any

from integrations.sandbox.dynamics import actions, errors, metadata, paths, payloads, reading
from integrations.sandbox.dynamics.columns import Table
from integrations.sandbox.dynamics.organisation import Organisation
from integrations.sandbox.dynamics.paths import Target
from integrations.sandbox.dynamics.payloads import Changes
from integrations.sandbox.dynamics.reading import Wanted
from integrations.sandbox.dynamics.rows import Row
from integrations.sandbox.dynamics.security import Security
from integrations.sandbox.dynamics.tables import LEAD, OPPORTUNITY, TABLES
from integrations.sandbox.http import Reply, Request

PAGE_SIZE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)")
CRM = "Microsoft.Dynamics.CRM."
VERSION = {"OData_Version": "4.0"}


class WebApi:
    """Answers one request after the other, those within a batch too. `root` ends with `/api/data/v9.2/`."""

    def __init__(self, organisation: Organisation, security: Security, root: str) -> None:
        self.organisation, self.security, self.root = organisation, security, root

    def answer(self, request: Request) -> Reply:
        """The answer, a refusal included."""
        try:
            return self._answer(request, paths.ROOT.sub("", request.path, count=1))
        except errors.Refusal as refusal:
            return refusal.reply()

    def _answer(self, request: Request, path: str) -> Reply:
        if path in ("WhoAmI", "WhoAmI()", f"{CRM}WhoAmI", f"{CRM}WhoAmI()"):
            context = {"@odata.context": f"{self.root}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"}
            return Reply.json(200, {**context, **actions.who_am_i(self.security.user)}, **VERSION)
        if path.startswith("EntityDefinitions"):
            if request.method != "GET":
                raise errors.Refusal(405, "0x80060888", "The metadata is read only.")
            return Reply.json(200, metadata.answer(self.organisation, path, request.query, self.root), **VERSION)
        if path in ("WinOpportunity", "LoseOpportunity"):
            self.security.demand("Write", OPPORTUNITY)
            actions.close(self.organisation, path, _body(request), self.security.user)
            return Reply(204, headers=[("OData-Version", "4.0")])
        target = paths.parse(path)
        if not target.is_record:
            return self._set(request, target)
        return self._record(request, target)

    def _set(self, request: Request, target: Target) -> Reply:
        table = target.table
        if request.method == "GET" and target.rest == ("$count",):
            self.security.demand("Read", table)
            count = min(len(self.organisation.rows.all(table.name)), reading.LARGEST_COUNT)
            return Reply(200, str(count).encode(), [("Content-Type", "text/plain"), ("OData-Version", "4.0")])
        if target.rest:
            raise errors.no_resource(target.rest[0])
        if request.method == "GET":
            self.security.demand("Read", table)
            wanted = _wanted(request)
            body = reading.page(self.organisation, table, request.query, wanted, self.root)
            return Reply.json(200, body, **_applied(request))
        if request.method != "POST":
            raise errors.Refusal(405, "0x80060888", f"The method {request.method} is not allowed on a set.")
        return self._create(request, table, None, {})

    def _record(self, request: Request, target: Target) -> Reply:
        if target.rest:
            return self._within(request, target)
        if request.method == "GET":
            self.security.demand("Read", target.table)
            row = target.get(self.organisation)
            if request.header("If-None-Match") == row.etag:
                return Reply(304, headers=[("OData-Version", "4.0"), ("ETag", row.etag)])
            return Reply.json(200, self._shown(target.table, row, request), ETag=row.etag, **_applied(request))
        if request.method == "PATCH":
            return self._patch(request, target)
        if request.method == "DELETE":
            self.security.demand("Delete", target.table)
            row = target.get(self.organisation)
            _check_version(request, row)
            self.organisation.delete(target.table, row)
            return Reply(204, headers=[("OData-Version", "4.0")])
        raise errors.Refusal(405, "0x80060888", f"The method {request.method} is not allowed on a record.")

    def _patch(self, request: Request, target: Target) -> Reply:
        """Update, create or either, as If-Match and If-None-Match say."""
        row = target.find(self.organisation)
        if row is None:
            if request.header("If-Match"):
                target.get(self.organisation)
            return self._create(request, target.table, target.id or None, target.values)
        if request.header("If-None-Match") == "*":
            raise errors.EXISTS
        self.security.demand("Write", target.table)
        _check_version(request, row)
        changes = self._changes(request, target.table, target.values)
        row = self.organisation.update(target.table, row, changes, self.security.user)
        return self._written(request, target.table, row, 200)

    def _create(self, request: Request, table: Table, key: str | None, values: dict[str, Any]) -> Reply:
        self.security.demand("Create", table)
        changes = self._changes(request, table, values)
        changes.values.update(values)
        is_detecting = request.header("MSCRM.SuppressDuplicateDetection").lower() == "false"
        has_rules = table.name in ("lead", "contact", "account")
        if is_detecting and has_rules and actions.has_double(self.organisation, table, changes.values):
            raise errors.DUPLICATE
        row = self.organisation.create(table, changes, self.security.user, key)
        return self._written(request, table, row, 201)

    def _changes(self, request: Request, table: Table, values: dict[str, Any]) -> Changes:
        body = _body(request)
        repeated = [name for name in values if isinstance(body, dict) and name in body]
        if repeated:
            raise errors.invalid(f"The key property '{repeated[0]}' is in the address and must not be in the body.")
        changes = payloads.read(table, body, lambda text: paths.reference(text, self.organisation))
        for name, to in changes.leads_to.items():
            if changes.values.get(name):
                self.security.demand("AppendTo" if name != "_ownerid_value" else "Read", TABLES[to])
        if "_ownerid_value" in changes.values:
            self.security.demand("Assign", table)
        return changes

    def _written(self, request: Request, table: Table, row: Row, status: int) -> Reply:
        headers = {"OData_EntityId": f"{self.root}{table.set_name}({row.id})", **_applied(request)}
        if "return=representation" in _preferences(request):
            return Reply.json(status, self._shown(table, row, request), ETag=row.etag, **headers)
        return Reply(204, headers=[(name.replace("_", "-"), value) for name, value in headers.items()])

    def _within(self, request: Request, target: Target) -> Reply:
        """A property, a reference or an action of one record."""
        name, *more = target.rest
        if name.startswith(CRM):
            return self._action(request, target, name.removeprefix(CRM).removesuffix("()"))
        row = target.get(self.organisation)
        table = target.table
        if more == ["$ref"] and name in table.navigation:
            self.security.demand("Write", table)
            if request.method not in ("PUT", "DELETE"):
                raise errors.Refusal(405, "0x80060888", f"The method {request.method} is not allowed on a reference.")
            to = _body(request).get("@odata.id") if request.method == "PUT" else None
            bound = {f"{name}@odata.bind": to}
            changes = payloads.read(table, bound, lambda text: paths.reference(text, self.organisation))
            self.organisation.update(table, row, changes, self.security.user)
            return Reply(204, headers=[("OData-Version", "4.0")])
        if more or name not in table.by_property:
            raise errors.no_resource(name)
        if request.method == "GET":
            self.security.demand("Read", table)
            context = f"{self.root}$metadata#{table.set_name}({row.id})/{name}"
            return Reply.json(200, {"@odata.context": context, "value": row.values.get(name)}, **VERSION)
        if request.method in ("PUT", "DELETE"):
            self.security.demand("Write", table)
            value = _body(request).get("value") if request.method == "PUT" else None
            changes = payloads.read(table, {name: value}, lambda text: paths.reference(text, self.organisation))
            row = self.organisation.update(table, row, changes, self.security.user)
            return self._written(request, table, row, 200)
        raise errors.Refusal(405, "0x80060888", f"The method {request.method} is not allowed on a property.")

    def _action(self, request: Request, target: Target, name: str) -> Reply:
        if name == "RetrieveUserPrivileges" and target.table.name == "systemuser" and request.method == "GET":
            target.get(self.organisation)
            context = f"{self.root}$metadata#Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse"
            return Reply.json(200, {"@odata.context": context, "RolePrivileges": self.security.privileges()}, **VERSION)
        if name == "QualifyLead" and target.table is LEAD and request.method == "POST":
            self.security.demand("Write", LEAD)
            is_detecting = request.header("MSCRM.SuppressDuplicateDetection").lower() == "false"
            lead = target.get(self.organisation)
            made = actions.qualify(self.organisation, lead, _body(request), self.security.user, is_detecting)
            context = f"{self.root}$metadata#Collection(Microsoft.Dynamics.CRM.crmbaseentity)"
            return Reply.json(200, {"@odata.context": context, "value": made}, **VERSION)
        raise errors.no_resource(f"{CRM}{name}")

    def _shown(self, table: Table, row: Row, request: Request) -> dict[str, Any]:
        query = reading.parse(table, request.query)
        shown = reading.show(self.organisation, row, query, _wanted(request))
        return {"@odata.context": f"{self.root}$metadata#{table.set_name}/$entity", **shown}


def _check_version(request: Request, row: Row) -> None:
    match = request.header("If-Match")
    if match and match not in ("*", row.etag):
        raise errors.STALE


def _body(request: Request) -> Any:
    if not request.header("Content-Type").lower().startswith("application/json"):
        raise errors.Refusal(415, "0x80060888", "A body must be application/json.")
    try:
        return json.loads(request.body)
    except ValueError:
        raise errors.invalid("The body is no JSON.") from None


def _preferences(request: Request) -> str:
    return request.header("Prefer").lower().replace(" ", "")


def _wanted(request: Request) -> Wanted:
    asked = _preferences(request)
    size = PAGE_SIZE.search(asked)
    page = max(1, int(size[1])) if size else reading.LARGEST_PAGE
    return Wanted(page, "odata.track-changes" in asked, "include-annotations" in asked)


def _applied(request: Request) -> dict[str, str]:
    asked = request.header("Prefer")
    return {**VERSION, **({"Preference_Applied": asked} if asked else {})}
