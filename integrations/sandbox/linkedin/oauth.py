"""LinkedIn's side of OAuth 2.0: the page that asks the member, codes, tokens, refreshing, introspection."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from integrations.sandbox.http import Reply, Request
from integrations.sandbox.linkedin import refusals
from integrations.sandbox.linkedin.store import Store

CODE_SECONDS = 1_800
LOCAL = ("localhost", "127.0.0.1", "::1")
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in | LinkedIn stand-in</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#1b1f23;
background:#fff}}h1{{font-size:1.5rem}}button{{font:inherit;padding:.5rem 1.25rem;border-radius:1.5rem;border:1px solid
#0a5ca8;margin-right:.5rem;background:#fff;color:#0a5ca8}}button.go{{background:#0a5ca8;color:#fff}}</style></head><body><main>
<h1>{name} would like to</h1><ul>{scopes}</ul><p>This is the built-in stand-in for LinkedIn. No account is needed, and
nothing leaves this machine.</p><form method="post" action="{action}">{fields}
<button class="go" name="answer" value="allow">Allow</button><button name="answer" value="refuse">Refuse</button></form>
</main></body></html>"""
SAID = {
    "r_marketing_leadgen_automation": "read the leads of your forms",
    "r_ads": "read your ad accounts and campaigns",
    "r_ads_reporting": "read the figures of your ads",
    "r_organization_admin": "see which pages you manage",
    "r_events": "read your events",
}
NO_CODE = (
    "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. "
    "Or authorization code expired. Or external member binding exists"
)
NO_REFRESH = "The provided authorization grant or refresh token is invalid, expired or revoked"


@dataclass
class Grant:
    """A code, an access token or a refresh token, and what it stands for; instants in seconds."""

    kind: str
    scopes: list[str]
    given: float
    expires: float
    # Codes: where to, and the challenge of PKCE.
    redirect_uri: str = ""
    challenge: str = ""
    # Access tokens: so often still unknown.
    refusals: int = 0


