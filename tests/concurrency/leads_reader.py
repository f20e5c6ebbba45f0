"""The process of test_linkedin_killed: a worker of the queue "linkedin"."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import time  # noqa: E402

from django.conf import settings  # noqa: E402

from integrations.linkedin import processing, pulling, syncing  # noqa: E402
from tenants import wakeups  # noqa: E402


def work(sandbox: str, size: int) -> None:
    """Do what is due for LinkedIn, for ever, in chunks of so many submissions."""
    settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = sandbox, [sandbox]
    pulling.CHUNK = processing.BATCH = size
    while True:
        for tenant_id, name in wakeups.due():
            if name == syncing.QUEUE:
                wakeups.work(tenant_id, name, budget=5)
        time.sleep(0.01)
