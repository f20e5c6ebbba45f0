"""A receiver of webhooks: verifies what Standard Webhooks asks for, remembers every call, and answers by script.

with Receiver(secrets=["whsec_…"]) as receiver:
    receiver.script = [Say(500), Say(503, headers={"Retry-After": "3"})]     # then 200 for ever
    …
    receiver.calls[0].id, receiver.calls[0].json, receiver.first_arrivals()

A call that is not signed by one of the secrets, or whose timestamp is off by more than five minutes, gets 401; a body
that is no JSON object with type, timestamp and data gets 400. It verifies by its own few lines, not by the product's.
"""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLERANCE = 300


@dataclass
class Say:
    """One answer. `then`: "close" cuts the line instead, "reset" after the request was taken, "hang" never answers,
    "drip" sends a byte now and then, "garbage" is no HTTP."""

    status: int = 200
    body: bytes = b"thanks"
    headers: dict[str, str] = field(default_factory=dict)
    then: str = ""


@dataclass(frozen=True)
class Call:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class Receiver(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1, over TLS if it is given a certificate."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, secrets: list[str] | None = None, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.secrets = secrets
        self.script: list[Say] = []
        # Decides instead of the script, by the parsed body: for answers that depend on the call.
        self.decide: Callable[[dict[str, Any]], Say | None] = lambda body: None
        self.delay = 0.0
        self.calls: list[Call] = []
        self.connections = 0
        self.server_names: list[str | None] = []
        self.is_closing = threading.Event()
        self._lock = threading.Lock()
        self._tls = tls
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.server_names.append(name)

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()

    def finish_request(self, request: Any, client_address: Any) -> None:
        with suppress(ssl.SSLError, ConnectionError):
            if self._tls is not None:
                request = self._tls.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of the receiver."""

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Say:
        """Verify, remember, and say what the script says."""
        with self._lock:
            said = self._refusal(headers, body) or self.decide(_json(body)) or (
                self.script.pop(0) if self.script else Say()
            )  # fmt: skip
            self.calls.append(Call(path, headers, body, 0 if said.then else said.status))
        return said

    def _refusal(self, headers: dict[str, str], body: bytes) -> Say | None:
        if self.secrets is not None and not verify(self.secrets, headers, body):
            return Say(401, b"bad signature")
        found = _json(body)
        if set(found) != {"type", "timestamp", "data"} or headers.get("content-type") != "application/json":
            return Say(400, b"not a webhook")
        return None

    def taken(self) -> list[Call]:
        """The calls that were answered with success."""
        return [call for call in self.calls if 200 <= call.status < 300]

    def first_arrivals(self) -> list[Call]:
        """Each message once, in the order in which they first came: what a receiver sees that knows ids again."""
        return list({call.id: call for call in reversed(self.calls)}.values())[::-1]

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.is_closing.set()
        self.shutdown()
        self.server_close()


def verify(secrets: list[str], headers: dict[str, str], body: bytes, now: float | None = None) -> bool:
    """The check of the specification: `{id}.{timestamp}.{body}`, HMAC-SHA256, any of the signatures."""
    try:
        stamp = int(headers["webhook-timestamp"])
        given = headers["webhook-signature"].split(" ")
    except (KeyError, ValueError):
        return False
    if abs((now or time.time()) - stamp) > TOLERANCE:
        return False
    signed = f"{headers['webhook-id']}.{stamp}.".encode() + body
    for secret in secrets:
        digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
        wanted = "v1," + base64.b64encode(digest).decode()
        if any(hmac.compare_digest(wanted, one) for one in given):
            return True
    return False


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = int(headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            # The caller was killed within its call: nobody takes half a message for one.
            self.close_connection = True
            return
        said = self.server.answer(self.path, headers, body)
        time.sleep(self.server.delay)
        self.close_connection = True
        if said.then in ("close", "reset"):
            return
        if said.then == "hang":
            self.server.is_closing.wait(60)
            return
        if said.then == "garbage":
            self.wfile.write(b"\x00\x01 nothing that anybody understands\r\n\r\n")
            return
        self.send_response(said.status)
        for name, value in {"Content-Length": str(len(said.body)), "Connection": "close", **said.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(said.body), 1 if said.then == "drip" else 65_536):
            self.wfile.write(said.body[start : start + (1 if said.then == "drip" else 65_536)])
            if said.then == "drip" and self.server.is_closing.wait(0.2):
                return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""
