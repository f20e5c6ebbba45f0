"""Setting a connection to Dynamics up: the environment, what is there, who works there, the sandbox.

connection = add(name, environment_url, tenant_id, client_id, client_secret, by=member)
try_out(connection)                     # calls out: outside of any scope; what it found stands on the page
start(connection, by=member)            # the schedule begins
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.client import CallFailed, Client
from integrations.connections import verbs
from integrations.crm.interface import Finding, Session, User, crms
from integrations.models import MAPPED, Connection, FieldMapping, RemoteTable, SalesUser
from tenants import audit
from tenants.models import Member
from tenants.scope import tenant_scope

SYSTEM = "dynamics"
# What the stand-in's Entra ID knows us by; as public as its source.
SANDBOX_TENANT = "3f6d2c1a-0000-4000-8000-00000000a001"
SANDBOX_APP = {
    "client_id": "3f6d2c1a-0000-4000-8000-00000000c001",
    "client_secret": "sandbox-secret~not-a-real-one",
}
# In a connection's `settings`: what its test found, and when.
FINDINGS, TESTED_AT = "findings", "tested_at"


def is_sandbox_offered() -> bool:
    """Whether this installation runs a stand-in."""
    return bool(settings.SANDBOX_URL)


def add(
    name: str, environment_url: str, tenant_id: str, client_id: str, client_secret: str, *, by: Member
) -> Connection:
    """A connection to an environment, to be tried out next."""
    return verbs.add(
        SYSTEM,
        name,
        by=by,
        credentials={"client_id": client_id, "client_secret": client_secret},
        settings={"environment_url": environment_url, "tenant_id": tenant_id},
    )


def add_sandbox(*, by: Member) -> Connection:
    """A connection to an environment of the stand-in that is nobody else's."""
    known = {"tenant_id": SANDBOX_TENANT}
    name = _("Dynamics sandbox")
    connection = verbs.add(SYSTEM, name, by=by, credentials=SANDBOX_APP, settings=known, is_sandbox=True)
    _set(connection, environment_url=f"{settings.SANDBOX_URL}/dynamics/{connection.tenant_id}-{connection.pk}")
    return connection


def people_sandbox(connection: Connection) -> None:
    """Give our members accounts at the stand-in, as a company's admin would have done. Raises client.CallFailed."""
    with tenant_scope(connection.tenant_id, read_only=True):
        users = [_as_user(member) for member in _members(connection)]
    Client(SYSTEM, connection.settings["environment_url"]).call("POST", "/_ctl/seed", data={"systemusers": users})


def change(
    connection: Connection,
    name: str,
    environment_url: str,
    tenant_id: str,
    client_id: str,
    client_secret: str,
    *,
    by: Member,
) -> None:
    """Other details; an empty secret leaves the one that is kept."""
    kept = verbs.secrets_of(connection)
    credentials = {"client_id": client_id, "client_secret": client_secret or kept.get("client_secret", "")}
    connection.name = name
    connection.save(update_fields=["name"])
    is_elsewhere = (environment_url, tenant_id) != tuple(
        connection.settings.get(key) for key in ("environment_url", "tenant_id")
    )
    _set(connection, environment_url=environment_url, tenant_id=tenant_id)
    if credentials != kept or is_elsewhere:
        verbs.replace_credentials(connection, credentials, by=by)
    audit.write("connection.changed", connection, by=by, detail={"environment": environment_url})


def try_out(connection: Connection) -> bool:
    """Look whether everything is there that is needed, and read what can be mapped and who works there.

    Outside of any scope. What it found is kept for the page; False if something is missing.
    """
    try:
        session = crms.of(SYSTEM).open(connection)
        found = session.check()
        if is_complete := all(each.is_fine or each.is_optional for each in found):
            learn(connection, session)
    except CallFailed as failure:
        found, is_complete = [Finding(_("Environment"), False, failure.text)], False
    with tenant_scope(connection.tenant_id):
        kept = [{**asdict(each), "name": str(each.name), "text": str(each.text)} for each in found]
        _set(connection, **{FINDINGS: kept, TESTED_AT: timezone.now().isoformat()})
    return is_complete


