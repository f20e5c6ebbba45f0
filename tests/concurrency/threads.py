"""Two transactions of one process that cross at a chosen place: threads with connections of their own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from tests.concurrency.processes import PATIENCE, not_idle


@contextmanager
def beside(function: Callable[[], object]) -> Iterator[threading.Thread]:
    """Run a function in a thread with a connection of its own; it has ended well when the block is left."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            function()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield thread
    thread.join(PATIENCE)
    assert not thread.is_alive()
    if errors:
        raise errors[0]


class Gate:
    """A place where one thread waits until the other has done its part."""

    def __init__(self) -> None:
        self._reached, self._opened = threading.Event(), threading.Event()

    def wait_here(self) -> None:
        self._reached.set()
        deadline = time.monotonic() + PATIENCE
        while not self._opened.wait(1):
            assert time.monotonic() < deadline
            not_idle()

    def is_reached(self) -> None:
        assert self._reached.wait(PATIENCE)

    def open(self) -> None:
        self._opened.set()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run each act in a thread of its own that starts with the others; returns what each returned or raised."""
    ready, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int) -> None:
        ready.wait(PATIENCE)
        try:
            results[place] = acts[place]()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,), daemon=True) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    return results
