"""The workers of test_handoffs_killed: they carry out the outbox of a CRM."""

import os
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402

from integrations.crm import knowing, outcomes, sending  # noqa: E402
from integrations.dynamics.crm import QUEUE  # noqa: E402
from tenants import wakeups  # noqa: E402


def work(origin: str, ready: Path, guard: str) -> None:
    """Do for ever what is due; make the file `ready` at the beginning. `guard` names what to leave out, if anything."""
    ready.touch()
    settings.SANDBOX_ORIGINS = [origin]
    sending.BATCH = 100
    if guard == "without-own-key":
        _forget_keys()
    while True:
        for tenant_id, name in wakeups.due():
            if name == QUEUE:
                wakeups.work(tenant_id, name, budget=5)
        time.sleep(0.005)


def _forget_keys() -> None:
    """As if each attempt had a key of its own, and nothing were looked for: a blind POST."""
    from integrations.crm import planning
    from integrations.crm.links import renew

    find = planning.Planner._handoff

    def handoff(self: planning.Planner, changes: list, pk: int) -> None:
        renew(self._links["lead"][pk])
        find(self, changes, pk)

    record = outcomes.Recorder.record

    def slowly(self: outcomes.Recorder, results: list) -> dict:
        """So that whoever is killed after a write has not recorded it."""
        time.sleep(0.5)
        return record(self, results)

    planning.Planner._handoff = handoff  # type: ignore[method-assign]
    outcomes.Recorder.record = slowly  # type: ignore[method-assign]
    knowing.doubtful = lambda connection, ids: {}  # type: ignore[assignment]
