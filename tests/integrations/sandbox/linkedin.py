"""A client of the stand-in for LinkedIn, and what its tests put into it."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from integrations.sandbox.server import Running

NOW = "2026-03-01T12:00:00+00:00"
BACK = "http://127.0.0.1/back"
SCOPES = "r_marketing_leadgen_automation r_ads r_ads_reporting r_organization_admin"
OWNER = "owner=(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A1)"
RESPONSES = f"/rest/leadFormResponses?q=owner&{OWNER}&leadType=(leadType:SPONSORED)"
SEED: dict[str, Any] = {
    "accounts": [{"id": 1, "name": "Acme"}, {"id": 2, "name": "Seen only", "role": "VIEWER"}],
    "campaigns": [{"id": 5, "account": 1, "name": "Spring"}],
    "forms": [
        {"id": 9, "account": 1, "name": "Guide", "questions": ["EMAIL", {"name": "Team", "options": ["1", "2"]}]}
    ],
}


class Client:
    """A client of one world that does everything right, unless it is told not to."""

    def __init__(self, running: Running, key: str) -> None:
        self.base, self.world = f"/linkedin/{key}", running.world("linkedin", key)
        self.line = HTTPConnection("127.0.0.1", running.server.server_port, timeout=10)
        self.headers = {"LinkedIn-Version": "202602", "X-Restli-Protocol-Version": "2.0.0"}
        self.control("reset", {"seed": 1, "now": NOW})

    def send(
        self, method: str, target: str, body: str | None = None, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.line.request(method, self.base + target, body, {**self.headers, **named})
        answer = self.line.getresponse()
        text = answer.read()
        is_json = (answer.headers.get("Content-Type") or "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text.decode(), dict(answer.headers)

    def get(self, target: str, **headers: str) -> tuple[int, Any]:
        return self.send("GET", target, **headers)[:2]

    def post(self, target: str, fields: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        return self.send("POST", target, urlencode(fields), Content_Type="application/x-www-form-urlencoded")

    def control(self, verb: str, asked: Any) -> Any:
        status, answer, _ = self.send("POST", f"/_ctl/{verb}", json.dumps(asked))
        assert status == 200, answer
        return answer

    def code(self, **asked: str) -> dict[str, str]:
        """What the browser comes back with when the member agrees."""
        fields = {
            "response_type": "code", "client_id": "sandbox-app", "redirect_uri": BACK, "state": "s", "scope": SCOPES,
            "answer": "allow", **asked,
        }  # fmt: skip
        status, _, headers = self.post("/oauth/v2/authorization", fields)
        assert status == 302
        return dict(parse_qsl(urlsplit(headers["Location"]).query))

    def token(self, **fields: str) -> tuple[int, Any]:
        named = {"client_id": "sandbox-app", "client_secret": "sandbox-secret", "redirect_uri": BACK, **fields}
        return self.post("/oauth/v2/accessToken", named)[:2]

    def sign_in(self, **asked: str) -> Any:
        answer = self.token(grant_type="authorization_code", code=self.code(**asked)["code"])[1]
        self.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return answer


def leads(count: int, **rest: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"l{n:03}", "form": 9, "at": f"2026-02-{1 + n % 28:02}T10:00:00+00:00", "person": n, **rest}
        for n in range(count)
    ]
