"""`manage.py tick`: the worker's and the beat's work in one process, for machines without Redis."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from tenants import housekeeping, wakeups
from tenants.tasks import beat

logger = logging.getLogger(__name__)

# Seconds for one round of work: below the time that a supervisor waits after asking to stop.
ROUND = 10.0
PAUSE = 1.0
HOUSEKEEPING_EVERY = 60.0


class Command(BaseCommand):
    help = "Does everything that is due, once or (--loop) until stopped. Needs no broker, worker or beat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loop", action="store_true", help="go on until stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["loop"]:
            housekeeping.run()
            wakeups.run_due()
            return
        stopped = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopped.set())
        loop(stopped)


def loop(stopped: threading.Event) -> None:
    """Work in rounds until `stopped`; a database that is away is waited for."""
    cleaned_at = float("-inf")
    while not stopped.is_set():
        close_old_connections()
        try:
            beat("beat", "worker", "caller")
            if time.monotonic() - cleaned_at >= HOUSEKEEPING_EVERY:
                cleaned_at = time.monotonic()
                housekeeping.run()
            wakeups.run_due(ROUND)
        except DatabaseError:
            logger.exception("The database does not answer; trying again")
        stopped.wait(PAUSE)
