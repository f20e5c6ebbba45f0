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
    return _follow(os.getpid(), signum) if sys.platform == "linux" else None


def follow_parent() -> None:
    """Called by a web server's worker as it loads the application: granian's outlive a killed master otherwise."""
    if SUPERVISED in os.environ and sys.platform == "linux":
        _follow(os.getppid(), signal.SIGKILL)()


def _follow(parent: int, signum: signal.Signals) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def follow() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signum)
        # A parent that died before this call sends nothing.
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return follow
