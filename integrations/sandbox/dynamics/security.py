"""Who may do what: tokens of Entra ID, the application user, its role's privileges, and the service-protection limits.

Names of privileges are Dataverse's: prvReadLead, prvCreateContact, prvAppendToAccount, …
"""

import random
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from integrations.sandbox.dynamics import errors
from integrations.sandbox.dynamics.columns import Table
from integrations.sandbox.dynamics.tables import TABLES
from integrations.sandbox.http import Clock, Reply, Request
from integrations.sandbox.known import CLIENT_ID, CLIENT_SECRET, TENANT_ID

TOKEN_LIFE = 3599
VERBS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign")


def privilege(verb: str, table: str) -> str:
    # Activities share one set of privileges.
    name = "Activity" if table in ("task", "phonecall", "appointment") else NAMES.get(table, table.capitalize())
    return f"prv{verb}{name}"


NAMES = {"systemuser": "User", "transactioncurrency": "TransactionCurrency"}
ALL = frozenset(privilege(verb, table) for verb in VERBS for table in TABLES)


@dataclass
class Security:
    """The door of one organisation."""

    clock: Clock
    scope: str
    user: str
    secret: str = CLIENT_SECRET
    is_secret_expired: bool = False
    has_application_user: bool = True
    withdrawn: set[str] = field(default_factory=set)
    # Privileges that hold for the records of a business unit alone.
    narrow: set[str] = field(default_factory=set)
    tokens: dict[str, datetime] = field(default_factory=dict)

    def token(self, tenant: str, request: Request) -> Reply:
        """The token endpoint of Entra ID, client credentials only."""
        form = dict(parse_qsl(request.body.decode("latin-1")))
        problem = self._problem(tenant, request, form)
        if problem is not None:
            status, error, number, text = problem
            return Reply.json(
                status,
                {
                    "error": error,
                    "error_description": f"AADSTS{number}: {text} Trace ID: 0c1d Correlation ID: 7e2f",
                    "error_codes": [number],
                    "timestamp": self.clock.now().strftime("%Y-%m-%d %H:%M:%SZ"),
                    "trace_id": "0c1d0000-0000-4000-8000-000000000000",
                    "correlation_id": "7e2f0000-0000-4000-8000-000000000000",
                },
            )
        token = f"eyJ0.{random.getrandbits(256):064x}.sandbox"
        now = self.clock.now()
        self.tokens = {known: until for known, until in self.tokens.items() if until > now}
        self.tokens[token] = now + timedelta(seconds=TOKEN_LIFE)
        body = {"token_type": "Bearer", "expires_in": TOKEN_LIFE, "ext_expires_in": TOKEN_LIFE, "access_token": token}
        return Reply.json(200, body, Cache_Control="no-store")

    def _problem(self, tenant: str, request: Request, form: dict[str, str]) -> tuple[int, str, int, str] | None:
        is_form = request.header("Content-Type").startswith("application/x-www-form-urlencoded")
        if request.method != "POST" or not is_form or "grant_type" not in form:
            return 400, "invalid_request", 900144, "The request body must contain: 'grant_type'."
        if form["grant_type"] != "client_credentials":
            return 400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type."
        if tenant != TENANT_ID:
            return 400, "invalid_request", 90002, f"Tenant '{tenant}' not found."
        if form.get("client_id") != CLIENT_ID:
            return (
                400, "unauthorized_client", 700016,
                f"Application with identifier '{form.get('client_id', '')}' was not found in the directory.",
            )  # fmt: skip
        if form.get("client_secret") != self.secret:
            return 401, "invalid_client", 7000215, "Invalid client secret provided."
        if self.is_secret_expired:
            return 401, "invalid_client", 7000222, "The provided client secret keys for app are expired."
        wanted = form.get("scope", "")
        if not wanted.endswith("/.default"):
            return 400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid."
        if wanted.removesuffix("/.default").rstrip("/") != self.scope:
            return (
                400, "invalid_resource", 500011,
                f"The resource principal named {wanted.removesuffix('/.default')} was not found in the tenant.",
            )  # fmt: skip
        return None

    def admit(self, request: Request) -> Reply | None:
        """The refusal of a caller without a valid token or application user; None lets it in."""
        kind, _, token = request.header("Authorization").partition(" ")
        until = self.tokens.get(token)
        if kind != "Bearer" or until is None or until <= self.clock.now():
            challenge = f"Bearer authorization_uri={self.scope}/{TENANT_ID}/oauth2/authorize, resource_id={self.scope}/"
            return Reply(401, b"", [("WWW-Authenticate", challenge)])
        return None if self.has_application_user else errors.NO_MEMBER.reply()

    def demand(self, verb: str, table: Table) -> None:
        """Raises Refusal if the role lacks the privilege."""
        wanted = privilege(verb, table.name)
        if wanted in self.withdrawn:
            raise errors.lacks(self.user, wanted, table.name)

    def privileges(self) -> list[dict[str, Any]]:
        """What `RetrieveUserPrivileges` answers."""
        return [
            {"Depth": "Local" if name in self.narrow else "Global", "PrivilegeName": name}
            for name in sorted(ALL - self.withdrawn)
        ]


@dataclass
class Limits:
    """Service protection: requests within a sliding window, and at the same time. Whoever pushes on waits longer."""

    clock: Clock
    requests: int = 6_000
    window: float = 300
    concurrent: int = 52
    _times: deque[datetime] = field(default_factory=deque)
    _pushed: int = 0

    def admit(self, in_flight: int) -> errors.Refusal | None:
        now = self.clock.now()
        since = now - timedelta(seconds=self.window)
        while self._times and (self._times[0] <= since or self._times[0] > now):
            self._times.popleft()
        if in_flight > self.concurrent:
            text = f"Number of concurrent requests exceeded the limit of {self.concurrent}."
            return self._refusal("0x80072326", text, 1)
        if len(self._times) >= self.requests:
            free = (self._times[0] - since).total_seconds()
            text = (
                f"Number of requests exceeded the limit of {self.requests} over time window of {self.window:g} seconds."
            )
            return self._refusal("0x80072322", text, max(1, round(free)))
        self._times.append(now)
        self._pushed = 0
        return None

    def _refusal(self, code: str, text: str, wait: int) -> errors.Refusal:
        self._pushed += 1
        return errors.Refusal(429, code, text, Retry_After=str(wait + 2 * (self._pushed - 1)))

    @property
    def left(self) -> dict[str, str]:
        """The headers that come with each answer."""
        return {
            "x_ms_ratelimit_burst_remaining_xrm_requests": str(self.requests - len(self._times)),
            "x_ms_ratelimit_time_remaining_xrm_requests": "1,199.60",
        }
