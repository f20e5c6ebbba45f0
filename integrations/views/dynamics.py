"""Connections to Dynamics: how one is doing, what waits to be written, and each change of a record."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from integrations.crm import backlog, outbox
from integrations.dynamics import by_hand, connecting, queries
from integrations.models import Connection, CrmChange
from leads.errors import MovedMeanwhile
from leads.models import Lead
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.MANAGE)
def detail(request: Any, pk: int) -> HttpResponse:
    """A connection: how it is doing, its runs, what its test found."""
    found = get_object_or_404(queries.connections(), pk=pk)
    findings = found.settings.get(connecting.FINDINGS) or []
    context = {
        **_sync(found),
        "held": queries.held(found),
        "backlog": queries.backlog_of(found),
        "missing": [each for each in findings if not each["is_fine"]],
        "fine": [each for each in findings if each["is_fine"]],
        "tested_at": connecting.tested_at(found),
        "is_complete": connecting.is_complete(found),
        "environment": found.settings.get("environment_url", ""),
        "tab": "overview",
    }
    return render(request, "integrations/dynamics/detail.html", context)


@allow(Right.MANAGE)
def progress(request: Any, pk: int) -> HttpResponse:
    """How far the sync is; when it is over, the page is to be loaded anew."""
    context = _sync(get_object_or_404(queries.connections(), pk=pk))
    response = render(request, "integrations/dynamics/detail.html#sync", context)
    if not context["is_busy"]:
        response["HX-Refresh"] = "true"
    return response


def _sync(found: Connection) -> dict[str, Any]:
    return {
        "connection": found,
        "runs": queries.latest_runs(found),
        "counts": queries.change_counts(found),
        "is_busy": queries.is_busy(found),
    }


@allow(Right.MANAGE)
def changes(request: Any, pk: int) -> HttpResponse:
    """What is to be written, was written, and could not be (`?state=`)."""
    connection = get_object_or_404(queries.connections(), pk=pk)
    state = request.GET.get("state", "")
    state = state if state in CrmChange.State.values else ""
    page = page_of(queries.changes(connection, state), ("-pk",), request.GET)
    context = {
        "connection": connection,
        "page": page,
        "rows": queries.with_names(page.rows),
        "state": state,
        "counts": queries.change_counts(connection),
        "tab": "changes",
    }
    return render(request, "integrations/dynamics/changes.html", context)


@allow(Right.MANAGE)
def change(request: Any, pk: int) -> HttpResponse:
    """One change: why it was ordered, each attempt, what to do about it."""
    row = get_object_or_404(CrmChange.objects.select_related("connection", "link"), pk=pk)
    (shown,) = queries.with_names([row])
    context = {
        "connection": row.connection,
        "change": row,
        "name": shown.name,
        "reason": shown.reason,
        "error": shown.error,
        "page": queries.PAGES.get(row.entity, ""),
        "fields": queries.fields_in_words(row.fields),
        "attempts": queries.attempts(row),
        "tab": "changes",
    }
    return render(request, "integrations/dynamics/change.html", context)


@allow(Right.MANAGE)
@require_POST
def retry(request: Any, pk: int) -> HttpResponse:
    """Try a parked change again."""
    row = get_object_or_404(CrmChange.objects.select_related("connection"), pk=pk)
    if outbox.retry(row, request.member):
        return done(request, _("It is tried again."), "integrations:dynamics_change", pk)
    return done(request, _("It is not parked any more."), "integrations:dynamics_change", pk, level="warning")


@allow(Right.MANAGE)
@require_POST
def dismiss(request: Any, pk: int) -> HttpResponse:
    """Give a change up."""
    row = get_object_or_404(CrmChange.objects.select_related("connection"), pk=pk)
    if outbox.dismiss(row, request.member):
        return done(request, _("It will not be written."), "integrations:dynamics_change", pk)
    return done(request, _("It is on its way, or over."), "integrations:dynamics_change", pk, level="warning")


@allow(Right.MANAGE)
@require_POST
def retry_parked(request: Any, pk: int) -> HttpResponse:
    """Try everything again that is parked."""
    connection = get_object_or_404(queries.connections(), pk=pk)
    count = outbox.retry_parked(connection, request.member)
    text = ngettext("%(n)d change is tried again.", "%(n)d changes are tried again.", count) % {"n": count}
    return done(request, text, "integrations:dynamics_changes", pk)


@allow(Right.MANAGE)
@require_POST
def hand_over_all(request: Any, pk: int) -> HttpResponse:
    """Hand over all leads that sales had before there was the connection."""
    connection = get_object_or_404(queries.connections().exclude(state=Connection.State.DRAFT), pk=pk)
    job = backlog.order(connection, by=request.member)
    return done(request, _("They are being handed over."), "tenants:job", job.pk)


@allow(Right.WORK_LEADS)
@require_POST
def hand_over(request: Any, pk: int, lead: int) -> HttpResponse:
    """Hand a lead over by hand."""
    connection = get_object_or_404(queries.connections(), pk=pk)
    found = get_object_or_404(Lead, pk=lead)
    if connection.state == Connection.State.DRAFT:
        text = _("%(name)s is still being set up.") % {"name": connection}
        return done(request, text, "leads:detail", lead, level="warning")
    try:
        by_hand.hand_over(connection, found, by=request.member)
    except MovedMeanwhile as error:
        return done(request, str(error), "leads:detail", lead, level="error")
    return done(request, _("It is handed over to %(name)s.") % {"name": connection}, "leads:detail", lead)
