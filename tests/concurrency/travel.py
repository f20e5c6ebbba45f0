"""A worker of test_journeys_killed: `python -m tests.concurrency.travel [point]`.

Works for ever as a worker does. `point` is "module.function:before" or ":after": there the process kills itself, as a
power cut would. `without-…` leaves out a protection: the controls.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from journeys import claiming  # noqa: E402
from tenants import wakeups  # noqa: E402
from tenants.models import Wakeup  # noqa: E402

# What these tests are about; mail has its own.
QUEUES = ("journeys", "reactor")


def work() -> None:
    """Do whatever is due, for ever."""
    while True:
        run_due()
        time.sleep(0.005)


def run_due() -> None:
    """One round of the queues that matter here."""
    for tenant_id, name in wakeups.due():
        if name in QUEUES:
            wakeups.work(tenant_id, name, budget=1)


def die() -> None:
    """End at once, without any cleaning up."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(point: str) -> None:
    """Replace a function by one that kills the process before or after doing its work."""
    name, _, moment = point.partition(":")
    module_name, _, function_name = name.rpartition(".")
    module = import_module(module_name)
    original = getattr(module, function_name)
    replaced = _dying(original, moment)
    setattr(module, function_name, replaced)
    for queue, worker in wakeups._queues.items():
        if worker is original:
            wakeups._queues[queue] = replaced


def _dying(function: Callable[..., Any], moment: str) -> Callable[..., Any]:
    def dying(*args: Any, **kwargs: Any) -> Any:
        if moment == "before":
            die()
        answer = function(*args, **kwargs)
        # A look that found nothing to do is not the step.
        if answer is False or answer not in (0, []):
            die()
        return answer

    return dying


def without_lock() -> None:
    """Claim people whether or not another worker has them."""
    claiming.LOCK = ""


def without_keeping_wakeups() -> None:
    """Delete the wakeups before the work they announce, and be killed in between."""
    original = wakeups._queues["journeys"]

    def forgetful(tenant_id: int, deadline: float) -> Any:
        Wakeup.objects.filter(tenant_id=tenant_id, queue="journeys").delete()
        die()
        return original(tenant_id, deadline)

    wakeups._queues["journeys"] = forgetful


CONTROLS = {"without-lock": without_lock, "without-keeping-wakeups": without_keeping_wakeups}

if __name__ == "__main__":
    for argument in sys.argv[1:]:
        CONTROLS[argument]() if argument in CONTROLS else die_at(argument)
    work()
