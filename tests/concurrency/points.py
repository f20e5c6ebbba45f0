"""Named points in the product at which a test does something: "module.function:before" or ":after" its work."""

import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

from tenants import wakeups


def die() -> None:
    """End at once, without any cleaning up."""
    os.kill(os.getpid(), signal.SIGKILL)


def act_at(point: str, act: Callable[[], None]) -> None:
    """Have the function at `point` act too, the first time, before or after its work.

    A look that found nothing to do (0, an empty list) is not the point.
    """
    name, _, moment = point.partition(":")
    owner_name, _, function_name = name.rpartition(".")
    owner = _resolved(owner_name)
    original = getattr(owner, function_name)
    acts = [act]

    def replaced(*args: Any, **kwargs: Any) -> Any:
        if moment == "before" and acts:
            acts.pop()()
        answer = original(*args, **kwargs)
        if moment == "after" and acts and (answer is None or answer is False or answer not in (0, [])):
            acts.pop()()
        return answer

    setattr(owner, function_name, replaced)
    for queue, worker in wakeups._queues.items():
        if worker is original:
            wakeups._queues[queue] = replaced


def _resolved(name: str) -> Any:
    """A module, or a class in one."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return getattr(import_module(module), attribute)
