"""The senders of test_outbox_killed: they send for ever what is due in one tenant's outbox."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import DatabaseError, connection  # noqa: E402

from messaging import journal, sending  # noqa: E402
from tests.concurrency import points  # noqa: E402


def send(tenant_id: int, port: int, folder: Path, *, connections: int = 2, guard: str = "", dies_at: str = "") -> None:
    """Send for ever, any number of senders at once; `guard` names the protection to leave out."""
    settings.EMAIL_CONFIG = {**settings.EMAIL_CONFIG, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port}
    settings.EMAIL_CONNECTIONS = connections
    settings.VAR_DIR = folder
    sending.MESSAGES_PER_CONNECTION = 10
    if guard == "without-journal":
        journal.abandoned = forgetful
    if dies_at:
        points.act_at(dies_at, points.die)
    while True:
        try:
            sending.work(tenant_id, time.monotonic() + 2)
        except DatabaseError:
            connection.close_if_unusable_or_obsolete()
        time.sleep(0.02)


@contextmanager
def forgetful(lease: UUID) -> Iterator[journal.Account]:
    """A journal of which nothing is left: as if nothing had been begun."""
    with open(journal.path_of(lease), "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield journal.Account(frozenset(), ())