def learn(connection: Connection, session: Session) -> None:
    """Read what their tables can hold and who works there. Outside of any scope; raises client.CallFailed."""
    columns = {entity: session.columns(entity) for entity in MAPPED}
    users = session.users()
    with tenant_scope(connection.tenant_id):
        _keep_columns(connection, columns)
        _keep_users(connection, users)
        _keep_defaults(connection)


def start(connection: Connection, *, by: Member) -> bool:
    """Let the schedule begin; False if its test has not found everything."""
    return is_complete(connection) and verbs.activate(connection, by=by)


def is_complete(connection: Connection) -> bool:
    """Whether its last test found everything that is needed."""
    found = connection.settings.get(FINDINGS) or []
    return bool(found) and all(each["is_fine"] or each["is_optional"] for each in found)


def map_members(connection: Connection, chosen: Mapping[int, int | None], *, by: Member) -> None:
    """Say who each member is there: {member's id: sales user's id or None}; what is said here no address changes."""
    users = {row.pk: row for row in SalesUser.objects.select_for_update().filter(connection=connection)}
    wanted = {user: member for member, user in chosen.items() if user is not None}
    changed = [row for row in users.values() if row.member_id != wanted.get(row.pk)]
    SalesUser.objects.filter(pk__in=[row.pk for row in changed]).update(member=None, is_chosen=True)
    for row in changed:
        if row.pk in wanted:
            SalesUser.objects.filter(pk=row.pk).update(member=wanted[row.pk])
    audit.write("dynamics.members_mapped", connection, by=by, detail={"members": len(wanted)})


def _keep_columns(connection: Connection, columns: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    tables = crms.of(connection.system).tables
    for entity, rows in columns.items():
        RemoteTable.objects.update_or_create(
            connection=connection,
            entity=entity,
            defaults={"name": tables[entity], "columns": list(rows), "fetched_at": timezone.now()},
        )


def _keep_users(connection: Connection, users: Sequence[User]) -> None:
    """Keep everybody who works there; a member with the same address is them, unless somebody said otherwise."""
    known = {row.external_id: row for row in SalesUser.objects.filter(connection=connection)}
    taken = {row.member_id for row in known.values() if row.member_id}
    said = {row.email.lower() for row in known.values() if row.is_chosen}
    members = {member.user.email.lower(): member.pk for member in _members(connection)}
    for user in users:
        row = known.pop(user.external_id, None) or SalesUser(connection=connection, external_id=user.external_id)
        row.name, row.email, row.is_active = user.name[:200], user.email[:254], user.is_active
        member = members.get(row.email.lower())
        if member and member not in taken and row.email.lower() not in said and row.member_id is None:
            row.member_id = member
            taken.add(member)
        row.save()
    SalesUser.objects.filter(pk__in=[row.pk for row in known.values()]).update(is_active=False)


def _keep_defaults(connection: Connection) -> None:
    """The mappings that a new connection begins with, as far as the columns are there."""
    if FieldMapping.objects.filter(connection=connection).exists():
        return
    tables = RemoteTable.objects.filter(connection=connection)
    there = {(table.entity, column["name"]) for table in tables for column in table.columns}
    rows = [
        FieldMapping(
            connection=connection, entity=entity, field=each.field, remote=each.remote, owner=each.owner,
            options=dict(each.options),
        )
        for each in crms.of(connection.system).defaults
        if ((entity := each.field.partition(".")[0]), each.remote) in there
    ]  # fmt: skip
    FieldMapping.objects.bulk_create(rows, ignore_conflicts=True)


def _members(connection: Connection) -> list[Member]:
    rows = Member.objects.filter(tenant_id=connection.tenant_id, is_active=True)
    return list(rows.select_related("user").order_by("pk"))


def _as_user(member: Member) -> dict[str, str]:
    first, _space, last = (member.user.name or member.user.email.partition("@")[0]).partition(" ")
    address = member.user.email
    names = {"firstname": first[:64], "lastname": last[:64] or first[:64]}
    return {**names, "internalemailaddress": address[:100], "domainname": address}


def _set(connection: Connection, **values: Any) -> None:
    """Set some of a connection's settings, leaving what others have set meanwhile."""
    row = Connection.objects.select_for_update().get(pk=connection.pk)
    row.settings |= values
    row.save(update_fields=["settings"])
    connection.settings = row.settings
