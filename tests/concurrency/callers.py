"""The workers of test_webhooks_killed: `python -m tests.concurrency.callers ORIGIN READY [GUARD]`.

They make the file READY when they begin, read the timeline and call the receiver, any number of them at once; `guard`
names the protection to leave out.
"""

import os
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402

from contacts import reactor  # noqa: E402
from integrations.webhooks import claiming, reader, verdicts  # noqa: E402
from tenants import wakeups  # noqa: E402

LEASE_SECONDS = 2


def work(origin: str, guard: str) -> None:
    """Do for ever what is due, with short leases and a schedule of moments."""
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


if __name__ == "__main__":
    Path(sys.argv[2]).touch()
    work(sys.argv[1], sys.argv[3] if len(sys.argv) > 3 else "")
