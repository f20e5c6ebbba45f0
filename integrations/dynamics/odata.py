"""Calls to the Web API: its headers, and `$batch` with change sets that are written whole or not at all.

Line ends are CRLF throughout and each inner request ends with an empty line, or Dataverse answers 400.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.utils.translation import gettext as _

from integrations import calling
from integrations.client import Answer, Client, Throttled, Unavailable, in_their_words
from integrations.connections.tokens import Tokens
from integrations.dynamics import access
from integrations.models import Connection

ROOT = "/api/data/v9.2"
FORMATTED = "@OData.Community.Display.V1.FormattedValue"
ANNOTATIONS = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'
REPRESENTATION = f"return=representation,{ANNOTATIONS}"
HEADERS = {"OData-MaxVersion": "4.0", "OData-Version": "4.0"}
# Answers from a cache would be old ones.
UNCACHED = {"If-None-Match": "null"}
# What Dataverse takes in one batch.
MOST_OPERATIONS = 1_000
# Service protection counts calls, and the seconds that they take, per user within five minutes, and says how much is
# left. So much is left to others, and so many seconds they have for it.
RESERVES = {"x-ms-ratelimit-burst-remaining-xrm-requests": 100.0, "x-ms-ratelimit-time-remaining-xrm-requests": 60.0}
REST = 30.0
_BOUNDARY = re.compile(r'boundary="?([^";\r\n]+)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Operation:
    """One request within a batch; `path` is below the API's root."""

    method: str
    path: str
    data: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One answer within a batch."""

    status: int
    data: Any

    @property
    def refusal(self) -> tuple[str, str]:
        """The code and the words of a refusal, without anything that looks secret."""
        return in_their_words(calling.Answer(self.status, {}, json.dumps(self.data).encode()))


class Api:
    """The Web API of a connection's environment."""

    def __init__(self, connection: Connection, client: Client | None = None) -> None:
        base = access.environment(connection)
        self._client = client or Client("dynamics", base, Tokens(connection, access.fetch), headers=HEADERS)
        # Inner requests of a batch name the whole address.
        self._root = base + ROOT
        self._is_nearly_used_up = False

    def get(self, path: str, *, prefer: str = "") -> Any:
        """A GET below the API's root, or of a link that it gave."""
        whole = path if path.startswith(("https://", "http://")) else ROOT + path
        return self._call("GET", whole, headers={**UNCACHED, **({"Prefer": prefer} if prefer else {})}).json

    def rows(self, path: str, *, prefer: str = "") -> list[Mapping[str, Any]]:
        """The records of an answer that are its only page; raises Unavailable if it is no such answer."""
        return rows_of(self.get(path, prefer=prefer))

    def call(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """A call without a body."""
        return self._call(method, ROOT + path, headers=headers)

    def _call(self, method: str, path: str, **given: Any) -> Answer:
        """A call, unless the last answer said that little is left: then it is left alone before it has to say so."""
        if self._is_nearly_used_up:
            self._is_nearly_used_up = False
            raise Throttled(_("Few calls are left within the environment’s limits."), wait=REST)
        answer = self._client.call(method, path, **given)
        self._is_nearly_used_up = any(_number(answer.headers.get(name, "")) < much for name, much in RESERVES.items())
        return answer

    def batch(self, sets: Sequence[Sequence[Operation]], *, is_reading: bool = False) -> list[list[Part]]:
        """Carry out change sets, each whole or not at all, or reads; the answers of each, in order.

        A change set that was refused has one answer, the refusal. To send a batch twice must harm nobody.
        """
        boundary = f"batch_{uuid4().hex}"
        body = b"".join(_written(boundary, operations, self._root, is_reading) for operations in sets)
        headers = {"Content-Type": f'multipart/mixed; boundary="{boundary}"', "Prefer": "odata.continue-on-error"}
        answer = self._call(
            "POST", f"{ROOT}/$batch", body=body + f"--{boundary}--\r\n".encode(), headers=headers, is_safe=True,
            is_json=False,
        )  # fmt: skip
        found = _read(answer.body, answer.headers.get("content-type", ""))
        if len(found) != len(sets):
            raise Unavailable(f"{len(found)} answers to {len(sets)} parts of a batch.")
        return found


def rows_of(answer: Any) -> list[Mapping[str, Any]]:
    """The records of an answer; raises Unavailable if it has none, not even an empty list."""
    rows = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unavailable("The answer has no records.")
    return rows


def _number(said: str) -> float:
    """A number as the headers have it, `1,199.6`; what is none sets no limit."""
    try:
        return float(said.replace(",", ""))
    except ValueError:
        return math.inf


def _written(boundary: str, operations: Sequence[Operation], root: str, is_reading: bool) -> bytes:
    """A change set, or one read."""
    if is_reading:
        return f"--{boundary}\r\n".encode() + _inner(operations[0], root, 0)
    inner = f"changeset_{uuid4().hex}"
    head = f'--{boundary}\r\nContent-Type: multipart/mixed; boundary="{inner}"\r\n\r\n'
    parts = b"".join(
        f"--{inner}\r\n".encode() + _inner(operation, root, number) for number, operation in enumerate(operations, 1)
    )
    return head.encode() + parts + f"--{inner}--\r\n".encode()


def _inner(operation: Operation, root: str, number: int) -> bytes:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {number}"] if number else []
    lines += ["", f"{operation.method} {root}{operation.path} HTTP/1.1", "Accept: application/json"]
    lines += [f"{name}: {value}" for name, value in operation.headers.items()]
    if operation.data is not None:
        lines.append("Content-Type: application/json; charset=utf-8")
    body = b"" if operation.data is None else json.dumps(operation.data, ensure_ascii=False).encode()
    return "\r\n".join([*lines, "", ""]).encode() + body + b"\r\n"


def _read(body: bytes, content_type: str) -> list[list[Part]]:
    """The answers by change set; raises Unavailable for what is no answer to a batch."""
    found = []
    for head, content in _pieces(body, content_type):
        if b"multipart/mixed" in head.lower():
            found.append([_part(inner) for _head, inner in _pieces(content, head.decode("latin-1"))])
        else:
            found.append([_part(content)])
    return found


def _pieces(body: bytes, content_type: str) -> list[tuple[bytes, bytes]]:
    """(headers, content) of what stands between the boundaries."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Unavailable("The answer to a batch has no boundary.")
    line = b"\r\n--" + found[1].encode()
    _before, *pieces = (b"\r\n" + body).split(line)
    if not pieces or not pieces[-1].startswith(b"--"):
        raise Unavailable("The answer to a batch ends too soon.")
    split = (piece.removeprefix(b"\r\n").partition(b"\r\n\r\n") for piece in pieces[:-1])
    return [(head, content) for head, _gap, content in split]


def _part(text: bytes) -> Part:
    head, _gap, body = text.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    try:
        return Part(int(status[0]), json.loads(body) if body.strip() else None)
    except (ValueError, IndexError):
        raise Unavailable("A part of the answer to a batch cannot be read.") from None
