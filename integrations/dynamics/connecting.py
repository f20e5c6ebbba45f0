"""Setting a connection to Dynamics up: the environment, what is there, who works there, the sandbox.

connection = add(Environment(…), by=member)
try_out(connection)                     # calls out: outside of any scope; what it found stands on the page
start(connection, by=member)            # the schedule begins
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.client import CallFailed, Client
from integrations.connections import verbs
from integrations.crm import erasing
from integrations.crm import setting_up as crm
from integrations.crm.interface import Finding, crms
from integrations.crm.mapped import summary_column
from integrations.crm.planning import FOLLOW_UP_DAYS
from integrations.crm.syncing import PULL_EVERY
from integrations.dynamics.crm import KEY as SYSTEM
from integrations.dynamics.tables import CONTACTED, KEY_COLUMN
from integrations.models import Connection, Entity, RecordLink, SalesUser
from integrations.sandbox import known
from tenants import audit
from tenants.models import Member
from tenants.scope import tenant_scope

# In a connection's `settings`: what its test found, and when.
FINDINGS, TESTED_AT = "findings", "tested_at"


def is_sandbox_offered() -> bool:
    """Whether this installation runs a stand-in."""
    return bool(settings.SANDBOX_URL)


@dataclass(frozen=True)
class Environment:
    """Where an environment is, what the app registration is known by there, and where our key stands."""

    name: str
    environment_url: str
    tenant_id: str
    client_id: str
    # Empty where the one that is kept is to stay.
    client_secret: str = field(repr=False)
    key_column: str = KEY_COLUMN

    @property
    def settings(self) -> dict[str, str]:
        return {"environment_url": self.environment_url, "tenant_id": self.tenant_id, "key_column": self.key_column}


def add(given: Environment, *, by: Member) -> Connection:
    """A connection to an environment, to be tried out next."""
    credentials = {"client_id": given.client_id, "client_secret": given.client_secret}
    return verbs.add(SYSTEM, given.name, by=by, credentials=credentials, settings=given.settings)


def add_sandbox(*, by: Member) -> Connection:
    """A connection to an environment of the stand-in that is nobody else's."""
    app, place = {"client_id": known.CLIENT_ID, "client_secret": known.CLIENT_SECRET}, {"tenant_id": known.TENANT_ID}
    connection = verbs.add(SYSTEM, _("Dynamics sandbox"), by=by, credentials=app, settings=place, is_sandbox=True)
    _set(connection, environment_url=f"{settings.SANDBOX_URL}/dynamics/{connection.tenant_id}-{connection.pk}")
    return connection


def people_sandbox(connection: Connection) -> None:
    """Give our members accounts at the stand-in, as a company's admin would have done. Raises client.CallFailed."""
    with tenant_scope(connection.tenant_id, read_only=True):
        users = [_as_user(member) for member in members_of(connection)]
    Client(SYSTEM, connection.settings["environment_url"]).call("POST", "/_ctl/seed", data={"systemusers": users})


def change(connection: Connection, given: Environment, *, by: Member) -> None:
    """Other details; what came by the old ones is forgotten: tokens, and what a test found."""
    kept = verbs.secrets_of(connection)
    secret = given.client_secret or kept.get("client_secret", "")
    credentials = {"client_id": given.client_id, "client_secret": secret}
    is_elsewhere = any(connection.settings.get(key) != value for key, value in given.settings.items())
    connection.name = given.name
    connection.save(update_fields=["name"])
    _set(connection, **given.settings)
    if credentials != kept or is_elsewhere:
        verbs.replace_credentials(connection, credentials, by=by)
        _set(connection, **{FINDINGS: [], TESTED_AT: None})
    audit.write("connection.changed", connection, by=by, detail={"environment": given.environment_url})


def try_out(connection: Connection) -> bool:
    """Look whether everything is there that is needed, and read what can be mapped and who works there.

    Outside of any scope. What it found is kept for the page; False if something is missing.
    """
    try:
        found = crms.of(SYSTEM).open(connection).check()
        if is_complete := all(each.is_fine or each.is_optional for each in found):
            crm.learn(connection)
    except CallFailed as failure:
        found, is_complete = [Finding(_("Environment"), False, failure.text)], False
    with tenant_scope(connection.tenant_id):
        kept = [{**asdict(each), "name": str(each.name), "text": str(each.text)} for each in found]
        _set(connection, **{FINDINGS: kept, TESTED_AT: timezone.now().isoformat()})
    return is_complete


def tested_at(connection: Connection) -> datetime | None:
    """When it was tried out last."""
    said = connection.settings.get(TESTED_AT)
    return datetime.fromisoformat(said) if said else None


def start(connection: Connection, *, by: Member) -> bool:
    """Let the schedule begin; False if its test has not found everything."""
    return is_complete(connection) and verbs.activate(connection, by=by)


def is_complete(connection: Connection) -> bool:
    """Whether its last test found everything that is needed."""
    found = connection.settings.get(FINDINGS) or []
    return bool(found) and all(each["is_fine"] or each["is_optional"] for each in found)


def rules_of(connection: Connection) -> dict[str, Any]:
    """How leads are handed over by a connection, with what holds where nothing was said."""
    kept = connection.settings
    return {
        "default_owner": kept.get("default_owner") or "",
        "summary_column": summary_column(connection),
        "follow_up_days": kept.get("follow_up_days", FOLLOW_UP_DAYS),
        "handoff_sources": kept.get("handoff_sources", []),
        "accepted_statuses": kept.get("accepted_statuses", [CONTACTED]),
        "recycle_reasons": kept.get("recycle_reasons", []),
        "on_erasure": erasing.way(connection),
        "pull_minutes": kept.get("pull_minutes", PULL_EVERY),
    }


def set_rules(connection: Connection, rules: Mapping[str, Any], *, by: Member) -> None:
    """Say how leads are handed over from now on."""
    before = rules_of(connection)
    changed = {name: value for name, value in rules.items() if value != before[name]}
    if changed:
        _set(connection, **changed)
        if "summary_column" in changed:
            # In the other column there is nothing of ours yet.
            RecordLink.objects.filter(connection=connection, entity=Entity.LEAD).update(summaries=[])
        audit.write("dynamics.rules_changed", connection, by=by, detail={"rules": sorted(changed)})


def map_members(connection: Connection, chosen: Mapping[int, int | None], *, by: Member) -> None:
    """Say who each member is there: {member's id: sales user's id, None for nobody}; only what differs is touched."""
    users = {row.pk: row for row in SalesUser.objects.filter(connection=connection).select_related("member")}
    members = {member.pk: member for member in members_of(connection)}
    for row in users.values():
        if row.member_id is not None and chosen.get(row.member_id, row.pk) != row.pk:
            crm.choose_member(row, None, by=by)
    for member, user in chosen.items():
        if user is not None and users[user].member_id != member:
            crm.choose_member(users[user], members[member], by=by)


def members_of(connection: Connection) -> list[Member]:
    """The company's people."""
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
