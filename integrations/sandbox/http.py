"""What the server and the stand-ins hand to each other: requests, replies, and worlds with a clock of their own."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """A request as it came in over the wire; nothing is decoded, because vendors are picky about encodings."""

    method: str
    # The whole target of the request line.
    target: str
    # What follows the world's own prefix, without the query: `/api/data/v9.2/leads`.
    path: str
    query: str
    # In the order and with the letters in which they came.
    headers: Headers
    body: bytes

    def header(self, name: str, default: str = "") -> str:
        """The first header of that name, in whatever case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), default)

    def json(self) -> Any:
        """The body as JSON; ValueError if it is none."""
        return json.loads(self.body)


@dataclass
class Reply:
    """An answer; the server adds Content-Length and Connection, and the Date unless the stand-in says its own."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list)

    @classmethod
    def json(cls, status: int, data: Any, **headers: str) -> "Reply":
        """`data` as JSON. Further headers by keyword, `_` for the hyphen: `Retry_After="3"`."""
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if not any(name.lower() == "content-type" for name, _ in named):
            named.insert(0, ("Content-Type", "application/json; charset=utf-8"))
        return cls(status, json.dumps(data, ensure_ascii=False).encode(), named)

    @classmethod
    def html(cls, status: int, page: str) -> "Reply":
        return cls(status, page.encode(), [("Content-Type", "text/html; charset=utf-8")])

    def header(self, name: str, default: str = "") -> str:
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), default)


class Clock:
    """The time of a world: it runs with ours, or stands still at a moment that was set; both can be advanced."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._stands_at: datetime | None = None

    def now(self) -> datetime:
        return (self._stands_at or datetime.now(UTC)) + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)

    def set(self, moment: datetime | None) -> None:
        """Stand still at that moment; None lets it run with ours again."""
        self._stands_at, self._ahead = moment, timedelta()


class World:
    """One stand-in with data of its own. The server calls `handle` under `lock`, one request after the other."""

    # Further verbs of the control API: what `POST …/_ctl/<verb>` calls with the parsed body; its result is the answer.
    verbs: ClassVar[dict[str, Callable[[Any, Any], Any]]] = {}

    def __init__(self, key: str, url: str) -> None:
        self.key = key
        # Where this world is reached, without a slash at the end: `http://127.0.0.1:8030/dynamics/<key>`.
        self.url = url
        self.clock = Clock()
        self.lock = threading.RLock()
        # Requests that are being answered or wait for their turn, this one included.
        self.in_flight = 0
        self.reset(None, None)

    def handle(self, request: Request) -> Reply:
        raise NotImplementedError

    def seed(self, data: dict[str, Any]) -> Any:
        """Add records, as the vendor's own people would have made them; what it returns is the control API's answer."""
        raise NotImplementedError

    def reset(self, seed: int | None, now: datetime | None) -> None:
        """Back to the beginning. `seed` chooses what chance chooses; `now` sets the clock, which then stands still."""
        raise NotImplementedError

    def dump(self) -> Any:
        """What has to be kept over a restart, as JSON; None keeps nothing."""
        return None

    def load(self, kept: Any) -> None:
        """Take back what `dump` gave."""
