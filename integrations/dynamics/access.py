"""Bearer tokens by client credentials: Entra ID's v2 endpoint gives one for an hour, and no refresh token.

A connection's settings: `environment_url` (https://contoso.crm4.dynamics.com) and `tenant_id`, the directory's; its
credentials: `client_id` and `client_secret` of the app registration.
"""

from datetime import timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrations.client import Client, NeedsAuthorisation, Rejected
from integrations.connections import verbs
from integrations.connections.tokens import Granted
from integrations.models import Connection
from tenants.secrets import Unreadable

# What Entra ID's commonest refusals mean, and what to do about them.
_MEANINGS = {
    "AADSTS7000215": _("The client secret is wrong. Enter the secret’s value, not its ID."),
    "AADSTS7000222": _("The client secret has expired. Make a new one for the app registration and enter it."),
    "AADSTS700016": _("There is no app registration with this client ID in the directory."),
    "AADSTS90002": _("There is no directory with this tenant ID."),
    "AADSTS500011": _("The directory knows no environment at this address."),
    "AADSTS70011": _("The environment’s address cannot be asked for access."),
}


def environment(connection: Connection) -> str:
    """The environment's address, without a slash at the end."""
    return str(connection.settings.get("environment_url", "")).rstrip("/")


def fetch(connection: Connection) -> Granted:
    """Ask for a token, outside of any transaction; raises NeedsAuthorisation with what to do, or another CallFailed."""
    try:
        secrets = verbs.secrets_of(connection)
    except Unreadable as error:
        raise NeedsAuthorisation(str(error)) from None
    form = {
        "grant_type": "client_credentials",
        "client_id": secrets.get("client_id", ""),
        "client_secret": secrets.get("client_secret", ""),
        "scope": f"{environment(connection)}/.default",
    }
    # The sandbox has its Entra ID below the environment's own address.
    login = environment(connection) if connection.is_sandbox else settings.DATAVERSE_LOGIN_URL
    path = f"/{quote(str(connection.settings.get('tenant_id', '')), safe='')}/oauth2/v2.0/token"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = Client("entra", login).call("POST", path, body=urlencode(form).encode(), headers=headers, is_safe=True)
    except (Rejected, NeedsAuthorisation) as refusal:
        raise NeedsAuthorisation(in_words(refusal.text), status=refusal.status, code=refusal.code) from None
    lasts = timedelta(seconds=int(answer.json.get("expires_in", 0)))
    return Granted(answer.json["access_token"], timezone.now() + lasts)


def in_words(refusal: str) -> str:
    """What a refusal means, before its own words."""
    meaning = next((str(words) for code, words in _MEANINGS.items() if f"{code}:" in refusal), "")
    return f"{meaning} ({refusal})" if meaning else refusal
