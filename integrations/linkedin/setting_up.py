"""Setting a connection to LinkedIn up: the app, the stand-in, the ways without LinkedIn's approval, ad accounts.

connection = add(name, client_id, client_secret, by=member)     # then oauth.authorise_url, oauth.finish
read_accounts(connection)                                       # calls out: outside of any scope
choose_accounts(connection, ids, by=member)                     # the schedule starts
"""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.db.models import Case, Value, When
from django.utils.translation import gettext as _

from integrations.client import Client
from integrations.connections import verbs
from integrations.linkedin import oauth, push, storing
from integrations.linkedin.api import LinkedIn
from integrations.linkedin.places import sandbox_url
from integrations.linkedin.queries import SYSTEM
from integrations.models import AdAccount, Connection
from tenants import audit
from tenants.models import Member
from tenants.scope import tenant_scope

# What the stand-in knows our application by; as public as its source.
SANDBOX_APP = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}
# In `settings` of a connection that never calls LinkedIn: files and the inbound address only.
WITHOUT_API = "without_api"


def add(name: str, client_id: str, client_secret: str, *, compares: bool = True, by: Member) -> Connection:
    """A connection by the company's own app at LinkedIn, to be authorised next."""
    credentials = {"client_id": client_id, "client_secret": client_secret}
    return verbs.add(SYSTEM, name, by=by, credentials=credentials, settings={oauth.COMPARES: compares})


def add_sandbox(*, by: Member) -> Connection:
    """A connection to the stand-in, to be authorised next."""
    return verbs.add(SYSTEM, _("LinkedIn sandbox"), by=by, credentials=SANDBOX_APP, is_sandbox=True)


def connect_sandbox(connection: Connection, *, by: Member, return_to: str) -> None:
    """What a member does by hand at LinkedIn, done for her at the stand-in: allow, choose all real accounts.

    Outside of any scope. Raises client.CallFailed or oauth.NotAuthorised: it can be authorised by hand then.
    """
    asked = dict(parse_qsl(urlsplit(oauth.authorise_url(connection, by=by, return_to=return_to)).query))
    given = Client(SYSTEM, sandbox_url(connection)).call("POST", "/_ctl/consent", data=asked, is_safe=True).json
    oauth.finish(connection, by=by, return_to=return_to, code=given["code"], state=given["state"])
    read_accounts(connection)
    with tenant_scope(connection.tenant_id):
        accounts = AdAccount.objects.filter(connection=connection, is_test=False)
        choose_accounts(connection, accounts.values_list("pk", flat=True), by=by)


def add_without_api(name: str, *, by: Member) -> Connection:
    """A connection for files and the inbound address: it has no schedule, for there is nothing to be asked."""
    connection = verbs.add(SYSTEM, name, by=by, settings={WITHOUT_API: True})
    Connection.objects.filter(pk=connection.pk).update(state=Connection.State.ACTIVE)
    connection.refresh_from_db()
    return connection


def is_sandbox_offered() -> bool:
    """Whether this installation runs a stand-in."""
    return bool(urlsplit(getattr(settings, "SANDBOX_URL", "") or "").hostname)


def change_app(
    connection: Connection, name: str, client_id: str, client_secret: str, *, compares: bool, by: Member
) -> bool:
    """Another name, id, secret (empty: as it is) or choice. True if the authorisation has to be given anew.

    Another app has none, and knows nothing of the notifications that LinkedIn sends to the former.
    """
    held = verbs.secrets_of(connection)
    asks_more = compares and not oauth.compares(connection)
    connection.name, connection.settings[oauth.COMPARES] = name, compares
    connection.save(update_fields=["name", "settings"])
    audit.write("connection.changed", connection, by=by, detail={"name": name})
    if held.get("client_id") == client_id:
        if client_secret and client_secret != held.get("client_secret"):
            push.replace_secret(connection, client_secret, by=by)
        return asks_more
    verbs.replace_credentials(connection, {"client_id": client_id, "client_secret": client_secret}, by=by)
    AdAccount.objects.filter(connection=connection).update(subscription_id="")
    verbs.need_authorisation(connection, _("It is another app now, which nobody has authorised yet."))
    return True


def read_accounts(connection: Connection) -> int:
    """Ask LinkedIn for the ad accounts that the member may see; returns how many. Raises client.CallFailed.

    The only one is chosen at once, unless somebody has chosen before. Outside of any scope.
    """
    found = LinkedIn(connection).accounts()
    with tenant_scope(connection.tenant_id):
        storing.keep_accounts(connection, found)
        known = AdAccount.objects.filter(connection=connection)
        if len(found) == 1 and not known.filter(is_chosen=True).exists():
            known.filter(external_id=found[0].external_id, is_test=False).update(is_chosen=True)
    return len(found)


def go_on(connection: Connection, *, by: Member) -> bool:
    """Start the schedule again if it was the authorisation that kept it; False if it has never run."""
    if connection.state == Connection.State.NEEDS_AUTHORISATION:
        verbs.activate(connection, by=by)
    return connection.state != Connection.State.DRAFT


def choose_accounts(connection: Connection, chosen: Iterable[int], *, by: Member) -> None:
    """Read exactly these accounts from now on, and start the schedule."""
    ids = list(chosen)
    rows = AdAccount.objects.filter(connection=connection)
    rows.update(is_chosen=Case(When(pk__in=ids, then=Value(True)), default=Value(False)))
    audit.write("linkedin.accounts_chosen", connection, by=by, detail={"accounts": len(ids)})
    if not verbs.activate(connection, by=by):
        verbs.sync_now(connection)


def let_people_come(connection: Connection, count: int) -> int:
    """Let so many people submit forms at the stand-in; returns how many did. Raises client.CallFailed."""
    answer = Client(SYSTEM, sandbox_url(connection)).call("POST", "/_ctl/arrive", data={"count": count})
    return len(answer.json["added"])


def revoke_at_sandbox(connection: Connection) -> None:
    """Let the stand-in's member withdraw what she has allowed. Raises client.CallFailed."""
    Client(SYSTEM, sandbox_url(connection)).call("POST", "/_ctl/seed", data={"revoke": True}, is_safe=True)
