"""Calls to a real server on this machine; the world's names are given by the tests' own resolver."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from integrations import addresses
from integrations.addresses import Address
from integrations.calling import KEPT, Answer, Line, Net, Unreachable, post, send
from tests.standins import certificates
from tests.standins.certificates import Certificate
from tests.standins.receiver import Receiver, Say

HERE = "127.0.0.1"
HOST = "hooks.example.com"
BODY = json.dumps({"type": "a.b", "timestamp": "2026-03-01T12:00:00Z", "data": {}}).encode()
JSON = {"Content-Type": "application/json"}


class Names:
    """A resolver whose answers change from one question to the next; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.make(tmp_path_factory.mktemp("certificates"), HOST)


@pytest.fixture
def secure(certificate: Certificate) -> Iterator[Receiver]:
    with Receiver(tls=certificate.server_context()) as receiver:
        yield receiver


@pytest.fixture
def plain(settings: object) -> Iterator[Receiver]:
    with Receiver() as receiver:
        settings.SANDBOX_ORIGINS = [receiver.url]  # type: ignore[attr-defined]
        yield receiver


def net(certificate: Certificate, *answers: list[str]) -> Net:
    """A world in which this machine is a public address."""
    return Net(Names(*(answers or ([HERE],))), lambda ip: ip == HERE or addresses.is_public(ip), str(certificate.file))


def at(receiver: Receiver, host: str = HOST) -> Address:
    return Address("https", host, receiver.port, "/in?a=b")


def call(receiver: Receiver, **how: float) -> Answer:
    return post(addresses.parse(receiver.url + "/in"), BODY, JSON, **how)  # type: ignore[arg-type]


def reason(receiver: Receiver, **how: float) -> str:
    with pytest.raises(Unreachable) as failure:
        call(receiver, **how)
    return failure.value.reason


def test_the_name_stays_in_certificate_sni_and_host_while_the_connection_goes_to_the_pinned_address(
    secure: Receiver, certificate: Certificate
) -> None:
    answer = post(at(secure), BODY, JSON, net=net(certificate))
    assert (answer.status, answer.text) == (200, "thanks")
    assert secure.server_names == [HOST]
    assert secure.calls[0].headers["host"] == f"{HOST}:{secure.port}"
    assert (secure.calls[0].path, secure.calls[0].body) == ("/in?a=b", BODY)


def test_a_certificate_of_another_name_is_not_accepted(secure: Receiver, certificate: Certificate) -> None:
    with pytest.raises(Unreachable) as failure:
        post(at(secure, "other.example.com"), BODY, JSON, net=net(certificate))
    assert failure.value.reason == "tls"
    assert secure.calls == []


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(secure: Receiver, certificate: Certificate) -> None:
    with pytest.raises(Unreachable) as failure:
        post(at(secure), BODY, JSON, net=Net(Names([HERE]), lambda ip: True))
    assert failure.value.reason == "tls"


def test_a_name_that_turns_to_the_inside_between_two_questions_gets_no_second_one(
    secure: Receiver, certificate: Certificate
) -> None:
    world = net(certificate, [HERE], ["169.254.169.254"])
    assert post(at(secure), BODY, JSON, net=world).status == 200
    assert world.resolver.asked == [HOST]  # type: ignore[attr-defined]
    with pytest.raises(Unreachable) as failure:
        post(at(secure), BODY, JSON, net=world)
    assert failure.value.reason == "refused"
    assert len(secure.calls) == 1


def test_a_name_that_leads_to_this_machine_is_not_called(secure: Receiver, certificate: Certificate) -> None:
    with pytest.raises(Unreachable) as failure:
        post(at(secure), BODY, JSON, net=Net(Names([HERE]), authorities=str(certificate.file)))
    assert failure.value.reason == "refused"
    assert secure.connections == 0


def test_a_name_that_nobody_knows_is_said_to_be_unknown() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    with pytest.raises(Unreachable) as failure:
        post(Address("https", HOST, 443, "/"), BODY, JSON, net=Net(unknown))
    assert failure.value.reason == "name"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(plain: Receiver, status: int) -> None:
    plain.script = [Say(status, headers={"Location": f"{plain.url}/elsewhere"})]
    answer = call(plain)
    assert answer.status == status
    assert [one.path for one in plain.calls] == ["/in"]


