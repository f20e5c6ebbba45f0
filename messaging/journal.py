"""The sender's local journal: what it has begun and what became of it, noted before anything else can happen.

One file per run, named after the run's lease and locked while the run lives. A line is written before a message's
final dot leaves (`A id`) and when the reply is there (`R id outcome …`). After a crash the next run reads it: a result
is recorded, a begun message without one is uncertain, all others were never begun.

A line survives the process, not the machine: a journal of an earlier boot vouches for nothing.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# A journal that nobody holds any more is of use until its messages are settled, which is soon.
KEPT_DAYS = 7


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a message: an outcome of `messaging.outcomes`, the reply's code and text."""

    message_id: int
    outcome: str
    code: int
    text: str


@dataclass(frozen=True)
class Account:
    """What an abandoned journal says."""

    attempted: frozenset[int]
    results: tuple[Result, ...]


class Journal:
    """The journal of a running sender."""

    def __init__(self, lease: UUID) -> None:
        folder().mkdir(parents=True, exist_ok=True)
        self.path = path_of(lease)
        self._descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._write(f"B {_boot()}")

    def attempt(self, message_id: int) -> None:
        """The message's final dot is about to leave."""
        self._write(f"A {message_id}")

    def result(self, result: Result) -> None:
        """The message's fate is known."""
        text = " ".join(result.text.split())
        self._write(f"R {result.message_id} {result.outcome} {result.code} {text}")

    def close(self, *, is_settled: bool) -> None:
        """End the run; a journal whose results are all in the database is removed."""
        if is_settled:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _write(self, line: str) -> None:
        # O_APPEND: lines of several threads do not mix.
        os.write(self._descriptor, f"{line}\n".encode())


def path_of(lease: UUID) -> Path:
    return folder() / f"{lease}.log"


def folder() -> Path:
    return settings.VAR_DIR / "journal"


@contextmanager
def abandoned(lease: UUID) -> Iterator[Account | None]:
    """What the journal of a dead run says, held against other readers; None if there is none of this boot here.

    Raises BlockingIOError while the run (or another reader) holds it.
    """
    try:
        descriptor = os.open(path_of(lease), os.O_RDWR)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield _read(path_of(lease))
    finally:
        os.close(descriptor)


def remove(lease: UUID) -> None:
    """Remove a journal that has been settled."""
    path_of(lease).unlink(missing_ok=True)


def remove_old() -> None:
    """Remove journals that nobody has written to for days."""
    for path in folder().glob("*.log"):
        if time.time() - path.stat().st_mtime > KEPT_DAYS * 86_400:
            path.unlink(missing_ok=True)


def _read(path: Path) -> Account | None:
    attempted: set[int] = set()
    results: list[Result] = []
    lines = path.read_text(errors="replace").split("\n")
    # What follows the last newline was cut off while it was written.
    if not lines or lines[0] != f"B {_boot()}":
        return None
    for line in lines[1:-1]:
        kind, number, *rest = line.split(" ", 4)
        if kind == "A":
            attempted.add(int(number))
        elif kind == "R":
            outcome, code, text = rest
            results.append(Result(int(number), outcome, int(code), text))
    return Account(frozenset(attempted), tuple(results))


def _boot() -> str:
    """This start of the machine; where it has no name, every boot is taken for the same."""
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else "unknown"
