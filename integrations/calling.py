"""One HTTP call to an address that a tenant entered: pinned, without redirects, within a size and a time.

    answer = post(parse(url), body, headers)            # the first bytes of what came back
    answer = send("GET", parse(url), None, headers)     # all of it

The name is resolved once and checked (`addresses.reach`), and the connection goes to that very IP address; certificate,
SNI and Host header are the name's. No proxy, cookie or password of this machine goes along, nothing is decompressed,
and no transaction may be open: a stranger decides how long this takes, up to the deadline.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from django.db import connection
from requests.adapters import HTTPAdapter

from integrations import addresses
from integrations.addresses import Address, Refused

# Seconds for connecting, and for the whole call.
CONNECT, DEADLINE = 5.0, 20.0
# What is kept of an answer to a webhook, in bytes; no more than this is read.
KEPT = 2_048
# The largest answer of a partner's API, in bytes.
LARGEST = 64 * 1_048_576


class Unreachable(Exception):
    """No answer. `reason`: refused, name, connection, tls, time, answer; the text says it in English, for the page.

    `was_sent`: the request may have arrived; after a write nobody knows whether it was carried out.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.was_sent = reason in ("time", "answer")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in lower case, the first bytes of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body for a page and the database, which keeps no NUL."""
        return self.body.decode("utf-8", "replace").replace("\x00", "�")


@dataclass(frozen=True, slots=True)
class Net:
    """How names become addresses and which are open; another one is passed in where the world is another."""

    resolver: addresses.Resolver = addresses.resolve
    is_open: Callable[[str], bool] = addresses.is_public
    # A file with the certificates to trust instead of the usual ones.
    authorities: str = ""


def post(
    address: Address,
    body: bytes,
    headers: Mapping[str, str],
    *,
    deadline: float = DEADLINE,
    net: Net | None = None,
) -> Answer:
    """POST `body` and return the answer with the first bytes of what came back; see `send`."""
    return send("POST", address, body, headers, deadline=deadline, net=net, kept=KEPT)


def send(
    method: str,
    address: Address,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    deadline: float = DEADLINE,
    net: Net | None = None,
    kept: int | None = None,
    line: "Line | None" = None,
) -> Answer:
    """Make one call and return the answer, whatever its status; raises Unreachable.

    Takes `deadline` seconds at most. The body of the answer is cut off after `kept` bytes; without it the whole one is
    read, and one that ends too soon, or is larger than LARGEST, is no answer. Over a `line`, a connection that is open
    from a call before is used again: only for calls that may be made twice, since the other end may just hang up.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a call to a stranger within a transaction would hold everybody up")
    until, net = time.monotonic() + deadline, net or Net()
    with (line or Line()).to(address, net, until, is_kept=line is not None) as adapter:
        try:
            request = requests.Request(method, str(address), data=body)
            return _send(adapter, request, {**headers, "Host": address.authority}, net.authorities or True, kept)
        except requests.exceptions.SSLError:
            reason, text = "tls", "No secure connection: the certificate does not fit the name, or is not trusted."
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            reason, text = _reason(error)
        if time.monotonic() >= until:
            reason, text = "time", f"No complete answer within {deadline:g} seconds."
        raise Unreachable(reason, text)


def _send(
    adapter: "PinnedAdapter", request: requests.Request, headers: Mapping[str, str], verify: Any, kept: int | None
) -> Answer:
    """Send by the adapter itself: a session would follow redirects, keep cookies and ask the environment."""
    prepared = request.prepare()
    prepared.url = request.url  # as it was encoded; some partners tell the spellings apart
    prepared.headers.update({"Accept-Encoding": "identity", **headers})
    remaining = max(0.1, adapter.until - time.monotonic())
    with (
        adapter.hanging_up(),
        adapter.send(prepared, stream=True, verify=verify, timeout=(min(CONNECT, remaining), remaining)) as response,
    ):
        found = response.raw.read(kept or LARGEST + 1, decode_content=False)
        if adapter.has_hung_up:
            raise requests.exceptions.ReadTimeout  # what was cut off reads as if it had ended
        if kept is None and (len(found) > LARGEST or response.raw.length_remaining):
            raise urllib3.exceptions.ProtocolError("too large, or cut off")
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, found)


