"""Chores that come round by the clock: partitions ahead, nightly checks, clean-ups."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.utils import timezone

from tenants.models import Heartbeat, Tenant
from tenants.scope import tenant_scope

logger = logging.getLogger(__name__)
_chores: dict[str, tuple[timedelta, Callable[[], None]]] = {}


def chore(name: str, every: timedelta) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a function that runs about once per `every`, across tenants, outside any scope."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        _chores[name] = (every, function)
        return function

    return register


def chore_of_tenants(name: str, every: timedelta) -> Callable[[Callable[[], bool]], Callable[[], None]]:
    """Register a function that does a batch in a tenant's scope and returns whether there may be more to do.

    It is called for each tenant, a transaction each time, until there is not.
    """

    def register(function: Callable[[], bool]) -> Callable[[], None]:
        @wraps(function)
        def everywhere() -> None:
            for tenant_id in Tenant.objects.order_by("pk").values_list("pk", flat=True):
                has_more = True
                while has_more:
                    with tenant_scope(tenant_id):
                        has_more = function()

        return chore(name, every)(everywhere)

    return register


def run() -> None:
    """Run the chores whose time has come. One that fails is logged and tried at the next round."""
    for name, (every, function) in _chores.items():
        if not _claim(f"chore:{name}", every):
            continue
        try:
            function()
        except Exception:
            logger.exception("Chore %s failed; it is tried again at the next round", name)
            Heartbeat.objects.filter(name=f"chore:{name}").delete()


def _claim(name: str, every: timedelta) -> bool:
    """Take the turn if it is due: the conditional update lets one process win."""
    now = timezone.now()
    _beat, is_new = Heartbeat.objects.get_or_create(name=name, defaults={"at": now})
    return is_new or Heartbeat.objects.filter(name=name, at__lte=now - every).update(at=now) == 1
