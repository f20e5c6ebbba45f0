"""What is done with connections. Each but `remove` in the tenant's scope.

Only states are changed that still are what they were.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.client import CallFailed
from integrations.models import Connection
from integrations.systems import systems
from tenants import audit, notifications, wakeups
from tenants.links import tenant_path
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

logger = logging.getLogger(__name__)

State = Connection.State
RUNS = (State.ACTIVE, State.PAUSED)
# What goes on by a click; the others need to be set up or authorised first.
RESUMABLE = (State.PAUSED, State.STOPPED)


def add(
    system: str,
    name: str,
    *,
    by: Member,
    credentials: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    is_sandbox: bool = False,
) -> Connection:
    """A new connection, being set up. `credentials` are kept encrypted and shown to nobody again."""
    connection = Connection.objects.create(
        system=system,
        name=name,
        credentials=json.dumps(dict(credentials)) if credentials else None,
        settings=dict(settings or {}),
        is_sandbox=is_sandbox,
        created_by=by,
    )
    audit.write("connection.added", connection, by=by, detail={"system": system})
    return connection


def secrets_of(connection: Connection) -> dict[str, str]:
    """The credentials, to be sent to the system and nowhere else; raises Unreadable if their key is gone."""
    return json.loads(connection.credentials.reveal()) if connection.credentials else {}


def replace_credentials(connection: Connection, credentials: Mapping[str, str], *, by: Member) -> None:
    """Other credentials; tokens that came by the old ones are forgotten."""
    connection.credentials = json.dumps(dict(credentials))  # type: ignore[assignment]
    connection.token = connection.refresh_token = None  # type: ignore[assignment]
    connection.token_expires_at = connection.authorisation_ends_at = None
    connection.save(
        update_fields=["credentials", "token", "refresh_token", "token_expires_at", "authorisation_ends_at"]
    )
    audit.write("connection.credentials_replaced", connection, by=by)


def activate(connection: Connection, *, by: Member) -> bool:
    """Start the schedule, or start it again after whatever held it; its queue is woken at once."""
    idle = Connection.objects.filter(pk=connection.pk).exclude(state=State.ACTIVE)
    started = idle.update(state=State.ACTIVE, reason="", next_sync_at=timezone.now())
    connection.refresh_from_db()
    if started:
        audit.write("connection.activated", connection, by=by)
        wakeups.announce(systems.of(connection.system).queue)
    return bool(started)


def pause(connection: Connection, *, by: Member) -> bool:
    """Hold the schedule. False if it does not run."""
    paused = Connection.objects.filter(pk=connection.pk, state=State.ACTIVE).update(
        state=State.PAUSED, next_sync_at=None
    )
    if paused:
        audit.write("connection.paused", connection, by=by)
    return bool(paused)


def stop(connection: Connection, reason: str) -> None:
    """The system refuses us for good (version ended, right withdrawn …): no schedule, and the owners are told."""
    _halt(connection, State.STOPPED, reason, _("%(name)s has been stopped"))


def need_authorisation(connection: Connection, reason: str) -> None:
    """The system does not accept our authorisation any more: no schedule until somebody connects again."""
    _halt(connection, State.NEEDS_AUTHORISATION, reason, _("%(name)s needs to be authorised again"))


def remove(connection: Connection, *, by: Member) -> None:
    """Forget a connection with its secrets and what belongs to it; people and leads stay.

    Outside of any scope: the other side is told first, and a refusal of that holds nothing up.
    """
    with tenant_scope(connection.tenant_id):
        # As if it had never run: no run begins meanwhile, and a refusal rings nobody's bell.
        Connection.objects.filter(pk=connection.pk).update(state=State.DRAFT, next_sync_at=None)
    if part := systems.of(connection.system).part:
        try:
            part(connection)
        except CallFailed as error:
            logger.warning("%s could not be told that a connection ends: %s", connection.system, error)
    with tenant_scope(connection.tenant_id):
        audit.write("connection.removed", connection, by=by, detail={"system": connection.system})
        connection.delete()


def sync_now(connection: Connection) -> None:
    """Let the next sync be due at once."""
    schedule(connection, timezone.now())
    wakeups.announce(systems.of(connection.system).queue)


def schedule(connection: Connection, at: datetime) -> None:
    """When the schedule looks at it next; nothing for a connection that does not run."""
    Connection.objects.filter(pk=connection.pk, state=State.ACTIVE).update(next_sync_at=at)


def owners_of(connection: Connection) -> list[Member]:
    """Who is told when a connection does not work."""
    tenant = Tenant.objects.get(pk=connection.tenant_id)
    return list(tenant.members.filter(role=Member.Role.OWNER, is_active=True))


def tell(connection: Connection, title: str, text: str) -> None:
    """Put something about a connection at its owners' bells."""
    tenant = Tenant.objects.get(pk=connection.tenant_id)
    path = tenant_path(tenant, systems.of(connection.system).url, connection.pk)
    for owner in owners_of(connection):
        notifications.notify(owner, "connection", title, text, path)


def _halt(connection: Connection, state: str, reason: str, title: str) -> None:
    """One that is being set up has no schedule to be stopped, and whoever sets it up sees the error itself."""
    others = Connection.objects.filter(pk=connection.pk).exclude(state__in=(state, State.DRAFT))
    if not others.update(state=state, reason=reason[:500], next_sync_at=None):
        return
    connection.refresh_from_db()
    audit.write(f"connection.{state}", connection, by=None, detail={"reason": reason[:500]})
    tell(connection, title % {"name": connection.name}, reason)
