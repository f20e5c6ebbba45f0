"""The workers of test_webhooks_killed: they read the timeline and call the receiver, any number of them at once."""

import os
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402

from contacts import reactor  # noqa: E402
from integrations import reader  # noqa: E402
from integrations.webhooks import claiming, verdicts  # noqa: E402
from tenants import wakeups  # noqa: E402

LEASE_SECONDS = 2


def work(origin: str, ready: Path, guard: str) -> None:
    """Do for ever what is due, with short leases and a schedule of moments; make the file `ready` at the beginning.

    `guard` names the protection to leave out, if any.
    """
    ready.touch()
    settings.SANDBOX_ORIGINS = [origin]
    claiming.LEASE_SECONDS = LEASE_SECONDS if guard != "without-end-of-lease" else 100_000
    if guard == "without-order":
        claiming.IS_FIRST = "true"
    verdicts.SCHEDULE = (0.05,) * 20
    reactor._readers.clear()
    reactor.register(reader.READER)
    while True:
        for tenant_id, name in wakeups.due():
            wakeups.work(tenant_id, name, budget=1)
        time.sleep(0.01)
