"""Being asked to stop while mail is being sent: the message at hand is finished, the rest is given back.

A Celery worker that is told to stop waits for its children, but does not tell them; they see it here.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from celery.signals import worker_shutting_down

# Made before the worker forks its children, which share it.
_worker_stops = multiprocessing.Event()


@worker_shutting_down.connect
def _stop(**_kwargs: Any) -> None:
    _worker_stops.set()


@contextmanager
def noticed() -> Iterator[Callable[[], bool]]:
    """Within the block, `is_asked()` says whether this process is to stop; SIGTERM takes effect after the block."""
    asked = threading.Event()

    def is_asked() -> bool:
        return asked.is_set() or _worker_stops.is_set()

    if threading.current_thread() is not threading.main_thread():
        yield is_asked
        return

    def note(signum: int, frame: FrameType | None) -> None:
        asked.set()

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield is_asked
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
        if asked.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
