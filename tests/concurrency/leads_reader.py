"""The process of test_linkedin_killed: a worker of the queue "linkedin"."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import time  # noqa: E402
from datetime import datetime  # noqa: E402

from django.conf import settings  # noqa: E402

from integrations.linkedin import processing, pulling, syncing  # noqa: E402
from integrations.models import AdAccount  # noqa: E402
from tenants import wakeups  # noqa: E402
from tenants.scope import tenant_scope  # noqa: E402
from tests.concurrency.points import act_at, die  # noqa: E402


def work(sandbox: str, size: int, dies_at: str = "", guard: str = "") -> None:
    """Do what is due for LinkedIn, for ever, in chunks of so many submissions.

    `dies_at` is a point where the process ends, `guard` names the protection to leave out, if any.
    """
    settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = sandbox, [sandbox]
    pulling.CHUNK = processing.BATCH = size
    if guard == "stored-before-noted":
        _note_before_storing()
    if dies_at:
        act_at(dies_at, die)
    while True:
        for tenant_id, name in wakeups.due():
            if name == syncing.QUEUE:
                wakeups.work(tenant_id, name, budget=5)
        time.sleep(0.01)


def _note_before_storing() -> None:
    """As if a window were noted as read when it is asked for, not when everything in it was stored."""
    read = pulling.Pull._window

    def window(self: pulling.Pull, account: AdAccount, start: datetime, end: datetime) -> None:
        with tenant_scope(self.connection.tenant_id):
            AdAccount.objects.filter(pk=account.pk).update(read_until=end)
        read(self, account, start, end)

    pulling.Pull._window = window  # type: ignore[method-assign]
