"""Settings → Integrations: which systems there are, and the tenant's connections to them."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from integrations.connections import queries, verbs
from integrations.models import Connection
from integrations.systems import systems
from tenants.access import Right, allow
from tenants.responses import done
from tenants.scope import tenant_scope


@allow(Right.MANAGE)
def index(request: Any) -> HttpResponse:
    """All systems, and what is connected."""
    return render(request, "integrations/index.html", {"rows": queries.connections(), "systems": list(systems)})


@allow(Right.MANAGE)
@require_POST
def pause(request: Any, pk: int) -> HttpResponse:
    """Hold a connection's schedule."""
    connection = get_object_or_404(Connection, pk=pk)
    is_done = verbs.pause(connection, by=request.member)
    return _said(request, connection, _("Paused. Nothing is fetched or sent until it goes on."), is_done)


@allow(Right.MANAGE)
@require_POST
def resume(request: Any, pk: int) -> HttpResponse:
    """Let a connection's schedule go on."""
    connection = get_object_or_404(Connection, pk=pk)
    is_done = connection.state in verbs.RESUMABLE and verbs.activate(connection, by=request.member)
    return _said(request, connection, _("It goes on."), is_done)


@allow(Right.MANAGE)
@require_POST
def sync(request: Any, pk: int) -> HttpResponse:
    """Sync a connection now."""
    connection = get_object_or_404(Connection, pk=pk)
    if connection.is_running:
        verbs.sync_now(connection)
    return _said(request, connection, _("It is synced now."), connection.is_running)


@allow(Right.MANAGE, scoped=False)
@require_POST
def remove(request: Any, pk: int) -> HttpResponse:
    """Forget a connection, here and at the other side."""
    with tenant_scope(request.tenant, read_only=True):
        connection = get_object_or_404(Connection, pk=pk)
    verbs.remove(connection, by=request.member)
    return done(request, _("%(name)s has been removed.") % {"name": connection}, "integrations:index")


def _said(request: Any, connection: Connection, said: str, is_done: bool) -> HttpResponse:
    url = systems.of(connection.system).url
    if is_done:
        return done(request, said, url, connection.pk)
    return done(request, _("That is not possible now: look at its state."), url, connection.pk, level="warning")
