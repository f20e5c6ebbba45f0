"""What can be made to go wrong between a client and a stand-in.

A fault is `{"match": {"method": "GET", "path": "/rest/leads*", "contains": "…"}, "nth": 2, "times": 1, "do": {…}}`: of
the requests that match, from the `nth` on, `times` of them (null: all). The path is a pattern of the part below the
world's prefix, without the query; `contains` looks into target and body. What it does, one of:

    {"status": 429, "headers": {"Retry-After": "3"}, "json": {…} | "text": "…"}    answered in place of the stand-in
    {"html": 503}                      a proxy's error page
    "reset"                            the line is cut (RST) before the stand-in hears of it
    "truncate", {"truncate": 20}       the stand-in's answer, half of it or so many bytes, as if that were the whole
    "cut", {"cut": 20}                 the same, but the length of the whole was announced; then the line is cut
    {"delay": 2.5}                     the stand-in's answer, so many seconds late
    {"slow": 2.5}                      its head at once, its body in pieces over so many seconds
    {"apply_then": …}                  the stand-in does its work, then any of the above instead of its answer
"""

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from integrations.sandbox.http import Reply, Request

NAMES = ("status", "html", "reset", "truncate", "cut", "delay", "slow", "apply_then")
ERROR_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0} Error</h1><hr>proxy</body></html>"


class BadFault(ValueError):
    """What was asked for is no fault."""


@dataclass
class Effect:
    """What to do with one request."""

    name: str
    value: Any
    # The stand-in does its work first, and its answer is lost.
    is_applied: bool = False

    @classmethod
    def parse(cls, do: Any) -> "Effect":
        """From the JSON's `do`; BadFault names what is wrong."""
        asked = {do: None} if isinstance(do, str) else do
        if not isinstance(asked, dict) or len(found := [name for name in NAMES if name in asked]) != 1:
            raise BadFault(f"do: one of {', '.join(NAMES)}, not {do!r}")
        name = found[0]
        if name == "apply_then":
            inner = cls.parse(asked[name])
            return cls(inner.name, inner.value, True)
        return cls(name, asked if name == "status" else asked[name])

    def reply(self) -> Reply | None:
        """The answer in place of the stand-in's, if that is what it does."""
        if self.name == "html":
            return Reply.html(int(self.value), ERROR_PAGE.format(self.value))
        if self.name != "status":
            return None
        headers = [(name, str(value)) for name, value in self.value.get("headers", {}).items()]
        status = int(self.value["status"])
        if "json" in self.value:
            made = Reply.json(status, self.value["json"])
            return Reply(status, made.body, [*made.headers, *headers])
        return Reply(status, str(self.value.get("text", "")).encode(), headers)


@dataclass
class Fault:
    """One entry of the list, and how often it was met."""

    method: str
    path: str
    contains: bytes
    nth: int
    times: int | None
    effect: Effect
    met: int = 0

    @classmethod
    def parse(cls, asked: Any) -> "Fault":
        if not isinstance(asked, dict) or "do" not in asked:
            raise BadFault(f"a fault is an object with match and do, not {asked!r}")
        match = asked.get("match") or {}
        return cls(
            match.get("method", "*"),
            match.get("path", "*"),
            str(match.get("contains", "")).encode(),
            int(asked.get("nth", 1)),
            None if asked.get("times", 1) is None else int(asked.get("times", 1)),
            Effect.parse(asked["do"]),
        )

    def concerns(self, request: Request) -> bool:
        if not fnmatchcase(request.method, self.method) or not fnmatchcase(request.path, self.path):
            return False
        return not self.contains or self.contains in request.target.encode() or self.contains in request.body

    def meets(self) -> bool:
        """Count one more request that it concerns; whether it strikes."""
        self.met += 1
        return self.met >= self.nth and (self.times is None or self.met < self.nth + self.times)


class Faults:
    """The faults that are set for a world."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def replace(self, asked: Any) -> None:
        """Set exactly these; an empty list ends them all."""
        faults = [Fault.parse(each) for each in (asked if isinstance(asked, list) else [asked])]
        with self._lock:
            self._faults = faults

    def strike(self, request: Request) -> Effect | None:
        """The effect that this request gets; every fault that concerns it counts it, the first that strikes wins."""
        with self._lock:
            struck = [fault.effect for fault in self._faults if fault.concerns(request) and fault.meets()]
        return struck[0] if struck else None
