"""LinkedIn's OAuth 2.0: a member lets us read her ad accounts' leads; tokens are fetched, and refreshed.

    redirect(authorise_url(connection, by=member, return_to=url))
    finish(connection, by=member, return_to=url, code=…, state=…)

The state is signed and belongs to the member and the connection for half an hour. The proof of PKCE derives from it,
so nothing has to be kept; it is sent only where LinkedIn has enabled it for the app (LINKEDIN_PKCE), since its token
endpoint refuses what it does not expect. A refreshed token does not prolong the authorisation: after a year somebody
has to authorise again, after 60 days if the app gets no refresh tokens.
"""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.client import CallFailed, Client, NeedsAuthorisation, Rejected
from integrations.connections import tokens, verbs
from integrations.connections.tokens import Granted
from integrations.linkedin.places import auth_url
from integrations.models import Connection
from tenants.models import Member
from tenants.scope import tenant_scope

SCOPES = ("r_marketing_leadgen_automation", "r_ads")
# Asked for as well if LinkedIn's own count is to be compared with ours; LinkedIn grants all that is asked, or nothing.
REPORTING = "r_ads_reporting"
# In `settings` of a connection: whether it is compared. Those that do not say so compare.
COMPARES = "compares"
# Seconds for which the member may look at LinkedIn's page.
STATE_AGE = 30 * 60
# For so long after it was given, a token may be unknown to some of LinkedIn's machines.
SETTLING = timedelta(seconds=60)
GRANTED_AT = "granted_at"

_STATE = signing.TimestampSigner(salt="linkedin.state")
_PROOF = signing.Signer(salt="linkedin.pkce")
# What LinkedIn says instead of a code.
_REFUSALS = {
    "user_cancelled_authorize": gettext_lazy("The authorisation was cancelled at LinkedIn."),
    "user_cancelled_login": gettext_lazy("The sign-in was cancelled at LinkedIn."),
    "unauthorized_scope_error": gettext_lazy(
        "LinkedIn has not approved the app for all that it asks for: look at its products in the developer portal. "
        "If only r_ads_reporting is missing, leave out the comparison with LinkedIn's own count."
    ),
}


class NotAuthorised(ValueError):
    """The way back from LinkedIn brought no authorisation; the text says why."""


def scopes(connection: Connection) -> tuple[str, ...]:
    """The permissions that LinkedIn is asked for."""
    return (*SCOPES, REPORTING) if compares(connection) else SCOPES


def compares(connection: Connection) -> bool:
    """Whether LinkedIn's own count is to be compared with ours."""
    return bool(connection.settings.get(COMPARES, True))


def authorise_url(connection: Connection, *, by: Member, return_to: str) -> str:
    """LinkedIn's page that asks the member."""
    state = _STATE.sign(f"{connection.pk}.{by.pk}")
    asked = {
        "response_type": "code",
        "client_id": verbs.secrets_of(connection).get("client_id", ""),
        "redirect_uri": return_to,
        "state": state,
        "scope": " ".join(scopes(connection)),
    }
    if settings.LINKEDIN_PKCE:
        digest = hashlib.sha256(_proof(state).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{auth_url(connection)}/authorization?{urlencode(asked)}"


def check_state(connection: Connection, state: str, *, by: Member) -> None:
    """Raise NotAuthorised unless we have given this member this state for this connection, a short while ago."""
    try:
        said = _STATE.unsign(state, max_age=STATE_AGE)
    except signing.SignatureExpired:
        raise NotAuthorised(_("That took too long. Please authorise again.")) from None
    except signing.BadSignature:
        said = ""
    if said != f"{connection.pk}.{by.pk}":
        raise NotAuthorised(_("This way back from LinkedIn was not yours. Please authorise again."))


def refusal(error: str, description: str = "") -> str:
    """What LinkedIn's `error` on the way back means."""
    known = _REFUSALS.get(error)
    return str(known) if known else _("LinkedIn says: %(text)s") % {"text": (description or error)[:300]}


def finish(connection: Connection, *, by: Member, return_to: str, code: str, state: str) -> None:
    """Turn the code into tokens and keep them. Raises NotAuthorised or client.CallFailed; outside of any scope."""
    check_state(connection, state, by=by)
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": return_to}
    if settings.LINKEDIN_PKCE:
        asked["code_verifier"] = _proof(state)
    granted = _ask(connection, asked)
    with tenant_scope(connection.tenant_id):
        tokens.keep(connection, granted)


def refresh(connection: Connection) -> Granted:
    """Another token by the refresh token; NeedsAuthorisation if there is none, or LinkedIn does not take it.

    A token that is settling and has no refresh token is tried once more as it is.
    """
    if connection.refresh_token is None:
        if connection.token is not None and connection.token_expires_at is not None and is_settling(connection):
            return Granted(connection.token.reveal(), connection.token_expires_at)
        raise NeedsAuthorisation(
            _("The token has run out, and LinkedIn gives this app no refresh tokens: please authorise again.")
        )
    return _ask(connection, {"grant_type": "refresh_token", "refresh_token": connection.refresh_token.reveal()})


def is_settling(connection: Connection) -> bool:
    """Whether the token is so new that a refusal of it means nothing yet."""
    given = connection.settings.get(GRANTED_AT)
    return bool(given) and timezone.now() - datetime.fromisoformat(given) < SETTLING


def _ask(connection: Connection, asked: dict[str, str]) -> Granted:
    secrets = verbs.secrets_of(connection)
    own = {"client_id": secrets.get("client_id", ""), "client_secret": secrets.get("client_secret", "")}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    client = Client("linkedin", auth_url(connection))
    try:
        body = urlencode({**asked, **own}).encode()
        # A code serves once; a refresh token stays, so asking by it again does no harm.
        is_safe = asked["grant_type"] == "refresh_token"
        answer = client.call("POST", "/accessToken", headers=headers, body=body, is_safe=is_safe)
    except (Rejected, NeedsAuthorisation) as error:
        raise NeedsAuthorisation(error.text, status=error.status, code=error.code) from None
    return _granted(connection, answer.json)


def _granted(connection: Connection, given: Any) -> Granted:
    now = timezone.now()
    token = given.get("access_token") if isinstance(given, dict) else None
    if not isinstance(token, str) or not token:
        raise CallFailed(_("LinkedIn gave no token."))
    expires_at = now + timedelta(seconds=_seconds(given.get("expires_in"), 3600))
    refresh_token = str(given.get("refresh_token") or "")
    # Without a refresh token a person has to come back when the token ends.
    left = _seconds(given.get("refresh_token_expires_in"), 0)
    ends_at = now + timedelta(seconds=left) if refresh_token and left else None if refresh_token else expires_at
    with tenant_scope(connection.tenant_id):
        fresh = Connection.objects.select_for_update().get(pk=connection.pk)
        fresh.settings[GRANTED_AT] = now.isoformat()
        fresh.save(update_fields=["settings"])
    connection.settings = fresh.settings
    return Granted(token, expires_at, refresh_token, ends_at)


def _seconds(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and 0 < value < 10**9 else otherwise


def _proof(state: str) -> str:
    """What PKCE asks for: 43 letters that only we can make of the state."""
    return _PROOF.signature(state)
