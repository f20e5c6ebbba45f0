"""Connecting LinkedIn: the app, the way to LinkedIn and back, ad accounts; the sandbox."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from integrations.client import CallFailed
from integrations.connections import verbs
from integrations.forms.linkedin import AccountsForm, AppForm, NameForm
from integrations.linkedin import oauth, queries, setting_up
from integrations.models import Connection
from tenants.access import Right, allow
from tenants.links import tenant_url
from tenants.responses import done
from tenants.scope import tenant_scope


@allow(Right.MANAGE)
def new(request: Any) -> HttpResponse:
    """Connect by the company's own app; the other ways stand beside it."""
    form = AppForm(request.POST or None, initial={"name": "LinkedIn", "compares": True})
    if request.method == "POST" and form.is_valid():
        connection = setting_up.add(**form.cleaned_data, by=request.member)
        return done(
            request, _("Saved. Now let LinkedIn know that we may read."), "integrations:linkedin", connection.pk
        )
    context = {"form": form, "return_to": _return_to(request), "has_sandbox": setting_up.is_sandbox_offered()}
    context |= {"scopes": oauth.SCOPES, "reporting": oauth.REPORTING}
    status = 422 if request.method == "POST" else 200
    return render(request, "integrations/linkedin/new.html", context, status=status)


@allow(Right.MANAGE, scoped=False)
@require_POST
def new_sandbox(request: Any) -> HttpResponse:
    """Connect to the stand-in by one click; its page that asks is seen by whoever authorises it again."""
    if not setting_up.is_sandbox_offered():
        raise Http404
    with tenant_scope(request.tenant):
        connection = setting_up.add_sandbox(by=request.member)
    try:
        setting_up.connect_sandbox(connection, by=request.member, return_to=_return_to(request))
    except (oauth.NotAuthorised, CallFailed) as error:
        return done(request, str(error), "integrations:linkedin", connection.pk, level="error")
    return done(request, _("Connected. Two months of leads are coming in."), "integrations:linkedin", connection.pk)


@allow(Right.MANAGE)
def new_without(request: Any) -> HttpResponse:
    """Files and the inbound address only."""
    form = NameForm(request.POST or None, initial={"name": _("LinkedIn by file")})
    if request.method == "POST" and form.is_valid():
        connection = setting_up.add_without_api(form.cleaned_data["name"], by=request.member)
        return done(
            request, _("Upload a file, or let another system send leads in."), "integrations:linkedin", connection.pk
        )
    status = 422 if request.method == "POST" else 200
    return render(request, "integrations/linkedin/new_without.html", {"form": form}, status=status)


@allow(Right.MANAGE)
@require_GET
def authorise(request: Any, pk: int) -> HttpResponse:
    """On to LinkedIn's page that asks the member."""
    connection = get_object_or_404(queries.connections(), pk=pk, credentials__isnull=False)
    return redirect(oauth.authorise_url(connection, by=request.member, return_to=_return_to(request)))


@allow(Right.MANAGE, scoped=False)
@require_GET
def back(request: Any) -> HttpResponse:
    """Back from LinkedIn: with a code, or with the reason why there is none. The signed state says whose it is."""
    number, state = request.GET.get("state", "").partition(".")[0], request.GET.get("state", "")
    with tenant_scope(request.tenant, read_only=True):
        connection = _connection(int(number) if number.isdecimal() and len(number) < 18 else 0)
    try:
        oauth.check_state(connection, state, by=request.member)
        if error := request.GET.get("error", ""):
            raise oauth.NotAuthorised(oauth.refusal(error, request.GET.get("error_description", "")))
        code = request.GET.get("code", "")
        oauth.finish(connection, by=request.member, return_to=_return_to(request), code=code, state=state)
        setting_up.read_accounts(connection)
    except (oauth.NotAuthorised, CallFailed) as error:
        return done(request, str(error), "integrations:linkedin", connection.pk, level="error")
    with tenant_scope(request.tenant):
        if setting_up.go_on(connection, by=request.member):
            said = _("Authorised. It goes on.") if connection.is_running else _("Authorised.")
            return done(request, said, "integrations:linkedin", connection.pk)
    return done(request, _("Authorised. Choose what is read."), "integrations:linkedin_accounts", connection.pk)


