"""The processes of test_imports: a worker of the queue of imports, and the command's way of doing one job."""

import os
from collections.abc import Callable
from multiprocessing.synchronize import Event
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import time  # noqa: E402

from leads.importing import pieces, running, writing  # noqa: E402
from tenants import wakeups  # noqa: E402
from tenants.models import Job  # noqa: E402
from tenants.scope import tenant_scope  # noqa: E402
from tests.concurrency import processes  # noqa: E402


def work(size: int) -> None:
    """Do what is due for imports, for ever, in pieces of so many rows."""
    pieces.SIZE = size
    while True:
        for tenant_id, name in wakeups.due():
            if name == running.QUEUE:
                wakeups.work(tenant_id, name, budget=5)
        time.sleep(0.01)


def _and_pause(find: Callable[..., None]) -> Callable[..., None]:
    def find_and_pause(*given: Any) -> None:
        find(*given)
        time.sleep(0.03)

    return find_and_pause


def _and_meet(find: Callable[..., None], here: Event, there: Event) -> Callable[..., None]:
    """Look for people, then wait until the other has looked as well."""

    def find_and_meet(*given: Any) -> None:
        find(*given)
        here.set()
        while not there.wait(1):
            processes.not_idle()

    return find_and_meet


def do(tenant_id: int, job_id: int, size: int, meeting: tuple[Event, Event] | None = None) -> None:
    """Do one job, with a pause between looking for people and writing them, in which another may write them.

    With a `meeting`, the control: imports of one company do not wait for each other, and both have looked for the first
    people before either writes them.
    """
    pieces.SIZE = size
    if meeting:
        writing.recording.one_at_a_time = lambda: None
        writing.contacts.find = _and_meet(writing.contacts.find, *meeting)
    else:
        writing.contacts.find = _and_pause(writing.contacts.find)
    with tenant_scope(tenant_id):
        job = Job.objects.get(pk=job_id)
    running.run(tenant_id, job)