class OAuth:
    """The tokens of one world."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.grants: dict[str, Grant] = {}

    def authorise(self, request: Request, now: float, action: str) -> Reply:
        """The page that asks; where the redirect address cannot be trusted, an error and no redirect."""
        asked = dict(parse_qsl(request.query, keep_blank_values=True))
        app = self._store.app
        if asked.get("client_id") != app.client_id:
            return _page_error("The passed in client_id is invalid.")
        if not self._may_return_to(asked.get("redirect_uri", "")):
            return _page_error("The redirect_uri does not match the registered value.")
        wanted = asked.get("scope", "").split()
        if asked.get("response_type") != "code" or not asked.get("state"):
            return _back(asked, error="invalid_request", error_description="response_type or state is missing")
        if not wanted or not set(wanted) <= set(app.scopes):
            text = f"Scope {' '.join(sorted(set(wanted) - set(app.scopes)))!r} is not authorized for your application"
            return _back(asked, error="unauthorized_scope_error", error_description=text)
        if not app.asks:
            return self._consented(asked, now)
        fields = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in asked.items())
        scopes = "".join(f"<li>{SAID.get(scope, escape(scope))}</li>" for scope in wanted)
        return Reply.html(
            200, PAGE.format(name="Your application", scopes=scopes, fields=fields, action=escape(action))
        )

    def decide(self, request: Request, now: float) -> Reply:
        """The member's click."""
        asked = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if asked.get("client_id") != self._store.app.client_id or not self._may_return_to(
            asked.get("redirect_uri", "")
        ):
            return _page_error("The request has expired.")
        if asked.get("answer") != "allow":
            text = "The user cancelled the authorization"
            return _back(asked, error="user_cancelled_authorize", error_description=text)
        return self._consented(asked, now)

    def consent(self, asked: dict[str, str], now: float) -> dict[str, str]:
        """The member's click without a browser; `asked` is what the page is asked for. Returns the code."""
        if asked.get("client_id") != self._store.app.client_id or not self._may_return_to(
            asked.get("redirect_uri", "")
        ):
            raise ValueError("client_id or redirect_uri")
        return dict(parse_qsl(urlsplit(self._consented(asked, now).header("Location")).query))

    def token(self, request: Request, now: float) -> Reply:
        """A code or a refresh token becomes an access token."""
        if not request.header("Content-Type").startswith("application/x-www-form-urlencoded"):
            return _refused("invalid_request", "The content type must be application/x-www-form-urlencoded")
        asked = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        app = self._store.app
        if asked.get("client_id") != app.client_id or not _same(asked.get("client_secret", ""), app.client_secret):
            return _refused("invalid_client", "Client authentication failed", 401)
        if asked.get("grant_type") == "authorization_code":
            return self._by_code(asked, now)
        if asked.get("grant_type") == "refresh_token":
            return self._by_refresh(asked, now)
        return _refused("unsupported_grant_type", "The grant type is not supported")

    def introspect(self, request: Request, now: float) -> Reply:
        """What a token is worth."""
        asked = dict(parse_qsl(request.body.decode()))
        app = self._store.app
        if asked.get("client_id") != app.client_id or not _same(asked.get("client_secret", ""), app.client_secret):
            return _refused("invalid_client", "Client authentication failed", 401)
        found = self.grants.get(asked.get("token", ""))
        if found is None or found.kind == "code":
            return Reply.json(200, {"active": False})
        state = "revoked" if self._is_revoked(found) else "expired" if found.expires <= now else "active"
        return Reply.json(200, {
            "active": state == "active", "client_id": app.client_id, "authorized_at": int(found.given),
            "created_at": int(found.given), "status": state, "expires_at": int(found.expires),
            "scope": ",".join(found.scopes), "auth_type": "3L",
        })  # fmt: skip

    def bearer(self, request: Request, now: float) -> list[str]:
        """The scopes of the request's token; raises the refusal that its state deserves."""
        scheme, _, token = request.header("Authorization").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise refusals.no_token()
        found = self.grants.get(token)
        if found is None or found.kind != "access":
            raise refusals.bad_token()
        if self._is_revoked(found):
            raise refusals.revoked_token()
        if found.expires <= now:
            raise refusals.expired_token()
        if found.refusals > 0:
            found.refusals -= 1
            raise refusals.revoked_token()
        return found.scopes

    def dump(self) -> dict[str, Any]:
        return {token: asdict(grant) for token, grant in self.grants.items()}

    def load(self, kept: dict[str, Any]) -> None:
        self.grants = {token: Grant(**grant) for token, grant in kept.items()}

    def _consented(self, asked: dict[str, str], now: float) -> Reply:
        code = "AQT" + secrets.token_urlsafe(40)
        self.grants[code] = Grant(
            "code", asked["scope"].split(), now, now + CODE_SECONDS, asked["redirect_uri"],
            asked.get("code_challenge", ""),
        )  # fmt: skip
        return _back(asked, code=code)

    def _by_code(self, asked: dict[str, str], now: float) -> Reply:
        found = self.grants.pop(asked.get("code", ""), None)
        if (
            found is None
            or found.kind != "code"
            or found.expires <= now
            or found.redirect_uri != asked.get("redirect_uri")
            or (found.challenge and found.challenge != _challenge(asked.get("code_verifier", "")))
        ):
            return _refused("invalid_request", NO_CODE)
        refresh = "AQW" + secrets.token_urlsafe(200)
        life = self._store.app.refresh_seconds
        if not self._store.app.has_refresh_tokens:
            return self._given(found.scopes, now, "", 0)
        self.grants[refresh] = Grant("refresh", found.scopes, now, now + life)
        return self._given(found.scopes, now, refresh, life)

    def _by_refresh(self, asked: dict[str, str], now: float) -> Reply:
        """A new access token; the refresh token stays, and so does the end of its life."""
        token = asked.get("refresh_token", "")
        found = self.grants.get(token)
        if found is None or found.kind != "refresh" or found.expires <= now or self._is_revoked(found):
            return _refused("invalid_request", NO_REFRESH)
        return self._given(found.scopes, now, token, int(found.expires - now))

    def _given(self, scopes: list[str], now: float, refresh: str, remaining: int) -> Reply:
        app = self._store.app
        access = "AQX" + secrets.token_urlsafe(250)
        self.grants[access] = Grant("access", scopes, now, now + app.access_seconds, refusals=app.fresh_refusals)
        answer: dict[str, Any] = {
            "access_token": access,
            "expires_in": app.access_seconds,
            "scope": ",".join(sorted(scopes)),
            "token_type": "Bearer",
        }
        if refresh:
            answer |= {"refresh_token": refresh, "refresh_token_expires_in": remaining}
        return Reply.json(200, answer)

    def _may_return_to(self, uri: str) -> bool:
        """Registered exactly; with none registered any that LinkedIn lets somebody register: https, or this machine."""
        if self._store.app.redirect_uris:
            return uri in self._store.app.redirect_uris
        parts = urlsplit(uri)
        return not parts.fragment and (
            (parts.scheme == "https" and bool(parts.netloc)) or (parts.scheme == "http" and parts.hostname in LOCAL)
        )

    def _is_revoked(self, grant: Grant) -> bool:
        return grant.given < self._store.revoked_before


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _back(asked: dict[str, str], **said: str) -> Reply:
    """Send the browser back to the application."""
    uri = asked["redirect_uri"]
    query = urlencode({**said, "state": asked.get("state", "")})
    return Reply(302, b"", [("Location", f"{uri}{'&' if '?' in uri else '?'}{query}"), ("Cache-Control", "no-store")])


def _refused(error: str, text: str, status: int = 400) -> Reply:
    return Reply.json(status, {"error": error, "error_description": text})


def _page_error(text: str) -> Reply:
    title = "Bummer, something went wrong."
    return Reply.html(400, f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p>{escape(text)}</p>")