@allow(Right.MANAGE)
def app(request: Any, pk: int) -> HttpResponse:
    """Another name or secret of the app, or another app, which has to be authorised anew."""
    connection = get_object_or_404(queries.connections(), pk=pk, credentials__isnull=False)
    client_id = verbs.secrets_of(connection).get("client_id", "")
    initial = {"name": connection.name, "client_id": client_id, "compares": oauth.compares(connection)}
    form = AppForm(request.POST or None, initial=initial, known_id=client_id)
    if request.method == "POST" and form.is_valid():
        has_to_authorise = setting_up.change_app(connection, **form.cleaned_data, by=request.member)
        said = _("Saved. Authorise the connection again.") if has_to_authorise else _("Saved.")
        return done(request, said, "integrations:linkedin", pk)
    context = {"form": form, "connection": connection, "return_to": _return_to(request)}
    return render(request, "integrations/linkedin/app.html", context, status=422 if request.method == "POST" else 200)


@allow(Right.MANAGE)
def accounts(request: Any, pk: int) -> HttpResponse:
    """Which ad accounts are read."""
    connection = _connection(pk)
    rows = queries.accounts_of(connection)
    form = AccountsForm(request.POST if request.method == "POST" else None, accounts=rows)
    if request.method == "POST" and form.is_valid():
        chosen = [row.pk for row in form.cleaned_data["accounts"]]
        setting_up.choose_accounts(connection, chosen, by=request.member)
        return done(request, _("Saved. They are read now; the first time a year back."), "integrations:linkedin", pk)
    context = {"form": form, "connection": connection, "rows": rows}
    status = 422 if request.method == "POST" else 200
    return render(request, "integrations/linkedin/accounts.html", context, status=status)


@allow(Right.MANAGE, scoped=False)
@require_POST
def read_accounts(request: Any, pk: int) -> HttpResponse:
    """Ask LinkedIn for the ad accounts again."""
    with tenant_scope(request.tenant, read_only=True):
        connection = _connection(pk)
    try:
        count = setting_up.read_accounts(connection)
    except CallFailed as error:
        return done(request, str(error), "integrations:linkedin_accounts", pk, level="error")
    text = ngettext("LinkedIn shows %(n)d ad account.", "LinkedIn shows %(n)d ad accounts.", count) % {"n": count}
    return done(request, text, "integrations:linkedin_accounts", pk)


@allow(Right.MANAGE)
def sandbox(request: Any, pk: int) -> HttpResponse:
    """The stand-in: what it is, and what can be made to happen there."""
    return render(request, "integrations/linkedin/sandbox.html", {"connection": _sandbox(pk)})


@allow(Right.MANAGE, scoped=False)
@require_POST
def sandbox_act(request: Any, pk: int) -> HttpResponse:
    """Let people come, or the member withdraw what she allowed."""
    with tenant_scope(request.tenant, read_only=True):
        connection = _sandbox(pk)
    try:
        if request.POST.get("do") == "revoke":
            setting_up.revoke_at_sandbox(connection)
            said = _("Withdrawn. The next sync finds out.")
        else:
            count = setting_up.let_people_come(connection, _count(request.POST.get("count", "")))
            said = ngettext("%(n)d person has sent a form.", "%(n)d people have sent a form.", count) % {"n": count}
    except CallFailed as error:
        return done(request, str(error), "integrations:linkedin_sandbox", pk, level="error")
    with tenant_scope(request.tenant):
        if connection.is_running:
            verbs.sync_now(connection)
    return done(request, said, "integrations:linkedin_sandbox", pk)


def _connection(pk: int) -> Connection:
    return get_object_or_404(queries.connections(), pk=pk)


def _sandbox(pk: int) -> Connection:
    return get_object_or_404(queries.connections(), pk=pk, is_sandbox=True)


def _return_to(request: Any) -> str:
    """The one address of the company that LinkedIn sends people back to: the app at LinkedIn has to name it."""
    return tenant_url(request.tenant, "integrations:linkedin_back")


def _count(text: str) -> int:
    return min(max(int(text), 1), 50) if text.isdecimal() and len(text) < 4 else 3
