"""The pushes of the stand-in for LinkedIn: subscriptions, challenges, deliveries as good or bad as asked for."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from integrations.sandbox.linkedin.pushing import challenge_response, signature
from tests.integrations.sandbox.linkedin import OWNER, Client, leads


class Hook(ThreadingHTTPServer):
    """An address that answers the challenge, rightly or not, and keeps what is pushed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HookHandler)
        self.secret, self.pushes = "sandbox-secret", []
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/in"


class HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_GET(self) -> None:
        code = dict(parse_qsl(urlsplit(self.path).query))["challengeCode"]
        answer = {"challengeCode": code, "challengeResponse": challenge_response(self.server.secret, code)}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.pushes.append((body, self.headers.get("X-LI-Signature")))
        self.send_response(200 if self.headers.get("X-LI-Signature") == signature(self.server.secret, body) else 401)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook
        hook.shutdown()


def subscribe(ads: Client, url: str, owner: str = "urn:li:sponsoredAccount:1") -> tuple[int, Any, dict[str, str]]:
    body = json.dumps({"webhook": url, "owner": {"sponsoredAccount": owner}, "leadType": "SPONSORED"})
    return ads.send("POST", "/rest/leadNotifications", body, Content_Type="application/json")


def test_signatures_are_those_of_the_documents() -> None:
    """Known answers: the prefix is signed, and the challenge goes without it."""
    body = (
        b'{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:'
        b'249592fc-d272-44ba-a7db-c2bdce579507-6","leadAction":"CREATED"}'
    )
    secret, code = "li-test-client-secret", "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    assert signature(secret, body) == "5ebaaa5c4caf88098bff42f89d923b3dfa6dc0c2d067598f22b34b54bd903632"
    assert challenge_response(secret, code) == "aff0b40e12a48e43fa48ee62321c5fd04244cd1a3cf27c7694fcafd0731ba872"


def test_subscriptions_are_made_found_and_ended(ads: Client, hook: Hook) -> None:
    status, body, headers = subscribe(ads, hook.url)
    assert (status, body) == (201, "")
    id_ = headers["x-restli-id"]
    assert subscribe(ads, hook.url)[0] == 409
    assert subscribe(ads, "http://crm.example.com/in")[0] == 400
    assert subscribe(ads, hook.url, "urn:li:sponsoredAccount:99")[0] == 403
    criteria = OWNER.replace("owner=(", "owner=(value:(") + ")&leadType=(leadType:SPONSORED)"
    _, found = ads.get(f"/rest/leadNotifications?q=criteria&{criteria}")
    assert [row["webhook"] for row in found["elements"]] == [hook.url]
    assert ads.get(f"/rest/leadNotifications/{id_}")[1]["leadType"] == "SPONSORED"
    assert ads.send("DELETE", f"/rest/leadNotifications/{id_}")[0] == 204
    assert ads.get(f"/rest/leadNotifications/{id_}")[0] == 404


def test_pushes_come_signed_twice_shuffled_and_wrong_as_asked(ads: Client, hook: Hook) -> None:
    subscribe(ads, hook.url)
    ads.control("seed", {"leads": leads(3)})
    assert ads.control("deliver", {"times": 2, "shuffle": 3})["counts"] == {"200": 6}
    told = [json.loads(body) for body, _ in hook.pushes]
    order = [row["leadGenFormResponse"][-4:] for row in told]
    assert sorted(order) == ["l000", "l000", "l001", "l001", "l002", "l002"]
    assert order != ["l000", "l001", "l002"] * 2
    assert told[0]["leadGenForm"] == "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:9, 1)"
    assert ads.control("deliver", {})["statuses"] == []
    for sign in ("bad", "none", "old-secret", "changed-body"):
        assert ads.control("deliver", {"leads": ["l000"], "sign": sign})["statuses"] == [401]
    ads.control("deliver", {"leads": ["gone"], "action": "DELETED", "seconds": True})
    last = json.loads(hook.pushes[-1][0])
    assert (last["leadAction"], last["occurredAt"]) == ("DELETED", 1_772_366_400)


def test_an_address_that_fails_the_challenge_three_times_is_blocked(ads: Client, hook: Hook) -> None:
    subscribe(ads, hook.url)
    ads.control("seed", {"leads": leads(4)})
    hook.secret = "another"
    for number in range(3):
        ads.control("deliver", {"leads": [f"l00{number}"]})
    hook.secret = "sandbox-secret"
    assert ads.control("deliver", {"leads": ["l003"]})["blocked"] == [42]
    assert hook.pushes == []


def test_a_push_can_come_before_the_lead_is_readable(ads: Client, hook: Hook) -> None:
    ads.control("seed", {"leads": leads(1, readable_at="2026-03-01T12:00:30+00:00")})
    assert ads.control("deliver", {"to": hook.url})["statuses"] == [200]
    assert ads.get("/rest/leadFormResponses/l000")[0] == 404
    ads.control("clock", {"advance_s": 31})
    assert ads.get("/rest/leadFormResponses/l000")[0] == 200
