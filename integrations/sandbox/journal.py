"""The journal of a world: every request as it came and what was answered, the newest within a bound."""

import base64
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.sandbox.http import Request

# A sandbox that runs for weeks forgets; so many requests, and so many bytes of bodies.
KEPT, KEPT_BYTES = 50_000, 64_000_000


@dataclass(frozen=True)
class Entry:
    """One request. `status` is what the client saw: 0 if the line was cut without an answer."""

    request: Request
    status: int
    # The name of the fault that struck, if one did.
    fault: str
    at: datetime

    def as_json(self) -> dict[str, Any]:
        request = self.request
        try:
            body = {"body": request.body.decode()}
        except UnicodeDecodeError:
            body = {"body_base64": base64.b64encode(request.body).decode()}
        return {
            "method": request.method,
            "target": request.target,
            "path": request.path,
            "headers": [list(pair) for pair in request.headers],
            **body,
            "status": self.status,
            "fault": self.fault,
            "at": self.at.isoformat(),
        }


class Journal:
    """Bounded, and safe to use from every connection's thread."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)
            self._bytes += len(entry.request.body)
            while len(self._entries) > KEPT or self._bytes > KEPT_BYTES:
                self._bytes -= len(self._entries.popleft().request.body)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def all(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def entries(self) -> list[dict[str, Any]]:
        """All of them for the control API."""
        return [entry.as_json() for entry in self.all()]