def test_of_a_huge_answer_only_the_beginning_is_read(plain: Receiver) -> None:
    plain.script = [Say(200, b"x" * 10_000_000)]
    assert call(plain).body == b"x" * KEPT


def test_a_compressed_answer_is_not_unpacked(plain: Receiver) -> None:
    plain.script = [Say(200, b"\x1f\x8b\x08 not really", {"Content-Encoding": "gzip"})]
    assert call(plain).body.startswith(b"\x1f\x8b")
    assert plain.calls[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("then", ["hang", "drip"])
def test_the_deadline_holds_for_the_whole_call_however_slowly_bytes_drip_in(plain: Receiver, then: str) -> None:
    plain.script = [Say(200, b"x" * KEPT, then=then)]
    assert reason(plain, deadline=0.7) == "time"


def test_headers_that_drip_in_meet_the_deadline_too(settings: object) -> None:
    with socket.create_server((HERE, 0)) as server:
        over = threading.Event()

        def drip() -> None:
            line, _address = server.accept()
            line.recv(65_536)
            line.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.1):
                try:
                    line.sendall(b"X-Slow: 1\r\n")
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        url = f"http://{HERE}:{server.getsockname()[1]}"
        settings.SANDBOX_ORIGINS = [url]  # type: ignore[attr-defined]
        with pytest.raises(Unreachable) as failure:
            post(addresses.parse(url), BODY, JSON, deadline=0.7)
        over.set()
        thread.join(5)
    assert failure.value.reason == "time"


def test_a_secure_line_is_hung_up_at_the_deadline(secure: Receiver, certificate: Certificate) -> None:
    secure.script = [Say(200, b"x" * KEPT, then="drip")]
    with pytest.raises(Unreachable) as failure:
        post(at(secure), BODY, JSON, deadline=1, net=net(certificate))
    assert failure.value.reason == "time"


@pytest.mark.parametrize(("then", "said"), [("close", "answer"), ("reset", "answer"), ("garbage", "answer")])
def test_a_line_that_is_cut_and_an_answer_that_is_none_are_told_apart_from_success(
    plain: Receiver, then: str, said: str
) -> None:
    plain.script = [Say(then=then)]
    assert reason(plain) == said


def test_where_nobody_listens_there_is_no_connection(settings: object) -> None:
    with socket.create_server((HERE, 0)) as server:
        url = f"http://{HERE}:{server.getsockname()[1]}"
    settings.SANDBOX_ORIGINS = [url]  # type: ignore[attr-defined]
    with pytest.raises(Unreachable) as failure:
        post(addresses.parse(url), BODY, JSON)
    assert failure.value.reason == "connection"


def test_no_proxy_or_password_of_this_machine_goes_along(
    plain: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HERE} login me password my-secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert call(plain).status == 200
    assert "authorization" not in plain.calls[0].headers


@pytest.mark.django_db
def test_no_call_is_made_within_a_transaction(plain: Receiver) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        call(plain)
    assert plain.connections == 0


def test_the_answer_is_text_that_the_database_takes() -> None:
    assert Answer(200, {}, b"a\x00b\xff").text == "a�b�"


def test_several_calls_at_once_do_not_hang_each_other_up(plain: Receiver) -> None:
    plain.delay = 0.2
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(call(plain, deadline=5).status)) for _ in range(8)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [200] * 8
    assert began < time.monotonic()


def test_a_name_is_asked_for_again_once_the_line_no_longer_holds(
    secure: Receiver, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, line = net(certificate, [HERE], ["10.0.0.1"]), Line()
    for _ in range(2):
        assert send("POST", at(secure), BODY, JSON, net=world, line=line).status == 200
    assert world.resolver.asked == [HOST], "the second call went to the address that was checked"  # type: ignore[attr-defined]
    monkeypatch.setattr(Line, "HOLDS", 0.0)
    world, line = net(certificate, [HERE], ["10.0.0.1"]), Line()
    assert send("POST", at(secure), BODY, JSON, net=world, line=line).status == 200
    with pytest.raises(Unreachable) as refused:
        send("POST", at(secure), BODY, JSON, net=world, line=line)
    assert refused.value.reason == "refused"
