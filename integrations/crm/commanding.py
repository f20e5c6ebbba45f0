"""Syncing from a terminal: what the queue does, until all is done."""

import time

from integrations.connections import verbs
from integrations.crm.interface import crms
from integrations.models import Connection, CrmChange, CrmCursor, SyncRun
from integrations.systems import systems
from tenants import wakeups
from tenants.models import Tenant
from tenants.scope import tenant_scope

# Seconds that one turn of the queue may take; then others get theirs.
TURN = 20.0


class NotConnected(ValueError):
    """The company has no running connection to that system; the text says so."""


def sync(tenant: Tenant, system: str, *, is_anew: bool = False, patience: float = 3_600) -> list[SyncRun]:
    """Sync a company's connections to a CRM now; returns the runs of it. Outside of any scope.

    `is_anew`: everything is read again, as after an expired position. A worker that is at it already is waited for.
    """
    with tenant_scope(tenant):
        rows = list(Connection.objects.filter(system=system, state=Connection.State.ACTIVE))
        last = SyncRun.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        for row in rows:
            if is_anew:
                CrmCursor.objects.filter(connection=row).update(position="")
            verbs.sync_now(row)
    if not rows:
        raise NotConnected(f"{tenant} has no running connection to {crms.of(system).key}.")
    queue, until = systems.of(system).queue, time.monotonic() + patience
    while time.monotonic() < until and (wakeups.work(tenant.pk, queue, TURN) or _is_due(tenant, rows)):
        time.sleep(0.1)
    with tenant_scope(tenant, read_only=True):
        return list(SyncRun.objects.filter(pk__gt=last, connection__in=rows).order_by("pk"))


def _is_due(tenant: Tenant, rows: list[Connection]) -> bool:
    """Whether somebody else's turn goes on, or ours has been interrupted."""
    with tenant_scope(tenant, read_only=True):
        return SyncRun.objects.filter(connection__in=rows, state=SyncRun.State.RUNNING).exists()


def parked(tenant: Tenant, system: str) -> int:
    """How many changes wait for somebody."""
    with tenant_scope(tenant, read_only=True):
        return CrmChange.objects.filter(connection__system=system, state=CrmChange.State.PARKED).count()
