"""Celery's side of the wakeups: dispatching, working a queue, housekeeping."""

import logging
from typing import Any

from celery import current_app, shared_task
from django.conf import settings
from django.core.cache import cache
from django.db.models.functions import Now

from tenants import housekeeping as chores
from tenants import wakeups
from tenants.models import Heartbeat

logger = logging.getLogger(__name__)

# Seconds for which a poke of the same queue is not repeated while the first waits in the broker.
POKE_TTL = 5
# The broker's queue for work that waits for others' servers.
CALLS = "calls"


@shared_task
def run_queue(tenant_id: int, name: str) -> None:
    """Work one tenant's queue under its time budget; goes to the back of the line if there is more."""
    cache.delete(_poke_key(tenant_id, name))
    beat("worker")
    try:
        if wakeups.work(tenant_id, name):
            poke(tenant_id, name)
    except Exception:
        wakeups.set_back(tenant_id, name)


def poke(tenant_id: int, name: str) -> None:
    """Ask a worker to look at a queue. Losing a poke loses nothing: the beat dispatches what is due."""
    if not settings.REDIS_URL or not cache.add(_poke_key(tenant_id, name), 1, POKE_TTL):
        return
    line = CALLS if wakeups.calls_out(name) else current_app.conf.task_default_queue
    try:
        run_queue.apply_async((tenant_id, name), retry=False, queue=line)
    except OSError as error:
        logger.warning("The broker is away (%s); the beat will dispatch", error)


@shared_task
def dispatch() -> None:
    """Hand every due queue to a worker; sent by the beat each second and done by a worker, so both are alive."""
    beat("beat", "worker")
    for tenant_id, name in wakeups.due():
        poke(tenant_id, name)


@shared_task
def housekeeping() -> None:
    """Daily and hourly chores that apps registered; each decides whether it is time."""
    beat("worker")
    chores.run()


@shared_task
def breathe() -> None:
    """Say that whoever works off CALLS is alive; sent by the beat."""
    beat("caller")


def beat(*names: str) -> None:
    """Say that background processes are alive, in one statement."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=Now()) for name in names],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


def _poke_key(*parts: Any) -> str:
    return "poke:" + ":".join(map(str, parts))
