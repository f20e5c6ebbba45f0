"""The next of something is brought while the present one is worked on."""

import threading
from collections.abc import Generator, Iterable
from queue import Queue
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


class _End:
    """No more items, or what went wrong."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(items: Iterable[T], most: int) -> Generator[T]:
    """The items in their order, up to `most` of which a thread brings before they are asked for.

    The thread has a connection to the database of its own, so it sees nothing that is not committed.

    What goes wrong there is raised here, behind the items before it. If the caller stops early, the thread stops at the
    item that it is at.
    """
    brought: Queue[T | _End] = Queue(most)
    is_over = threading.Event()

    def bring() -> None:
        end = _End()
        try:
            for item in items:
                brought.put(item)
                if is_over.is_set():
                    break
        except BaseException as error:
            end = _End(error)
        finally:
            connection.close()
            brought.put(end)

    thread = threading.Thread(target=bring, name="ahead", daemon=True)
    thread.start()
    item: T | _End | None = None
    try:
        while not isinstance(item := brought.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        is_over.set()
        while not isinstance(item, _End):
            item = brought.get()
        thread.join()
