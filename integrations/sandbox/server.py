"""The server of all stand-ins: HTTP/1.1 over TCP on loopback, a thread per connection.

    with server.start() as running:                     # a free port, in a thread of this process
        running.url                                     # http://127.0.0.1:40123
        running.world("dynamics", "acme").clock.advance(3600)

`python -m integrations.sandbox --port N` runs the same in a process of its own. The first two segments of a path choose
the world, `/dynamics/<key>/…`, which is made when it is first asked for; keys never see each other's data.
"""

import importlib
import json
import re
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from integrations.sandbox import control
from integrations.sandbox.faults import Effect, Faults
from integrations.sandbox.http import Reply, Request, World
from integrations.sandbox.journal import Entry, Journal

# The classes of the worlds, imported when the first one is asked for.
KINDS = {
    "linkedin": "integrations.sandbox.linkedin.LinkedIn",
    "dynamics": "integrations.sandbox.dynamics.Dataverse",
}
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
# One more world than a sandbox will ever need; a made-up key must not fill the memory.
MOST_WORLDS = 1_000
PIECES = 10
LARGEST_BODY = 100_000_000
LOOPBACK = ("127.0.0.1", "localhost")
# Seconds of changes that a killed process may lose.
KEPT_EVERY = 1.0


@dataclass
class Place:
    """A world and what surrounds it."""

    world: World
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    # Since it was last written down.
    has_changed: bool = False
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, request: Request) -> Reply:
        """The stand-in's answer; one request after the other."""
        with self._busy:
            self.world.in_flight += 1
        try:
            with self.world.lock:
                return self.world.handle(request)
        finally:
            with self._busy:
                self.world.in_flight -= 1
            self.has_changed |= request.method not in ("GET", "HEAD")


class Worlds:
    """All worlds of a server, made when they are first asked for; with a folder they are kept over a restart."""

    def __init__(self, url: str, kinds: dict[str, Any], folder: Path | None = None) -> None:
        self._url, self._kinds, self._folder = url, kinds, folder
        self._places: dict[tuple[str, str], Place] = {}
        self._lock = threading.Lock()

    def place(self, kind: str, key: str) -> Place | None:
        """The world of that key; None where there can be none."""
        if kind not in self._kinds or not KEY.fullmatch(key):
            return None
        with self._lock:
            place = self._places.get((kind, key))
            if place is None and len(self._places) < MOST_WORLDS:
                place = self._places[kind, key] = Place(self._made(kind, key))
            return place

    def _made(self, kind: str, key: str) -> World:
        maker: Any = self._kinds[kind]
        if isinstance(maker, str):
            module, _, name = maker.rpartition(".")
            maker = getattr(importlib.import_module(module), name)
        world: World = maker(key, f"{self._url}/{kind}/{key}")
        if (file := self._file(kind, key)) and file.exists():
            world.load(json.loads(file.read_text()))
        return world

    def keep(self) -> None:
        """Write down what has changed, if there is a folder for it."""
        with self._lock:
            changed = [(names, place) for names, place in self._places.items() if place.has_changed]
        for (kind, key), place in changed:
            file = self._file(kind, key)
            with place.world.lock:
                place.has_changed = False
                kept = place.world.dump() if file else None
            if file is None or kept is None:
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            half = file.with_suffix(".new")
            half.write_text(json.dumps(kept))
            half.replace(file)

    def _file(self, kind: str, key: str) -> Path | None:
        return self._folder / kind / f"{key}.json" if self._folder else None


