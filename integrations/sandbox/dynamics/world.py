"""The stand-in for an environment of Dataverse with Dynamics 365 Sales, its Entra tenant, and its people.

    …/<tenant id>/oauth2/v2.0/token     Entra's token endpoint
    …/api/data/v9.2/…                   the Web API
    …/                                  the page on which a newcomer plays the sales side

Verbs of the control API besides those of all worlds: `act` (see selling.py), `admin` (what an admin of the
organisation may do to a connection, see `Dataverse.administer`), `rows` (what is in a table, as it is stored).
"""

import re
from datetime import datetime
from typing import Any
from uuid import uuid4

from integrations.sandbox.dynamics import batch, errors, page, people, selling
from integrations.sandbox.dynamics.organisation import Organisation
from integrations.sandbox.dynamics.rows import Rows
from integrations.sandbox.dynamics.security import ALL, Limits, Security
from integrations.sandbox.dynamics.tables import BY_SET, TABLES
from integrations.sandbox.dynamics.webapi import WebApi
from integrations.sandbox.http import Reply, Request, World

TOKEN = re.compile(r"(?:/[\w.-]+)*/(?P<tenant>[\w.-]+)/oauth2/v2\.0/token")
API = re.compile(r"/api/data/v9\.[0-2]/")


class Dataverse(World):
    """One environment. A new one has a sales organisation with records; `reset` leaves only its users."""

    def __init__(self, key: str, url: str) -> None:
        super().__init__(key, url)
        people.move_in(self.organisation)

    def reset(self, seed: int | None, now: datetime | None) -> None:
        self._build(Organisation(self.clock, Rows(seed)))
        people.hire(self.organisation)

    def _build(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.security = Security(self.clock, self.url, people.APPLICATION)
        self.limits = Limits(self.clock)
        self.api = WebApi(organisation, self.security, f"{self.url}/api/data/v9.2/")

    def handle(self, request: Request) -> Reply:
        if found := TOKEN.fullmatch(request.path):
            return self.security.token(found["tenant"], request)
        if API.match(request.path):
            return self._api(request)
        return page.answer(self.organisation, self.url, request)

    def _api(self, request: Request) -> Reply:
        refused = self.security.admit(request)
        if refused is not None:
            return refused
        throttled = self.limits.admit(self.in_flight)
        if throttled is not None:
            reply = throttled.reply()
        elif API.sub("", request.path) == "$batch" and request.method == "POST":
            try:
                reply = batch.answer(request, self.api.answer, self.organisation.rows.transaction, self.api.root)
            except errors.Refusal as refusal:
                reply = refusal.reply()
        else:
            reply = self.api.answer(request)
        own = {"REQ_ID": str(uuid4()), "x_ms_service_request_id": str(uuid4()), **self.limits.left}
        reply.headers += [(name.replace("_", "-") if name != "REQ_ID" else name, value) for name, value in own.items()]
        return reply

    def seed(self, data: dict[str, Any]) -> dict[str, list[str]]:
        """`{"leads": [{column: value, …}], "systemusers": […]}`: records as Sales has made them; returns their ids.

        `{"organisation": true}` adds the records that a new world has.
        """
        if data.pop("organisation", False):
            people.move_in(self.organisation)
        return {
            name: [selling.add(self.organisation, BY_SET[name], values).id for values in rows]
            for name, rows in data.items()
        }

    def administer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What an admin does at the vendor's side; each key is optional.

        withdraw, grant: lists of privileges ("prvReadLead"; grant ["*"] for all). narrow: those of a business unit
        alone. secret, secret_expired. revoke: true ends all tokens. application_user: whether there is one. untracked,
        keyless: lists of tables. limits: requests, window, concurrent.
        """
        security, organisation = self.security, self.organisation
        unknown = [name for name in asked.get("withdraw", []) if name not in ALL]
        if unknown:
            raise ValueError(f"no privileges: {', '.join(unknown)}")
        security.withdrawn |= set(asked.get("withdraw", []))
        security.withdrawn -= ALL if asked.get("grant") == ["*"] else set(asked.get("grant", []))
        security.narrow = set(asked.get("narrow", security.narrow))
        security.secret = asked.get("secret", security.secret)
        security.is_secret_expired = asked.get("secret_expired", security.is_secret_expired)
        security.has_application_user = asked.get("application_user", security.has_application_user)
        if asked.get("revoke"):
            security.tokens.clear()
        organisation.untracked = set(asked.get("untracked", organisation.untracked))
        organisation.keyless = set(asked.get("keyless", organisation.keyless))
        for name in ("requests", "window", "concurrent"):
            if name in asked.get("limits", {}):
                setattr(self.limits, name, asked["limits"][name])
        return {"withdrawn": sorted(security.withdrawn)}

    def dump(self) -> Any:
        return {"rows": self.organisation.rows.dump(), "security": {"withdrawn": sorted(self.security.withdrawn)}}

    def load(self, kept: Any) -> None:
        self._build(Organisation(self.clock, Rows.load(kept["rows"])))
        self.security.withdrawn = set(kept["security"]["withdrawn"])

    def _rows(self, asked: dict[str, Any]) -> dict[str, Any]:
        table = BY_SET.get(asked["table"]) or TABLES[asked["table"]]
        return {"rows": [row.values for row in self.organisation.rows.all(table.name)]}

    def _act(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            return selling.act(self.organisation, asked)
        except errors.Refusal as refusal:
            raise ValueError(refusal.message) from refusal

    verbs = {"act": _act, "admin": administer, "rows": _rows}