class Line:
    """A connection that stays open between calls to one origin, for so long that its address still holds."""

    # Seconds after which the name is resolved, and its address checked, anew.
    HOLDS = 30.0

    def __init__(self) -> None:
        self._adapter: PinnedAdapter | None = None
        self._origin, self._holds_until = "", 0.0
        self._is_used = threading.Lock()

    @contextmanager
    def to(self, address: Address, net: Net, until: float, *, is_kept: bool) -> Iterator["PinnedAdapter"]:
        """An adapter that is connected to the address, or will be; after an error its connection is closed.

        Whoever comes while another uses the line gets a connection of her own.
        """
        is_mine = self._is_used.acquire(blocking=False)
        try:
            adapter = self._take(address) if is_mine else None
            adapter = adapter or PinnedAdapter(address, _reach(address, net))
            adapter.until = until
            try:
                yield adapter
            except BaseException:
                adapter.close()
                raise
            if is_mine and is_kept and not adapter.has_hung_up:
                self._adapter = adapter
            else:
                adapter.close()
        finally:
            if is_mine:
                self._is_used.release()

    def _take(self, address: Address) -> "PinnedAdapter | None":
        """The adapter that is open, if it leads there; None otherwise."""
        adapter, self._adapter = self._adapter, None
        if adapter is not None and self._origin == address.origin and time.monotonic() < self._holds_until:
            return adapter
        if adapter is not None:
            adapter.close()
        self._origin, self._holds_until = address.origin, time.monotonic() + self.HOLDS
        return None

    def __del__(self) -> None:
        if self._adapter is not None:
            self._adapter.close()


def _reach(address: Address, net: Net) -> str:
    try:
        return addresses.reach(address, net.resolver, net.is_open)
    except Refused as error:
        raise Unreachable("refused", str(error)) from None
    except OSError:
        raise Unreachable("name", f"The name {address.host} was not found.") from None


def _reason(error: Exception) -> tuple[str, str]:
    """In a few words, without the library's own: they name objects of ours."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "time", f"No connection within {CONNECT:g} seconds."
    if isinstance(error, requests.exceptions.Timeout):
        return "time", "No answer in time."
    if isinstance(error, requests.exceptions.ChunkedEncodingError | urllib3.exceptions.ProtocolError):
        return "answer", "The connection was closed before the answer was complete."
    if isinstance(error, requests.exceptions.ConnectionError):
        is_cut = "Connection aborted" in str(error) or "Remote end closed" in str(error)
        return ("answer", "The connection was closed without an answer.") if is_cut else (
            "connection", "No connection: nobody listens there, or the network is down."
        )  # fmt: skip
    return "answer", "What came back is not an HTTP answer."


class PinnedAdapter(HTTPAdapter):
    """Connects to one IP address whatever the URL's name says, verifies the name's certificate there, and hangs up at
    a moment (`until`): time-outs of reads begin anew with every byte that drips in."""

    def __init__(self, address: Address, ip: str) -> None:
        self._address, self._ip = address, ip
        self.until = 0.0
        # The connection once more: shutting this down ends it, also where TLS has taken the first socket over.
        self._line: socket.socket | None = None
        self.has_hung_up = False
        super().__init__(max_retries=0)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> tuple[Any, Any]:
        """The pinned address as the host, the name as what TLS asks for and checks."""
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        return {**host, "host": self._ip}, {**tls, "server_hostname": self._address.host}

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> urllib3.HTTPConnectionPool:
        """The pool of this adapter's only connection, which can be hung up."""
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        if not hasattr(pool.ConnectionCls, "adapter"):
            pool.ConnectionCls = type("Connection", (_HungUp, pool.ConnectionCls), {"adapter": self})
        return pool

    def close(self) -> None:
        super().close()
        if self._line is not None:
            self._line.close()
            self._line = None

    def keep_line(self, line: socket.socket) -> None:
        """Note the socket of a new connection."""
        if self._line is not None:
            self._line.close()
        self._line = line.dup()

    @contextmanager
    def hanging_up(self) -> Iterator[None]:
        """In the block: whatever goes on at the deadline ends then, with an error where it happens."""
        timer = threading.Timer(max(0.0, self.until - time.monotonic()), self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _hang_up(self) -> None:
        self.has_hung_up = True
        with suppress(OSError, AttributeError):
            self._line.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


class _HungUp:
    """A connection whose socket its adapter knows; mixed into urllib3's classes of connections."""

    adapter: PinnedAdapter

    def _new_conn(self) -> socket.socket:
        line: socket.socket = super()._new_conn()  # type: ignore[misc]
        self.adapter.keep_line(line)
        return line
