"""The client of partners' APIs, against a server that answers by script."""

import itertools
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from integrations.client import (
    Client,
    NeedsAuthorisation,
    Rejected,
    Throttled,
    Unavailable,
    Uncertain,
)

OK = (200, {}, b'{"ok":true}')


class Partner(ThreadingHTTPServer):
    """Answers with what `script` says, then OK for ever; None cuts the line."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[tuple[int, dict[str, str], bytes] | None] = []
        self.calls: list[tuple[str, str, str, bytes]] = []
        # The number of the connection by which each call came.
        self.lines: list[int] = []
        self.numbers = itertools.count()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Partner
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.number = next(self.server.numbers)

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.calls.append((self.command, self.path, self.headers.get("Authorization", ""), body))
        self.server.lines.append(self.number)
        said = self.server.script.pop(0) if self.server.script else OK
        if said is None:
            self.close_connection = True
            return
        self.send_response(said[0])
        for name, value in {"Content-Length": str(len(said[2])), **said[1]}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said[2])

    do_GET = do_POST = do_PATCH = answer  # noqa: N815 (the library's names)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


@dataclass
class Keys:
    """An authoriser of a list of tokens."""

    tokens: list[str] = field(default_factory=lambda: ["first", "second"])
    renewed: list[str] = field(default_factory=list)

    def token(self) -> str:
        return self.tokens[0]

    def renew(self, used: str) -> str:
        self.renewed.append(used)
        return self.tokens[len(self.renewed)]


@pytest.fixture
def partner(settings: Any) -> Iterator[Partner]:
    server = Partner()
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    settings.SANDBOX_ORIGINS = [server.url]
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(partner: Partner, waits: list[float]) -> Client:
    return Client("partner", partner.url + "/api", pause=waits.append)


def authorised(partner: Partner, waits: list[float]) -> tuple[Client, Keys]:
    keys = Keys()
    return Client("partner", partner.url, keys, pause=waits.append), keys


def test_a_success_is_returned_with_what_was_sent_as_it_was_encoded(client: Client, partner: Partner) -> None:
    answer = client.call("GET", "/forms", query="owner=(account:urn%3Ali%3A1)&q=owner")
    assert answer.json == {"ok": True}
    client.call("POST", "/forms", data={"name": "Grüße"})
    assert partner.calls == [
        ("GET", "/api/forms?owner=(account:urn%3Ali%3A1)&q=owner", "", b""),
        ("POST", "/api/forms", "", '{"name":"Grüße"}'.encode()),
    ]


@pytest.mark.parametrize(
    "trouble",
    [
        (500, {}, b"oops"),
        (502, {}, b"<html>bad gateway</html>"),
        (503, {}, b""),
        (429, {}, b""),
        (200, {}, b"<html>maintenance</html>"),
        (200, {}, b'{"ok": tr'),
        (200, {"Content-Length": "400"}, b'{"ok":true}'),
        None,
    ],
    ids=["500", "502", "503", "429", "a page", "no json", "cut off", "reset"],
)
def test_what_may_pass_is_tried_again(client: Client, partner: Partner, trouble: Any, waits: list[float]) -> None:
    partner.script = [trouble, trouble]
    assert client.call("GET", "/forms").json == {"ok": True}
    assert len(partner.calls) == 3
    assert len(waits) == 2


def test_what_does_not_pass_is_left_for_the_next_run(client: Client, partner: Partner) -> None:
    partner.script = [(503, {}, b"")] * 9
    with pytest.raises(Unavailable):
        client.call("GET", "/forms")
    assert len(partner.calls) == 5


def test_the_partner_says_how_long_to_wait(client: Client, partner: Partner, waits: list[float]) -> None:
    partner.script = [(429, {"Retry-After": "9"}, b""), (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"")]
    client.call("GET", "/forms")
    assert waits[0] == 9
    assert waits[1] < 9


def test_nobody_waits_for_an_hour_with_a_worker_in_hand(client: Client, partner: Partner, waits: list[float]) -> None:
    partner.script = [(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(Throttled) as failure:
        client.call("GET", "/forms")
    assert failure.value.wait == 3600
    assert waits == []


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 422, 426])
def test_a_refusal_is_final_and_in_the_partners_words(client: Client, partner: Partner, status: int) -> None:
    body = {"error": {"code": "0x80040217", "message": "No such record " + "x" * 60}}
    partner.script = [(status, {}, json.dumps(body).encode())]
    with pytest.raises(Rejected) as failure:
        client.call("PATCH", "/leads(1)", data={})
    assert len(partner.calls) == 1
    assert (failure.value.status, failure.value.code) == (status, "0x80040217")
    assert failure.value.text == f"{status}: No such record …"


def test_a_redirect_is_a_refusal_and_takes_no_token_along(partner: Partner, waits: list[float]) -> None:
    client, _keys = authorised(partner, waits)
    partner.script = [(302, {"Location": partner.url + "/elsewhere"}, b"")]
    with pytest.raises(Rejected):
        client.call("GET", "/me")
    assert [call[1] for call in partner.calls] == ["/me"]


def test_calls_that_may_be_made_twice_share_a_connection_and_a_write_has_its_own(
    client: Client, partner: Partner
) -> None:
    for method in ("GET", "GET", "POST", "GET"):
        client.call(method, "/x")
    first, second, write, last = partner.lines
    assert first == second == last != write


def test_a_connection_that_the_partner_has_closed_is_opened_anew(
    client: Client, partner: Partner, waits: list[float]
) -> None:
    partner.script = [(200, {"Connection": "close"}, b"{}"), OK, None, OK]
    for _ in range(3):
        assert client.call("GET", "/x").status == 200
    assert len(set(partner.lines)) == 3, "after the close, and after the cut"
    assert len(partner.calls) == 4


@pytest.mark.parametrize("trouble", [(500, {}, b""), (504, {}, b""), None, (201, {}, b"<html>")])
def test_a_write_of_which_nobody_knows_the_outcome_is_not_repeated(
    client: Client, partner: Partner, trouble: Any
) -> None:
    partner.script = [trouble]
    with pytest.raises(Uncertain):
        client.call("POST", "/leads", data={})
    assert len(partner.calls) == 1
    partner.script = [trouble]
    assert client.call("POST", "/leads", data={}, is_safe=True).status == 200


def test_a_write_that_was_turned_away_is_repeated(client: Client, partner: Partner) -> None:
    partner.script = [(429, {}, b""), (503, {}, b"")]
    assert client.call("POST", "/leads", data={}).status == 200


def test_a_token_that_has_run_out_is_renewed_once(partner: Partner, waits: list[float]) -> None:
    client, keys = authorised(partner, waits)
    partner.script = [(401, {}, b"")]
    client.call("GET", "/me")
    assert keys.renewed == ["first"]
    assert [call[2] for call in partner.calls] == ["Bearer first", "Bearer second"]


def test_a_new_token_may_be_refused_for_some_seconds(partner: Partner, waits: list[float]) -> None:
    client, keys = authorised(partner, waits)
    partner.script = [(401, {}, b""), (401, {}, b""), (401, {}, b"")]
    assert client.call("GET", "/me").status == 200
    assert (keys.renewed, len(waits)) == (["first"], 2)


def test_a_partner_that_does_not_want_us_any_more_is_told_from_one_that_fails(
    partner: Partner, waits: list[float]
) -> None:
    client, _keys = authorised(partner, waits)
    partner.script = [(401, {}, b'{"message":"revoked"}')] * 9
    with pytest.raises(NeedsAuthorisation, match="revoked"):
        client.call("GET", "/me")


def test_a_next_page_at_somebody_elses_address_is_not_fetched(client: Client, partner: Partner) -> None:
    for address in ("https://evil.example.com/next", "http://127.0.0.1:1/next", "http://169.254.169.254/latest"):
        with pytest.raises(Rejected):
            client.call("GET", address)
    assert partner.calls == []
    assert client.call("GET", partner.url + "/api/next").status == 200


def test_neither_token_nor_query_is_logged(
    partner: Partner, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    client, keys = authorised(partner, waits)
    keys.tokens[0] = "AQX-very-secret"
    partner.script = [(403, {"x-li-uuid": "trace-7"}, b'{"message":"no: %s"}' % (b"k" * 50))]
    with caplog.at_level(logging.DEBUG), pytest.raises(Rejected) as failure:
        client.call("GET", "/me", query="token=hidden-one")
    text = caplog.text + repr(failure.value) + str(failure.value.__dict__)
    assert "trace-7" in caplog.text
    assert not [secret for secret in ("AQX", "hidden-one", "kkkk") if secret in text]
