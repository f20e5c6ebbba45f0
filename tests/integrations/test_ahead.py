"""Items that a thread brings while others are worked on."""

import threading
from collections.abc import Iterator

import pytest

from integrations.ahead import ahead


def test_the_items_come_in_their_order_and_no_more_ahead_than_asked_for() -> None:
    begun: list[int] = []

    def count() -> Iterator[int]:
        for number in range(10):
            begun.append(number)
            yield number

    found = []
    for number in ahead(count(), 2):
        # Two that wait, one that waits for room among them, and the one that is being worked on.
        assert len(begun) <= number + 4
        found.append(number)
    assert found == list(range(10))


def test_what_goes_wrong_is_raised_behind_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the line is down")

    found: list[int] = []
    with pytest.raises(OSError, match="the line is down"):
        found.extend(ahead(broken(), 5))
    assert found == [1]


def test_who_stops_early_leaves_no_thread_behind() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    def is_there() -> bool:
        return "ahead" in {thread.name for thread in threading.enumerate()}

    items = ahead(endless(), 3)
    assert next(items) == 1
    assert is_there()
    items.close()
    assert not is_there()
