"""Setting a connection to Dynamics up: the environment and its test, the sandbox, mappings, who is who."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from integrations.client import CallFailed
from integrations.connections import verbs
from integrations.crm import ours, setting_up
from integrations.dynamics import connecting, fitting, mapping, queries
from integrations.dynamics.connecting import Environment
from integrations.forms.dynamics import DetailForm, EnvironmentForm, MappingForm, MembersForm, RulesForm
from integrations.models import MAPPED, Connection, FieldMapping
from tenants.access import Right, allow
from tenants.forms import refuse
from tenants.responses import done
from tenants.scope import tenant_scope


@allow(Right.MANAGE, scoped=False)
def new(request: Any) -> HttpResponse:
    """Connect an environment: its details are kept, then tried out at once."""
    form = EnvironmentForm(request.POST or None, initial={"name": "Dynamics 365"})
    if request.method == "POST" and form.is_valid():
        with tenant_scope(request.tenant):
            connection = connecting.add(Environment(**form.cleaned_data), by=request.member)
        return _tried_out(request, connection)
    context = {"form": form, "has_sandbox": connecting.is_sandbox_offered()}
    with tenant_scope(request.tenant, read_only=True):
        return render(
            request, "integrations/dynamics/new.html", context, status=422 if request.method == "POST" else 200
        )


@allow(Right.MANAGE, scoped=False)
@require_POST
def new_sandbox(request: Any) -> HttpResponse:
    """Connect to the stand-in and begin, by one click."""
    if not connecting.is_sandbox_offered():
        raise Http404
    with tenant_scope(request.tenant):
        connection = connecting.add_sandbox(by=request.member)
    try:
        connecting.people_sandbox(connection)
    except CallFailed as error:
        return done(request, str(error), "integrations:dynamics", connection.pk, level="error")
    is_complete = connecting.try_out(connection)
    with tenant_scope(request.tenant):
        if is_complete and connecting.start(connection, by=request.member):
            said = _("The sandbox is connected. Hand a lead over to sales, then look at the sales side.")
            return done(request, said, "integrations:dynamics", connection.pk)
    return done(request, _("Something is missing there."), "integrations:dynamics", connection.pk, level="error")


@allow(Right.MANAGE)
def edit(request: Any, pk: int) -> HttpResponse:
    """Other details of the environment."""
    connection = _connection(pk)
    if connection.is_sandbox:
        raise Http404
    initial = {
        "name": connection.name,
        **{key: connection.settings.get(key, "") for key in ("environment_url", "tenant_id")},
        "key_column": fitting.key_column(connection),
        "client_id": verbs.secrets_of(connection).get("client_id", ""),
    }
    form = EnvironmentForm(request.POST or None, initial=initial, connection=connection)
    if request.method == "POST" and form.is_valid():
        connecting.change(connection, Environment(**form.cleaned_data), by=request.member)
        return done(request, _("Saved. Test the connection now."), "integrations:dynamics", pk)
    context = {"form": form, "connection": connection}
    return render(request, "integrations/dynamics/edit.html", context, status=422 if request.method == "POST" else 200)


@allow(Right.MANAGE, scoped=False)
@require_POST
def test(request: Any, pk: int) -> HttpResponse:
    """Look whether everything is there."""
    with tenant_scope(request.tenant, read_only=True):
        connection = _connection(pk)
    return _tried_out(request, connection)


@allow(Right.MANAGE)
@require_POST
def start(request: Any, pk: int) -> HttpResponse:
    """Let the schedule begin."""
    if connecting.start(_connection(pk), by=request.member):
        return done(request, _("It has begun: the first sync reads everything."), "integrations:dynamics", pk)
    return done(
        request, _("Something is missing yet: test the connection."), "integrations:dynamics", pk, level="warning"
    )


@allow(Right.MANAGE, scoped=False)
@require_POST
def learn(request: Any, pk: int) -> HttpResponse:
    """Read their columns and their people again."""
    with tenant_scope(request.tenant, read_only=True):
        connection = _connection(pk)
    to = "integrations:dynamics_members" if request.POST.get("back") == "members" else "integrations:dynamics_fields"
    try:
        setting_up.learn(connection)
    except CallFailed as error:
        return done(request, str(error), to, pk, level="error")
    return done(request, _("Read again."), to, pk)


@allow(Right.MANAGE)
def fields(request: Any, pk: int) -> HttpResponse:
    """Which fields go where, and who decides about each."""
    connection = _connection(pk)
    context = {
        "connection": connection,
        "entities": queries.mappings(connection),
        "fetched_at": queries.fetched_at(connection),
        "tab": "fields",
    }
    return render(request, "integrations/dynamics/fields.html", context)


@allow(Right.MANAGE)
def new_field(request: Any, pk: int, entity: str) -> HttpResponse:
    """Map one more field."""
    connection, names = _connection(pk), {each.value: each.label for each in MAPPED}
    if entity not in names:
        raise Http404
    targets, columns = queries.unmapped(connection, entity)
    form = MappingForm(request.POST or None, targets=targets, columns=columns)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            mapping.put(connection, **given, by=request.member)
        except setting_up.BadMapping as error:
            refuse(form, error)
        else:
            if columns[given["remote"]].options:
                said = _("Mapped. Say which choices stand for each other.")
                return done(request, said, "integrations:dynamics_field", pk, given["field"])
            return done(request, _("Mapped."), "integrations:dynamics_fields", pk)
    context = {"connection": connection, "form": form, "entity": names[entity], "tab": "fields"}
    return render(request, "integrations/dynamics/field_new.html", context, status=_status(request))


@allow(Right.MANAGE)
def field(request: Any, pk: int, key: str) -> HttpResponse:
    """One mapping: who decides, and which choices stand for each other."""
    row = get_object_or_404(FieldMapping.objects.select_related("connection"), connection=_connection(pk), field=key)
    target, column = ours.fields().get(key), queries.columns(row.connection, row.entity).get(row.remote)
    context: dict[str, Any] = {"connection": row.connection, "row": row, "target": target, "column": column}
    context["tab"] = "fields"
    if target is None or column is None:
        return render(request, "integrations/dynamics/field.html", context)
    form = DetailForm(request.POST or None, row=row, target=target, column=column)
    if request.method == "POST" and form.is_valid():
        try:
            owner = form.cleaned_data["owner"]
            mapping.put(row.connection, key, row.remote, owner, form.options, by=request.member)
            return done(request, _("Saved."), "integrations:dynamics_fields", pk)
        except setting_up.BadMapping as error:
            refuse(form, error)
    context |= {"form": form, "takes": fitting.in_words(column), "warning": fitting.warning(target, column)}
    return render(request, "integrations/dynamics/field.html", context, status=_status(request))


@allow(Right.MANAGE)
@require_POST
def remove_field(request: Any, pk: int, key: str) -> HttpResponse:
    """Map a field no more."""
    row = get_object_or_404(FieldMapping.objects.select_related("connection"), connection=_connection(pk), field=key)
    try:
        mapping.remove(row, by=request.member)
    except setting_up.BadMapping as error:
        return done(request, str(error), "integrations:dynamics_fields", pk, level="error")
    return done(request, _("Both sides keep what they have."), "integrations:dynamics_fields", pk)


@allow(Right.MANAGE)
def members(request: Any, pk: int) -> HttpResponse:
    """Who each of our members is there."""
    connection = _connection(pk)
    users = queries.sales_users(connection)
    form = MembersForm(request.POST or None, members=connecting.members_of(connection), users=users)
    if request.method == "POST" and form.is_valid():
        connecting.map_members(connection, form.chosen, by=request.member)
        return done(request, _("Saved."), "integrations:dynamics_members", pk)
    context = {"connection": connection, "form": form, "users": users, "tab": "members"}
    return render(request, "integrations/dynamics/members.html", context, status=_status(request))


@allow(Right.MANAGE)
def rules(request: Any, pk: int) -> HttpResponse:
    """How leads are handed over, and what counts as what when they come back."""
    connection = _connection(pk)
    kept = connecting.rules_of(connection)
    kept["accepted_statuses"] = ", ".join(map(str, kept["accepted_statuses"]))
    kept["recycle_reasons"] = "\n".join(kept["recycle_reasons"])
    users, columns = queries.sales_users(connection), queries.summary_columns(connection)
    form = RulesForm(request.POST or None, initial=kept, users=users, columns=columns)
    if request.method == "POST" and form.is_valid():
        connecting.set_rules(connection, form.cleaned_data, by=request.member)
        return done(request, _("Saved. It holds from now on."), "integrations:dynamics_rules", pk)
    context = {"connection": connection, "form": form, "tab": "rules"}
    return render(request, "integrations/dynamics/rules.html", context, status=_status(request))


def _tried_out(request: Any, connection: Connection) -> HttpResponse:
    if connecting.try_out(connection):
        said = _("Everything is there.")
        return done(request, said, "integrations:dynamics", connection.pk)
    said = _("Something is missing: the page says what.")
    return done(request, said, "integrations:dynamics", connection.pk, level="warning")


def _connection(pk: int) -> Connection:
    return get_object_or_404(queries.connections(), pk=pk)


def _status(request: Any) -> int:
    return 422 if request.method == "POST" else 200
