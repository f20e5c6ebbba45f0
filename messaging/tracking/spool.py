"""Where hits wait while the database is away: a file per process, read back when it answers again.

A file is locked by the process that writes it. One without a lock belonged to a process that has ended; whoever finds
it reads it. A hit is in the database or in a file, and in rare cases (a lost answer) in both.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from messaging.tracking.hits import Hit


class Spool:
    """This process's file."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._path = folder() / f"{uuid4()}.jsonl"

    def add(self, hits: Iterable[Hit]) -> None:
        """Append hits and wait until the disk has them."""
        if self._descriptor is None:
            folder().mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.write(self._descriptor, "".join(f"{hit.as_json()}\n" for hit in hits).encode())
        os.fsync(self._descriptor)

    def release(self) -> None:
        """Let the file be read; the next hits go into a new one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor, self._path = None, folder() / f"{uuid4()}.jsonl"


def folder() -> Path:
    return settings.VAR_DIR / "hits"


def waiting() -> list[Path]:
    """The files there are, oldest first."""
    return sorted(folder().glob("*.jsonl"), key=lambda path: path.stat().st_mtime)


@contextmanager
def reading(path: Path) -> Iterator[list[Hit]]:
    """The hits of a file that nobody writes, to be removed when the block ends well; raises BlockingIOError."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield list(_hits(path))
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _hits(path: Path) -> Iterator[Hit]:
    for line in path.read_text(errors="replace").splitlines():
        try:
            yield Hit.from_json(line)
        except ValueError:
            continue  # cut off when the process was killed: nobody was told that it was kept
