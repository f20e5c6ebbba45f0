"""Processes that end with their parent, so that a killed product leaves nothing behind that holds its ports."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
# Set by the supervisor for the programs that it runs.
SUPERVISED = "ONWARD_SUPERVISED"


def dies_with_parent(signum: signal.Signals) -> Callable[[], None] | None:
    """For Popen's `preexec_fn`: the kernel sends the child `signum` when we die, even by kill -9 (Linux only)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signum)


def follow_parent() -> None:
    """Called by a web server's worker as it loads the application: granian's outlive a killed master otherwise."""
    follow = dies_with_parent(signal.SIGKILL) if SUPERVISED in os.environ else None
    if follow:
        follow()
