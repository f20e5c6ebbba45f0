"""The requests: `/o/<token>.gif` a pixel, `/c/<token>` a link, `/u/<token>` one-click unsubscribe (RFC 8058)."""

import asyncio
import base64
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from django.conf import settings

from messaging import tokens
from messaging.tracking.hits import Hit
from messaging.tracking.recorder import Recorder

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
ALWAYS: Headers = [
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex"),
    (b"x-content-type-options", b"nosniff"),
]
LONGEST_AGENT = 300
SAFE = {"GET", "HEAD"}
_recorders: dict[asyncio.AbstractEventLoop, Recorder] = {}


class Answer(NamedTuple):
    """An answer, and the hit to record before it is given."""

    status: int
    headers: Headers
    body: bytes = b""
    hit: Hit | None = None


NOT_FOUND = Answer(404, [(b"content-type", b"text/plain")], b"Not found")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI: one request, or the server's start and end."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    if scope["type"] != "http":
        return
    answer = respond(scope)
    if answer.hit is not None:
        await _recorder().record(answer.hit)
    body = b"" if scope["method"] == "HEAD" else answer.body
    headers = [*answer.headers, *ALWAYS, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def respond(scope: Scope) -> Answer:
    """The answer to a request; tokens that are not ours get 404."""
    _, kind, token = (*scope["path"].split("/", 2), "", "")[:3]
    route = {"o": _open, "c": _click, "u": _unsubscribe}.get(kind)
    if scope["path"] == "/healthz":
        return Answer(200, [(b"content-type", b"text/plain")], b"ok")
    if route is None or "/" in token:
        return NOT_FOUND
    try:
        return route(token, scope)
    except tokens.Forged:
        return NOT_FOUND


def _open(token: str, scope: Scope) -> Answer:
    if scope["method"] not in SAFE:
        return NOT_FOUND
    tenant_id, message_id = tokens.read_open(token.removesuffix(".gif"))
    return Answer(200, [(b"content-type", b"image/gif")], PIXEL, _hit(scope, "open", tenant_id, message_id))


def _click(token: str, scope: Scope) -> Answer:
    if scope["method"] not in SAFE:
        return NOT_FOUND
    click = tokens.read_click(token)
    location = target(click)
    if location is None:
        return NOT_FOUND
    hit = _hit(scope, "click", click.tenant_id, click.message_id, click.link_id)
    return Answer(302, [(b"location", location)], b"", hit)


def _unsubscribe(token: str, scope: Scope) -> Answer:
    """POST unsubscribes; GET, which scanners do, leads to the page that asks."""
    own = tokens.read_one_click(token)
    if scope["method"] in SAFE:
        page = f"{settings.PUBLIC_URL}/m/{tokens.pages_token(own)}/"
        return Answer(302, [(b"location", page.encode())])
    if scope["method"] != "POST":
        return NOT_FOUND
    hit = _hit(scope, "unsubscribe", own.tenant_id, own.message_id, own.purpose_id)
    return Answer(200, [(b"content-type", b"text/plain; charset=utf-8")], b"Unsubscribed", hit)


def target(click: tokens.Click) -> bytes | None:
    """Where a link leads, as a Location header; None unless it is a plain address of the web.

    Our own pages learn by a short-lived token who comes; nobody else learns anything.
    """
    url = click.url
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or "\\" in url:
        return None
    if click.contact_id and url.startswith(f"{settings.PUBLIC_URL}/p/"):
        own = f"o={tokens.visitor_token_of(click.tenant_id, click.contact_id)}"
        url = parts._replace(query=f"{parts.query}&{own}" if parts.query else own).geturl()
    return quote(url, safe="!#$%&'()*+,/:;=?@[]~").encode("ascii")


def _hit(scope: Scope, kind: str, tenant_id: int, message_id: int, link_id: int | None = None) -> Hit:
    headers = dict(scope["headers"])
    agent = headers.get(b"user-agent", b"").decode("latin-1").replace("\x00", "")[:LONGEST_AGENT]
    reasons = tuple(_signs(scope["method"], headers))
    return Hit(tenant_id, message_id, kind, link_id, datetime.now(UTC), _address(scope, headers), agent, reasons)


def _signs(method: str, headers: dict[bytes, bytes]) -> Iterable[str]:
    """What a request says of itself that no person's does."""
    if method == "HEAD":
        yield "head"
    purpose = headers.get(b"sec-purpose", b"") + headers.get(b"purpose", b"") + headers.get(b"x-moz", b"")
    if b"prefetch" in purpose or b"preview" in purpose:
        yield "prefetch"


def _address(scope: Scope, headers: dict[bytes, bytes]) -> str | None:
    """The visitor's address: the peer's, or what a proxy on a private address says last."""
    peer = _ip((scope.get("client") or ("",))[0])
    if peer is not None and (peer.is_private or peer.is_loopback):
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip()
        peer = _ip(forwarded) or peer
    return str(peer) if peer is not None else None


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _recorder() -> Recorder:
    """The recorder of this event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _recorders:
        _recorders[loop] = Recorder()
    return _recorders[loop]


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _recorder()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            recorder = _recorders.pop(asyncio.get_running_loop(), None)
            if recorder is not None:
                await recorder.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
