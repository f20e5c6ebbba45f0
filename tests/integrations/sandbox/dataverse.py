"""A plain client of the Dataverse stand-in, for its own tests: what is sent is seen, nothing is repeated or tidied."""

import json
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from integrations.sandbox.dynamics import Dataverse
from integrations.sandbox.dynamics.security import CLIENT_ID, CLIENT_SECRET, TENANT_ID
from integrations.sandbox.server import Running

API = "/api/data/v9.2/"


@dataclass
class Seen:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]

    @property
    def message(self) -> str:
        return self.json["error"]["message"]

    @property
    def id(self) -> str:
        """Of the record that was written."""
        return self.headers["odata-entityid"].rpartition("(")[2].rstrip(")")


@dataclass
class Client:
    """Signed in to one world."""

    running: Running
    key: str
    world: Dataverse = field(init=False)
    token: str = ""

    def __post_init__(self) -> None:
        self.world = self.running.world("dynamics", self.key)
        self.token = self.sign_in().json["access_token"]

    def raw(self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Seen:
        with closing(HTTPConnection("127.0.0.1", self.running.server.server_port, timeout=20)) as line:
            line.request(method, target, body, headers or {})
            answer = line.getresponse()
            read = answer.read()
            return Seen(answer.status, {name.lower(): value for name, value in answer.getheaders()}, read)

    def sign_in(self, tenant: str = TENANT_ID, **changed: str) -> Seen:
        form = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "grant_type": "client_credentials",
            "scope": f"{self.world.url}/.default",
            **changed,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.raw("POST", f"/dynamics/{self.key}/{tenant}/oauth2/v2.0/token", urlencode(form).encode(), headers)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Seen:
        """`path` behind the API's root, or a link as the server gave it; headers by keyword with `_` for the hyphen."""
        target = path.partition(f"//{urlsplit(self.world.url).netloc}")[2] if path.startswith("http") else ""
        sent = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if body is not None:
            sent["Content-Type"] = "application/json; charset=utf-8"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        target = target or f"/dynamics/{self.key}{API}{quote(path, safe='/()$=&?,')}"
        return self.raw(method, target, None if body is None else json.dumps(body).encode(), sent)

    def control(self, verb: str, asked: Any) -> Any:
        seen = self.raw("POST", f"/dynamics/{self.key}/_ctl/{verb}", json.dumps(asked).encode())
        assert seen.status == 200, seen.body
        return seen.json

    def lead(self, **values: Any) -> str:
        """Create a lead; its id."""
        seen = self.call("POST", "leads", {"subject": "Topic", "lastname": "Berg", **values})
        assert seen.status == 204, seen.body
        return seen.id

    def read(self, path: str) -> Any:
        seen = self.call("GET", path)
        assert seen.status == 200, seen.body
        return seen.json
