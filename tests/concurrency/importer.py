"""The processes of test_imports_killed: `python -m tests.concurrency.importer [TENANT JOB]`.

Without arguments it works off the queue of imports for ever, as a worker does; with them it does one job and ends.
"""

import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from leads.importing import pieces, running  # noqa: E402
from tenants import wakeups  # noqa: E402
from tenants.models import Job  # noqa: E402
from tenants.scope import tenant_scope  # noqa: E402


def work() -> None:
    """Do what is due for imports, for ever."""
    while True:
        for tenant_id, name in wakeups.due():
            if name == running.QUEUE:
                wakeups.work(tenant_id, name, budget=5)
        time.sleep(0.01)


def do(tenant_id: int, job_id: int) -> None:
    """Do one job, as the command does."""
    with tenant_scope(tenant_id):
        job = Job.objects.get(pk=job_id)
    running.run(tenant_id, job)


def without_serialising() -> None:
    """The control: imports of one company no longer wait for each other."""
    from leads.importing import writing

    writing._one_at_a_time = lambda: None


if __name__ == "__main__":
    pieces.SIZE = int(os.environ.get("PIECE", pieces.SIZE))
    if "unserialised" in sys.argv:
        without_serialising()
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    do(*numbers) if numbers else work()
