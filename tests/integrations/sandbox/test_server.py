"""The server of the stand-ins, by the wire: what it keeps of a request, and what it can make go wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import Any

import pytest

from integrations.sandbox import server
from integrations.sandbox.http import Reply, Request, World
from integrations.sandbox.server import Running

BASE = Path(__file__).resolve().parents[3]


class Notebook(World):
    """A stand-in with lines: POST adds its body, GET gives all."""

    verbs = {"shout": lambda world, asked: {"said": asked["word"].upper()}}

    def reset(self, seed: int | None, now: datetime | None) -> None:
        self.lines: list[str] = []

    def seed(self, data: dict[str, Any]) -> dict[str, int]:
        self.lines += data["lines"]
        return {"lines": len(self.lines)}

    def handle(self, request: Request) -> Reply:
        if request.method == "POST":
            self.lines.append(request.body.decode())
            return Reply(204, headers=[("X-Line", str(len(self.lines)))])
        return Reply.json(200, {"lines": self.lines, "path": request.path, "at": self.clock.now().isoformat()})


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with server.start(kinds={"notebook": Notebook}) as running:
        yield running


@pytest.fixture
def line(running: Running) -> Iterator[HTTPConnection]:
    control(running, "reset", {})
    with closing(HTTPConnection("127.0.0.1", running.server.server_port, timeout=10)) as line:
        yield line


def control(running: Running, verb: str, asked: Any, key: str = "one") -> tuple[int, Any]:
    with closing(HTTPConnection("127.0.0.1", running.server.server_port, timeout=10)) as line:
        line.request("POST", f"/notebook/{key}/_ctl/{verb}", json.dumps(asked))
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())


def ask(line: HTTPConnection, method: str = "GET", path: str = "/notebook/one/lines", body: Any = None) -> HTTPResponse:
    line.request(method, path, body)
    return line.getresponse()


def journal(line: HTTPConnection) -> list[dict[str, Any]]:
    return json.loads(ask(line, path="/notebook/one/_ctl/journal").read())["requests"]


def test_the_target_is_kept_as_it_was_sent_and_the_headers_in_their_order(line):
    line.putrequest("GET", "/notebook/one//a%28b%29/List(x)?q=%3A:&r", skip_accept_encoding=True)
    line.putheader("x-b", "1")
    line.putheader("X-A", "2")
    line.endheaders()
    assert json.loads(line.getresponse().read())["path"] == "//a%28b%29/List(x)"
    (entry,) = journal(line)
    assert entry["target"] == "/notebook/one//a%28b%29/List(x)?q=%3A:&r"
    assert [name for name, _ in entry["headers"]] == ["Host", "x-b", "X-A"]
    assert entry["status"] == 200


def test_a_connection_serves_several_requests_and_an_answer_without_content_has_no_length(line):
    first = ask(line, "POST", body="one")
    assert (first.status, first.getheader("X-Line"), first.getheader("Content-Length")) == (204, "1", None)
    first.read()
    local = line.sock.getsockname()
    assert json.loads(ask(line).read())["lines"] == ["one"]
    assert line.sock.getsockname() == local


def test_worlds_do_not_see_each_other(running, line):
    ask(line, "POST", body="secret").read()
    assert json.loads(ask(line, path="/notebook/two/").read())["lines"] == []
    assert ask(line, path="/unknown/one/").status == 404


def test_a_key_is_a_word(line):
    assert ask(line, path="/notebook/..%2f..%2fetc/").status == 404


def test_the_control_api_seeds_moves_the_clock_and_calls_what_the_world_offers(running, line):
    assert control(running, "reset", {"now": "2026-03-01T12:00:00Z"}) == (200, {})
    assert control(running, "seed", {"lines": ["a", "b"]}) == (200, {"lines": 2})
    assert control(running, "clock", {"advance_s": 90})[1] == {"now": "2026-03-01T12:01:30+00:00"}
    assert json.loads(ask(line).read()) == {
        "lines": ["a", "b"], "path": "/lines", "at": "2026-03-01T12:01:30+00:00",
    }  # fmt: skip
    assert control(running, "shout", {"word": "go"}) == (200, {"said": "GO"})
    assert control(running, "whisper", {})[0] == 404
    assert control(running, "faults", [{"do": {"explode": 1}}])[0] == 400


def test_a_fault_strikes_from_the_nth_match_on_as_often_as_it_should(running, line):
    answered = {"status": 429, "headers": {"Retry-After": "3"}, "json": {"error": {}}}
    control(running, "faults", [{"match": {"method": "GET", "path": "/li*"}, "nth": 2, "times": 2, "do": answered}])
    seen = []
    for path in ("/lines", "/other", "/lines", "/lines", "/lines"):
        answer = ask(line, path=f"/notebook/one{path}")
        seen.append((answer.status, answer.getheader("Retry-After")))
        answer.read()
    assert seen == [(200, None), (200, None), (429, "3"), (429, "3"), (200, None)]
    assert [entry["fault"] for entry in journal(line)] == ["", "", "status", "status", ""]


def test_a_fault_can_look_into_the_body(running, line):
    control(running, "faults", {"match": {"contains": "poison"}, "do": {"html": 503}})
    assert ask(line, "POST", body="milk").read() == b""
    answer = ask(line, "POST", body="some poison")
    assert (answer.status, b"<h1>503" in answer.read()) == (503, True)
    assert json.loads(ask(line).read())["lines"] == ["milk"]


@pytest.mark.parametrize(("do", "kept"), [("reset", []), ({"apply_then": "reset"}, ["x"])])
def test_a_line_is_cut_before_or_after_the_work_was_done(running, line, do, kept):
    control(running, "faults", {"do": do})
    with pytest.raises(ConnectionResetError) as cut:
        ask(line, "POST", body="x")
    assert type(cut.value) is ConnectionResetError, "by RST, not by an end that looks regular"
    line.close()
    assert json.loads(ask(line).read())["lines"] == kept
    assert [entry["status"] for entry in journal(line)] == [0, 200]


def test_an_answer_is_lost_behind_another_after_the_work_was_done(running, line):
    control(running, "faults", {"do": {"apply_then": {"status": 504}}})
    assert ask(line, "POST", body="x").status == 504
    line.close()
    assert json.loads(ask(line).read())["lines"] == ["x"]


def test_an_answer_ends_early_as_if_it_were_whole_or_without_its_rest(running, line):
    control(running, "faults", {"times": None, "do": {"truncate": 9}})
    assert ask(line).read() == b'{"lines":'
    control(running, "faults", {"do": "cut"})
    with pytest.raises(IncompleteRead):
        ask(line).read()


def test_an_answer_comes_in_pieces_or_late(running, line):
    for do in ({"slow": 0.05}, {"delay": 0.02}):
        control(running, "faults", {"do": do})
        assert json.loads(ask(line).read())["lines"] == []


def test_requests_of_many_connections_are_answered_one_after_the_other(running, line):
    lines = [HTTPConnection("127.0.0.1", running.server.server_port, timeout=10) for _ in range(20)]
    for number, each in enumerate(lines):
        each.request("POST", "/notebook/one/", str(number))
    assert {each.getresponse().getheader("X-Line") for each in lines} == {str(n) for n in range(1, 21)}
    for each in lines:
        each.close()
    assert running.world("notebook", "one").in_flight == 0


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}])
def test_pages_of_other_sites_can_do_nothing_here(running, line, headers):
    line.request("POST", "/notebook/one/_ctl/reset", "{}", headers)
    assert line.getresponse().read() == b'{"error": "asked by another site\'s page"}'
    line.request("POST", "/notebook/one/lines", "x", {"Origin": running.url})
    assert line.getresponse().status == 204


def test_what_is_no_http_is_refused(running):
    with socket.create_connection(("127.0.0.1", running.server.server_port), 10) as line:
        line.sendall(b"hello\r\n\r\n")
        assert b"400" in line.recv(1000)


def test_a_process_of_its_own_says_where_it_is_and_ends_when_asked(tmp_path):
    command = [sys.executable, "-m", "integrations.sandbox", "--folder", str(tmp_path)]
    with subprocess.Popen(command, cwd=BASE, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline().strip().rpartition(":")[2])
            with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as line:
                assert ask(line, path="/nothing/").status == 404
        finally:
            os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_world_with_something_to_keep_finds_it_again(tmp_path):
    class Diary(Notebook):
        def dump(self) -> Any:
            return self.lines

        def load(self, kept: Any) -> None:
            self.lines = kept

    for expected in ([], ["dear diary"]):
        with server.start(kinds={"notebook": Diary}, folder=tmp_path) as running:
            with closing(HTTPConnection("127.0.0.1", running.server.server_port, timeout=10)) as line:
                assert json.loads(ask(line).read())["lines"] == expected
                ask(line, "POST", body="dear diary").read()
            running.server.worlds.keep()
