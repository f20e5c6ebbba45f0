"""The senders of test_outbox_killed: `python -m tests.concurrency.post_office TENANT PORT FOLDER [GUARD]`."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402

from messaging import journal, sending  # noqa: E402

# Connections of one sender: so many messages may be uncertain after it was killed.
CONNECTIONS = 2


def send(tenant_id: int, port: int, folder: Path, guard: str) -> None:
    """Send for ever, any number of senders at once; `guard` names the protection to leave out."""
    settings.EMAIL_CONFIG = {**settings.EMAIL_CONFIG, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port}
    settings.EMAIL_CONNECTIONS = CONNECTIONS
    settings.VAR_DIR = folder
    sending.MESSAGES_PER_CONNECTION = 10
    if guard == "without-journal":
        journal.abandoned = forgetful
    while True:
        sending.work(tenant_id, time.monotonic() + 2)
        time.sleep(0.02)


@contextmanager
def forgetful(lease: UUID) -> Iterator[journal.Account]:
    """A journal of which nothing is left: as if nothing had been begun."""
    with open(journal.path_of(lease), "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield journal.Account(frozenset(), ())


if __name__ == "__main__":
    send(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "")