class Server(ThreadingHTTPServer):
    """Listens on loopback; `worlds` are its stand-ins."""

    daemon_threads = True
    request_queue_size = 256
    # So that stopping does not wait for connections that clients keep open.
    block_on_close = False

    def __init__(self, port: int = 0, folder: Path | None = None, kinds: dict[str, Any] | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.worlds = Worlds(self.url, kinds or KINDS, folder)

    def server_bind(self) -> None:
        # The base class would look up the host's name, which takes seconds where there is no DNS.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of the server; everything else goes to its log."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection. Every method is the world's business."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Seconds after which an idle connection is let go.
    timeout = 120
    server: Server

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        # Not self.path, in which the base class tidies slashes.
        target = self.requestline.split(" ")[1]
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self._write(Reply.json(411, {"error": "a body needs a Content-Length"}))
        body = self.rfile.read(int(length))
        if self._is_foreign():
            return self._write(Reply.json(403, {"error": "asked by another site's page"}))
        path, _, query = target.partition("?")
        _, kind, key, rest = [*path.split("/", 3), "", "", ""][:4]
        request = Request(self.command, target, f"/{rest}", query, list(self.headers.items()), body)
        place = self.server.worlds.place(kind, key)
        if place is None:
            return self._write(Reply.json(404, {"error": "no stand-in of that name"}))
        if request.path.startswith(control.PREFIX):
            reply = control.answer(place.world, place.faults, place.journal, request)
            place.has_changed |= request.method == "POST"
            return self._write(reply)
        self._vendor(place, request)

    def _is_foreign(self) -> bool:
        """Whether a browser sends this for a page of somebody else: any site can send forms to this machine, and give
        a name of its own this machine's address."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if urlsplit(f"//{host}").hostname not in (None, *LOOPBACK):
            return True
        return origin is not None and self.command != "GET" and urlsplit(origin).netloc != host

    def _vendor(self, place: Place, request: Request) -> None:
        """Let the stand-in answer, unless a fault is in the way; the client's view of it goes into the journal."""
        effect = place.faults.strike(request)
        instead = effect.reply() if effect else None
        is_heard = effect is None or effect.is_applied or (instead is None and effect.name != "reset")
        reply = place.ask(request) if is_heard else Reply(0)
        reply = instead or reply
        is_cut = effect is not None and effect.name == "reset"
        fault = effect.name if effect else ""
        place.journal.add(Entry(request, 0 if is_cut else reply.status, fault, place.world.clock.now()))
        if effect is None or instead is not None:
            self._write(reply)
        else:
            self._spoil(reply, effect)

    def _head(self, reply: Reply) -> bytes:
        self.log_request(reply.status)
        reason = self.responses.get(reply.status, ("",))[0]
        lines = [f"{self.protocol_version} {reply.status} {reason}"]
        if not reply.header("Date"):
            lines.append(f"Date: {self.date_time_string()}")
        lines += [f"{name}: {value}" for name, value in reply.headers]
        if reply.status != 204:
            lines.append(f"Content-Length: {len(reply.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _write(self, reply: Reply) -> None:
        has_body = self.command != "HEAD" and reply.status != 204
        self.wfile.write(self._head(reply) + (reply.body if has_body else b""))

    def _spoil(self, reply: Reply, effect: Effect) -> None:
        """Answer, but not as the stand-in meant it."""
        kept = effect.value if isinstance(effect.value, int) else len(reply.body) // 2
        if effect.name == "reset":
            self._cut()
        elif effect.name == "truncate":
            self._write(Reply(reply.status, reply.body[:kept], reply.headers))
        elif effect.name == "cut":
            # By FIN, so that what was written arrives.
            self.close_connection = True
            self.wfile.write(self._head(reply) + reply.body[:kept])
        elif effect.name == "delay":
            time.sleep(effect.value)
            self._write(reply)
        elif effect.name == "slow":
            self.wfile.write(self._head(reply))
            size = max(1, -(-len(reply.body) // PIECES))
            for start in range(0, len(reply.body), size):
                time.sleep(effect.value / PIECES)
                self.wfile.write(reply.body[start : start + size])

    def _cut(self) -> None:
        """End the connection by RST: closed here, because the base class would shut it down first, which is a FIN."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def log_message(self, *args: Any) -> None:
        """Quiet: the journal has it all, and headers hold secrets."""


@dataclass
class Running:
    """A server in a thread of this process."""

    server: Server

    @property
    def url(self) -> str:
        return self.server.url

    def place(self, kind: str, key: str) -> Place:
        place = self.server.worlds.place(kind, key)
        if place is None:
            raise KeyError((kind, key))
        return place

    def world(self, kind: str, key: str) -> Any:
        return self.place(kind, key).world

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def start(port: int = 0, *, folder: Path | None = None, kinds: dict[str, Any] | None = None) -> Running:
    """Listen and answer in a thread until it is stopped; `kinds` in place of the product's own stand-ins."""
    server = Server(port, folder, kinds)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True, name="sandbox").start()
    return Running(server)


def serve(port: int, folder: Path | None = None) -> None:
    """Listen and answer until the process is told to end; says where, in one line, once it listens."""
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(0))
    with start(port, folder=folder) as running:
        print(running.url, flush=True)  # noqa: T201 (who started us with port 0 reads it)
        try:
            while True:
                time.sleep(KEPT_EVERY)
                running.server.worlds.keep()
        except KeyboardInterrupt:
            pass
        finally:
            running.server.worlds.keep()
