"""Other ways in than LinkedIn's schedule: files, the inbound address, notifications at once."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from integrations.client import CallFailed
from integrations.forms.linkedin import UploadForm
from integrations.linkedin import files, inbound, push, queries
from integrations.models import Connection, LeadInbox
from tenants.access import Right, allow
from tenants.forms import refuse
from tenants.responses import done
from tenants.scope import tenant_scope


@allow(Right.EDIT_MARKETING)
def upload(request: Any, pk: int) -> HttpResponse:
    """Take a file of Campaign Manager."""
    connection = _connection(pk)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            taken = files.take(connection, form.cleaned_data["file"], form.cleaned_data["name"], by=request.member)
            return done(request, _said(taken), "integrations:linkedin_submissions")
        except files.Unusable as error:
            refuse(form, error, "file")
    context = {"form": form, "connection": connection, "about": files.ABOUT}
    status = 422 if request.method == "POST" else 200
    return render(request, "integrations/linkedin/upload.html", context, status=status)


@allow(Right.MANAGE)
def inbox(request: Any, pk: int) -> HttpResponse:
    """The inbound address; a POST makes it, or another secret, which the answer shows once."""
    connection = _connection(pk)
    secret = inbound.open_inbox(connection, by=request.member) if request.method == "POST" else ""
    context = {
        "connection": connection,
        "inbox": LeadInbox.objects.filter(connection=connection).first(),
        "address": inbound.address(connection),
        "secret": secret,
    }
    response = render(request, "integrations/linkedin/inbox.html", context)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


@allow(Right.MANAGE)
@require_POST
def close_inbox(request: Any, pk: int) -> HttpResponse:
    """Take nothing in by the address any more."""
    inbound.close_inbox(_connection(pk), by=request.member)
    return done(request, _("The address takes nothing in any more."), "integrations:linkedin_inbox", pk)


@allow(Right.MANAGE, scoped=False)
@require_POST
def notify(request: Any, pk: int) -> HttpResponse:
    """Let LinkedIn tell of each lead at once, or end that."""
    with tenant_scope(request.tenant, read_only=True):
        connection = _connection(pk)
    try:
        if request.POST.get("do") == "end":
            push.unsubscribe(connection)
            return done(request, _("Leads come by the schedule only."), "integrations:linkedin", pk)
        refused = push.subscribe(connection)
    except CallFailed as error:
        return done(request, str(error), "integrations:linkedin", pk, level="error")
    if refused:
        return done(request, " ".join(refused), "integrations:linkedin", pk, level="error")
    return done(request, _("LinkedIn tells of each lead at once."), "integrations:linkedin", pk)


def _connection(pk: int) -> Connection:
    return get_object_or_404(queries.connections(), pk=pk)


def _said(taken: files.Taken) -> str:
    """What a file came to, in a sentence or two."""
    said = ngettext("%(n)d row, %(new)d of them new.", "%(n)d rows, %(new)d of them new.", taken.rows)
    faults = " ".join(f"{count} × {fault}." for fault, count in taken.faults.items())
    return f"{said % {'n': taken.rows, 'new': taken.new}} {faults}".strip()
