"""Real processes on the test's database, killed on purpose."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    """The address of the database that the test itself uses."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def start(module: str, *arguments: object) -> subprocess.Popen[bytes]:
    """`python -m module arguments`, in a process group of its own, on the test's database."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), "LOG_LEVEL": "CRITICAL"},
        process_group=0,
    )


def kill(process: subprocess.Popen[bytes], signum: int = signal.SIGKILL) -> None:
    """Send a signal to the process and whatever it started, and wait for its end."""
    if process.poll() is None:
        os.killpg(process.pid, signum)
    process.wait(30)


@contextmanager
def running(*processes: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens in the block, the processes are gone after it."""
    try:
        yield
    finally:
        for process in processes:
            kill(process)


def killed_in_turns(
    make: Callable[[int], subprocess.Popen[bytes]],
    *,
    workers: int,
    rounds: int,
    rng: random.Random,
    signum: int = signal.SIGKILL,
    between: tuple[float, float] = (0.05, 0.6),
) -> list[subprocess.Popen[bytes]]:
    """Keep `workers` processes alive while `rounds` times one of them is killed at a random moment.

    Returns those alive at the end; the caller ends them.
    """
    alive = [make(number) for number in range(workers)]
    for round_ in range(rounds):
        time.sleep(rng.uniform(*between))
        place = round_ % workers
        kill(alive[place], signum)
        alive[place] = make(workers + round_)
    return alive
