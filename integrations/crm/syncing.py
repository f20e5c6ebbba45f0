"""One tenant's connections to a CRM, brought up to date: first out, then in; then out what that has asked for."""

import time
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.client import CallFailed
from integrations.connections import verbs
from integrations.crm import backlog, claiming, pace, setting_up
from integrations.crm.interface import Session, crms
from integrations.crm.pulling import Puller
from integrations.crm.sending import Sender
from integrations.models import Connection, CrmCursor
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome

# Minutes between two reads, unless the connection says otherwise.
PULL_EVERY = 5
# What the cursor of the users is called, which are read as a whole.
USERS, DAY = "users", timedelta(days=1)


def work(tenant_id: int, deadline: float, system: str) -> Outcome:
    """A queue's work, outside of any scope: what is to be ordered first, then each running connection of the system."""
    is_ordered = backlog.work(tenant_id, deadline, system)
    with tenant_scope(tenant_id, read_only=True):
        rows = list(Connection.objects.filter(system=system, state=Connection.State.ACTIVE).order_by("pk"))
    outcomes = [_connection(row, deadline) for row in rows]
    moments = [outcome.next_due for outcome in outcomes if outcome.next_due]
    return Outcome(
        next_due=min(moments, default=None), has_more=not is_ordered or any(one.has_more for one in outcomes)
    )


def _connection(connection: Connection, deadline: float) -> Outcome:
    with tenant_scope(connection.tenant_id, read_only=True):
        held = pace.held_until(connection)
    if held is not None:
        return Outcome(next_due=held)
    try:
        is_done = sync(connection, crms.of(connection.system).open(connection), deadline)
    except CallFailed as failure:
        with tenant_scope(connection.tenant_id):
            pace.rest(connection, failure)
        is_done = True
    with tenant_scope(connection.tenant_id):
        return Outcome(next_due=_next_due(connection), has_more=not is_done)


def sync(connection: Connection, session: Session, deadline: float) -> bool:
    """Write what waits, read what is due, write what follows from it; True if all is done. Raises CallFailed."""
    if not Sender(connection, session, deadline).go():
        return False
    if connection.next_sync_at is not None and connection.next_sync_at > timezone.now():
        return True
    if not Puller(connection, session, deadline).go():
        return False
    _keep_users(connection, session)
    every = timedelta(minutes=connection.settings.get("pull_minutes", PULL_EVERY))
    with tenant_scope(connection.tenant_id):
        verbs.schedule(connection, timezone.now() + every)
    return time.monotonic() < deadline and Sender(connection, session, deadline).go()


def _keep_users(connection: Connection, session: Session) -> None:
    """Look once a day who works there by now."""
    with tenant_scope(connection.tenant_id):
        cursor, _is_new = CrmCursor.objects.get_or_create(connection=connection, table=USERS)
    if cursor.read_at is not None and timezone.now() - cursor.read_at < DAY:
        return
    people = session.users()
    with tenant_scope(connection.tenant_id):
        setting_up.keep_users(connection, people)
        CrmCursor.objects.filter(pk=cursor.pk).update(read_at=timezone.now())


def _next_due(connection: Connection) -> datetime | None:
    """When to look again: the next read or change, but not before the connection may be called."""
    connection.refresh_from_db(fields=["state", "next_sync_at"])
    if connection.state != Connection.State.ACTIVE:
        return None
    moments = [at for at in (connection.next_sync_at, claiming.next_due(connection)) if at]
    due = min(moments, default=None)
    held = pace.held_until(connection)
    return max(due, held) if due and held else due
