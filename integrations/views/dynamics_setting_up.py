"""Setting a connection to Dynamics up: the environment and its test, the sandbox, mappings, who is who."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from integrations.client import CallFailed
from integrations.connections import verbs
from integrations.crm import ours
from integrations.crm.interface import crms
from integrations.dynamics import fitting, mapping, queries, setting_up
from integrations.forms.dynamics import DetailForm, EnvironmentForm, MappingForm, MembersForm
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
            connection = setting_up.add(**form.cleaned_data, by=request.member)
        return _tried_out(request, connection)
    context = {"form": form, "has_sandbox": setting_up.is_sandbox_offered()}
    with tenant_scope(request.tenant, read_only=True):
        return render(
            request, "integrations/dynamics/new.html", context, status=422 if request.method == "POST" else 200
        )


@allow(Right.MANAGE, scoped=False)
@require_POST
def new_sandbox(request: Any) -> HttpResponse:
    """Connect to the stand-in and begin, by one click."""
    if not setting_up.is_sandbox_offered():
        raise Http404
    with tenant_scope(request.tenant):
        connection = setting_up.add_sandbox(by=request.member)
    try:
        setting_up.people_sandbox(connection)
    except CallFailed as error:
        return done(request, str(error), "integrations:dynamics", connection.pk, level="error")
    is_complete = setting_up.try_out(connection)
    with tenant_scope(request.tenant):
        if is_complete and setting_up.start(connection, by=request.member):
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
        "client_id": verbs.secrets_of(connection).get("client_id", ""),
    }
    form = EnvironmentForm(request.POST or None, initial=initial, connection=connection)
    if request.method == "POST" and form.is_valid():
        setting_up.change(connection, **form.cleaned_data, by=request.member)
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
    if setting_up.start(_connection(pk), by=request.member):
        return done(request, _("It has begun: the first sync reads everything."), "integrations:dynamics", pk)
    return done(request, _("Something is missing yet: test the connection."), "integrations:dynamics", pk, level="warning")


@allow(Right.MANAGE, scoped=False)
@require_POST
def learn(request: Any, pk: int) -> HttpResponse:
    """Read their columns and their people again."""
    with tenant_scope(request.tenant, read_only=True):
        connection = _connection(pk)
    to = "integrations:dynamics_members" if request.POST.get("back") == "members" else "integrations:dynamics_fields"
    try:
        setting_up.learn(connection, crms.of(setting_up.SYSTEM).open(connection))
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
    connection = _connection(pk)
    if entity not in MAPPED:
        raise Http404
    taken = FieldMapping.objects.filter(connection=connection, entity=entity)
    mapped, used = set(taken.values_list("field", flat=True)), set(taken.values_list("remote", flat=True))
    targets = {key: t for key, t in ours.fields().items() if t.entity == entity and key not in mapped}
    columns = {name: c for name, c in queries.columns(connection, entity).items() if name not in used}
    form = MappingForm(request.POST or None, targets=targets, columns=columns)
    if request.method == "POST" and form.is_valid():
        try:
            row = mapping.add(connection, entity, **form.cleaned_data, by=request.member)
        except mapping.Taken as error:
            refuse(form, error)
        else:
            if columns[row.remote].options:
                said = _("Mapped. Say which choices stand for each other.")
                return done(request, said, "integrations:dynamics_field", row.pk)
            return done(request, _("Mapped."), "integrations:dynamics_fields", pk)
    context = {"connection": connection, "form": form, "entity": dict(MAPPED_NAMES)[entity], "tab": "fields"}
    return render(request, "integrations/dynamics/field_new.html", context, status=_status(request))


@allow(Right.MANAGE)
def field(request: Any, pk: int) -> HttpResponse:
    """One mapping: who decides, and which choices stand for each other."""
    row = get_object_or_404(FieldMapping.objects.select_related("connection"), pk=pk)
    target, column = ours.fields().get(row.field), queries.columns(row.connection, row.entity).get(row.remote)
    context = {"connection": row.connection, "row": row, "target": target, "column": column, "tab": "fields"}
    if target is None or column is None:
        return render(request, "integrations/dynamics/field.html", context)
    form = DetailForm(request.POST or None, row=row, target=target, column=column)
    if request.method == "POST" and form.is_valid():
        mapping.change(row, form.cleaned_data["owner"], form.options, by=request.member)
        return done(request, _("Saved."), "integrations:dynamics_fields", row.connection_id)
    words = {"takes": fitting.in_words(column), "warning": fitting.warning(target, column)}
    return render(request, "integrations/dynamics/field.html", {**context, **words, "form": form}, status=_status(request))


@allow(Right.MANAGE)
@require_POST
def remove_field(request: Any, pk: int) -> HttpResponse:
    """Map a field no more."""
    row = get_object_or_404(FieldMapping.objects.select_related("connection"), pk=pk)
    mapping.remove(row, by=request.member)
    return done(request, _("Both sides keep what they have."), "integrations:dynamics_fields", row.connection_id)


@allow(Right.MANAGE)
def members(request: Any, pk: int) -> HttpResponse:
    """Who each of our members is there."""
    connection = _connection(pk)
    users = queries.sales_users(connection)
    form = MembersForm(request.POST or None, members=queries.members(), users=users)
    if request.method == "POST" and form.is_valid():
        setting_up.map_members(connection, form.chosen, by=request.member)
        return done(request, _("Saved."), "integrations:dynamics_members", pk)
    context = {"connection": connection, "form": form, "users": users, "tab": "members"}
    return render(request, "integrations/dynamics/members.html", context, status=_status(request))


MAPPED_NAMES = [(entity.value, entity.label) for entity in MAPPED]


def _tried_out(request: Any, connection: Connection) -> HttpResponse:
    if setting_up.try_out(connection):
        said = _("Everything is there.")
        return done(request, said, "integrations:dynamics", connection.pk)
    said = _("Something is missing: the page says what.")
    return done(request, said, "integrations:dynamics", connection.pk, level="warning")


def _connection(pk: int) -> Connection:
    return get_object_or_404(queries.connections(), pk=pk)


def _status(request: Any) -> int:
    return 422 if request.method == "POST" else 200
