"""`$batch`: multipart/mixed in and out, with change sets that are one transaction, and references between their parts.

Line ends must be CRLF and each inner request needs the empty line behind its headers, as Dataverse demands.
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from integrations.sandbox.dynamics import errors
from integrations.sandbox.http import Headers, Reply, Request

MOST_PARTS = 1_000
BOUNDARY = re.compile(r'multipart/mixed\s*;\s*boundary="?(?P<boundary>[^";]+)"?', re.IGNORECASE)
START = re.compile(rb"(?P<method>GET|POST|PATCH|PUT|DELETE) (?P<target>\S+) HTTP/1\.1")
REFERRING_PATH = re.compile(r"^(/api/data/v9\.\d/)\$(?P<id>\d+)")
REFERRING_BODY = re.compile(r'("\w+@odata\.bind"\s*:\s*")/?\$(?P<id>\d+)(?=")')
OWN = "batchresponse_4f1c", "changesetresponse_9a2e"

Answer = Callable[[Request], Reply]


@dataclass
class Part:
    """An inner request and its Content-ID."""

    id: str
    request: Request


class _Failed(Exception):
    """A part of a change set was refused: none of it may stay."""

    def __init__(self, part: Part, reply: Reply) -> None:
        super().__init__()
        self.part, self.reply = part, reply


def answer(request: Request, ask: Answer, transaction: Callable[[], AbstractContextManager[None]], root: str) -> Reply:
    """Run the parts one after the other; without `odata.continue-on-error` the first refusal ends it."""
    entries = _entries(request, root)
    count = sum(len(entry) if isinstance(entry, list) else 1 for entry in entries)
    if count > MOST_PARTS:
        raise errors.invalid(f"The number of operations in the batch, {count}, exceeds the limit of {MOST_PARTS}.")
    goes_on = "odata.continue-on-error" in request.header("Prefer").lower()
    written, is_stopped = [], False
    for entry in entries:
        if isinstance(entry, list):
            text, is_refused = _changeset(entry, ask, transaction, root)
        else:
            reply = ask(entry.request)
            text, is_refused = _part(entry.id, reply), reply.status >= 400
        written.append(text)
        if is_refused and not goes_on:
            is_stopped = True
            break
    body = "".join(f"--{OWN[0]}\r\n{text}\r\n" for text in written) + f"--{OWN[0]}--\r\n"
    headers = [("Content-Type", f"multipart/mixed; boundary={OWN[0]}"), ("OData-Version", "4.0")]
    return Reply(400 if is_stopped else 200, body.encode(), headers)


def _changeset(
    parts: list[Part], ask: Answer, transaction: Callable[[], AbstractContextManager[None]], root: str
) -> tuple[str, bool]:
    made: dict[str, str] = {}
    texts = []
    try:
        with transaction():
            for part in parts:
                try:
                    reply = ask(_referring(part.request, made))
                except errors.Refusal as refusal:
                    reply = refusal.reply()
                if reply.status >= 400:
                    raise _Failed(part, reply)
                made[part.id] = reply.header("OData-EntityId").removeprefix(root)
                texts.append(_part(part.id, reply))
    except _Failed as failed:
        return _part(failed.part.id, failed.reply), True
    inner = "".join(f"--{OWN[1]}\r\n{text}\r\n" for text in texts)
    return f"Content-Type: multipart/mixed; boundary={OWN[1]}\r\n\r\n{inner}--{OWN[1]}--\r\n", False


def _referring(request: Request, made: dict[str, str]) -> Request:
    """With `$1` replaced by what part 1 made: in the address, and as the value of a binding."""

    def named(found: re.Match[str]) -> str:
        if found["id"] not in made:
            raise errors.Refusal(
                400, "0x80060888", f"Content-ID Reference: '${found['id']}' does not exist in the batch context."
            )
        return made[found["id"]]

    path = REFERRING_PATH.sub(lambda found: f"{found[1]}{named(found)}", request.path)
    body = REFERRING_BODY.sub(lambda found: f"{found[1]}/{named(found)}", request.body.decode())
    return Request(request.method, request.target, path, request.query, request.headers, body.encode())


def _part(content_id: str, reply: Reply) -> str:
    head = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        head.append(f"Content-ID: {content_id}")
    inner = [f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Error')}"]
    inner += [f"{name}: {value}" for name, value in reply.headers]
    return "\r\n".join([*head, "", *inner, "", reply.body.decode()])


REASONS = {200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified", 400: "Bad Request", 403: "Forbidden",
           404: "Not Found", 412: "Precondition Failed", 429: "Too Many Requests"}  # fmt: skip


def _entries(request: Request, root: str) -> list[Part | list[Part]]:
    found = BOUNDARY.match(request.header("Content-Type"))
    if found is None:
        raise errors.invalid("The content type of a batch must be multipart/mixed with a boundary.")
    entries: list[Part | list[Part]] = []
    for headers, body in _pieces(request.body, found["boundary"]):
        inner = BOUNDARY.match(_header(headers, "Content-Type"))
        if inner is None:
            entries.append(_inner(headers, body, root))
            continue
        parts = [_inner(*piece, root) for piece in _pieces(body, inner["boundary"])]
        if any(part.request.method == "GET" for part in parts):
            raise errors.invalid("A change set holds only writes.")
        if any(not part.id for part in parts) or len({part.id for part in parts}) < len(parts):
            raise errors.invalid("Each request of a change set needs a Content-ID of its own.")
        entries.append(parts)
    return entries


def _pieces(body: bytes, boundary: str) -> list[tuple[Headers, bytes]]:
    """What stands between the boundaries: headers, and what follows them."""
    line = b"--" + boundary.encode()
    first, *rest = (b"\r\n" + body).split(b"\r\n" + line)
    if first.strip() or not rest or not rest[-1].startswith(b"--"):
        raise errors.invalid("The batch does not begin and end with its boundary on lines that end with CRLF.")
    pieces = []
    for text in rest[:-1]:
        head, gap, behind = text.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not gap or not text.startswith(b"\r\n"):
            raise errors.invalid("A part of the batch has no empty line behind its headers.")
        pieces.append((_headers(head), behind))
    return pieces


def _inner(headers: Headers, text: bytes, root: str) -> Part:
    if _header(headers, "Content-Type").split(";")[0].strip().lower() != "application/http":
        raise errors.invalid("A part of a batch must be of the type application/http.")
    if _header(headers, "Content-Transfer-Encoding").lower() != "binary":
        raise errors.invalid("A part of a batch must have Content-Transfer-Encoding: binary.")
    # The line end before the boundary may be the empty line's, so it counts here.
    line, _, rest = (text + b"\r\n").partition(b"\r\n")
    start = START.fullmatch(line)
    head, gap, body = rest.partition(b"\r\n\r\n") if not rest.startswith(b"\r\n") else (b"", b"\r\n", rest[2:])
    if start is None or not gap:
        raise errors.invalid("An inner request needs a start line, headers and an empty line, which end with CRLF.")
    target = start["target"].decode()
    path, _, query = target.removeprefix(root.partition("/api/data/")[0]).partition("?")
    if not path.startswith("/api/data/"):
        path = f"/api/data/v9.2/{path.lstrip('/')}"
    made = Request(start["method"].decode(), target, path, query, _headers(head), body.rstrip(b"\r\n"))
    return Part(_header(headers, "Content-ID"), made)


def _headers(text: bytes) -> Headers:
    if b"\n" in text.replace(b"\r\n", b""):
        raise errors.invalid("Lines of a batch end with CRLF.")
    pairs = (line.partition(":") for line in text.decode("latin-1").split("\r\n") if line)
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _header(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name.lower()), "")
