"""Letting Python suit work on very many rows, for all ways in for sets."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds for which a thread beside it may keep the interpreter from the one that talks to the database, which has some
# sixty short statements per piece: at Python's own 5 ms it would wait longer for its turn than for the answers.
SWITCH = 0.0003
# Objects, more of which are made than dropped, after which Python looks for cycles among them. Rows have none: looking
# every 700 objects, as it does by itself, would take as long as everything else that is done with them.
COLLECT_AFTER = 200_000


@contextmanager
def for_many_rows() -> Iterator[None]:
    """Look for cycles rarely, and let threads take turns often, until the end of the block."""
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(COLLECT_AFTER)
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)
