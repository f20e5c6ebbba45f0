"""Two transactions of one process that cross at a chosen place: threads with connections of their own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from tests.concurrency.processes import PATIENCE


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
        assert self._opened.wait(PATIENCE)

    def is_reached(self) -> None:
        assert self._reached.wait(PATIENCE)

    def open(self) -> None:
        self._opened.set()
