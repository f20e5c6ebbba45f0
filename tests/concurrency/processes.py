"""Real processes on the test's database, killed on purpose.

They are forked from a process that has loaded Django already, so that each is at work at once; when one is killed
depends on how far the work has come, never on how fast the machine is.
"""

import logging
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from typing import Any

from django.db import connection

# Long enough for a machine that has much else to do; a test that waits so long has failed.
PATIENCE = 300

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        f"tests.concurrency.{name}"
        for name in (
            *("processes", "hammer", "travel", "post_office", "importer", "callers", "sellers", "leads_reader"),
        )
    ]
)


def start(target: Callable[..., None], *arguments: Any, **named: Any) -> ForkServerProcess:
    """Run a module's function in a process of its own, on the test's database."""
    process = _context.Process(
        target=_begin, args=(connection.settings_dict["NAME"], target, arguments, named), daemon=True
    )
    process.start()
    return process


def _begin(database: str, target: Callable[..., None], arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    logging.disable(logging.CRITICAL)
    connection.settings_dict["NAME"] = database
    target(*arguments, **named)


def event() -> Event:
    """Something that happens in one process and is waited for in another."""
    return _context.Event()


def kill(process: ForkServerProcess, signum: int = signal.SIGKILL) -> None:
    """Send the process a signal, and wait for its end."""
    if process.is_alive():
        os.kill(process.pid or 0, signum)
    end_of(process)


def end_of(process: ForkServerProcess) -> int:
    """Wait for the process's end; its exit status, negative if a signal ended it."""
    process.join(PATIENCE)
    assert process.exitcode is not None, "it has not ended"
    return process.exitcode


@contextmanager
def running(*processes: ForkServerProcess) -> Iterator[None]:
    """Whatever happens in the block, the processes are gone after it."""
    try:
        yield
    finally:
        for process in processes:
            kill(process)


def until(done: Callable[[], Any], what: str) -> None:
    """Poll until `done()` is true."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, f"{what}: not in {PATIENCE} seconds"
        time.sleep(0.005)


def somebody_waits() -> bool:
    """Whether a transaction waits for a lock that another one holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def not_idle() -> None:
    """Give a sign of life, so that a transaction which waits is not ended by its limit for idle ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


class Pause:
    """A place where a process waits until the test lets it go on. `there` is the process's end."""

    def __init__(self) -> None:
        self._here, self.there = _context.Pipe()

    def is_reached(self) -> None:
        """Wait until the process has come here."""
        assert self._here.poll(PATIENCE), "it did not come"
        self._here.recv()

    def is_over(self) -> None:
        self._here.send("go on")

    @staticmethod
    def at(end: Connection) -> None:
        """Called by the process: wait here, in a transaction perhaps."""
        end.send("here")
        while not end.poll(1):
            not_idle()
        end.recv()


def killed_in_turns(
    make: Callable[[], ForkServerProcess],
    *,
    workers: int,
    rounds: int,
    progress: Callable[[], int],
    steps: tuple[int, int],
    total: int,
    signum: int = signal.SIGKILL,
    seed: int = 7,
) -> list[ForkServerProcess]:
    """Keep `workers` processes at work while `rounds` times one of them is stopped.

    Each time when `progress()` has grown by a random number within `steps`, and at a random moment after. Fails if no
    work was left at the last one: then it would have proven nothing. Returns those alive; the caller ends them.
    """
    rng = random.Random(seed)
    alive = [make() for _ in range(workers)]
    try:
        for round_ in range(rounds):
            goal = progress() + rng.randint(*steps)
            until(lambda: progress() >= goal, f"progress before round {round_}")  # noqa: B023
            time.sleep(rng.uniform(0, 0.01))
            place = round_ % workers
            assert alive[place].is_alive(), "it did not end by itself"
            kill(alive[place], signum)
            alive[place] = make()
        assert progress() < total, "there was work left until the last one was stopped"
    except BaseException:
        for process in alive:
            kill(process)
        raise
    return alive
