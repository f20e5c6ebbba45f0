"""A LinkedIn of one company: who may come in, and which resource answers."""

import random
import re
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

from integrations.sandbox.http import Reply, Request, World
from integrations.sandbox.linkedin import company, refusals, restli, seeding
from integrations.sandbox.linkedin.finders import LEADS, Finders
from integrations.sandbox.linkedin.oauth import OAuth
from integrations.sandbox.linkedin.pushing import Pushing
from integrations.sandbox.linkedin.refusals import Refusal
from integrations.sandbox.linkedin.store import Lead, Store, Subscription

VERSION = re.compile(r"20\d\d(0[1-9]|1[0-2])")
LONGEST_QUERY = 4_000
RESOURCE = re.compile(r"/rest/([A-Za-z]+)(?:/([^/]+))?(?:/([A-Za-z]+))?/?")


class LinkedIn(World):
    """One stand-in. Untouched it is the LinkedIn of a believable company; `reset` with a seed empties it."""

    verbs: ClassVar[dict[str, Callable[[Any, Any], Any]]] = {
        "deliver": lambda world, asked: world.pushing.deliver(asked),
        "arrive": lambda world, asked: world.arrive(int(asked.get("count", 1))),
        "consent": lambda world, asked: world.oauth.consent(asked, world.clock.now().timestamp()),
        "about": lambda world, asked: world.about(),
    }

    def reset(self, seed: int | None, now: datetime | None) -> None:
        """Without a seed the built-in company again; with one nothing but the application."""
        self.store = Store()
        self.oauth = OAuth(self.store)
        self.pushing = Pushing(self.store, self._now)
        self.finders = Finders(self.store, self._now, self.seed)
        self._chance = random.Random(seed)
        self._arrived: list[Lead] = []
        # Built in: the day up to which responses have been made, and those of today that are still to come.
        self._settled: date | None = None
        self._coming: list[Lead] = []
        if seed is None:
            self._since = self.clock.now().date() - timedelta(days=company.DAYS)
            company.settle(self.store, self._since + timedelta(days=company.DAYS))
            self._settled = self._since - timedelta(days=1)
            self._live_on()

    def seed(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add records; see `seeding`."""
        return seeding.seed(self.store, data, self._now())

    def handle(self, request: Request) -> Reply:
        self._live_on()
        try:
            reply = self._answer(request)
        except Refusal as refusal:
            reply = refusal.reply()
        except restli.Malformed as error:
            reply = Refusal(400, str(error)).reply()
        reply.headers += [
            ("Date", format_datetime(self.clock.now(), usegmt=True)),
            (
                "x-li-uuid",
                "".join(self._chance.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz0123456789", k=22))
                + "==",
            ),
            ("x-li-fabric", "prod-sandbox"),
            ("Set-Cookie", "lidc=b=OGST00:s=O; Path=/"),
        ]
        return reply

    def arrive(self, count: int) -> dict[str, Any]:
        """New responses to the built-in forms, now; whoever subscribed is told a moment later."""
        if self._settled is None:
            raise ValueError("only the built-in company has visitors")
        made = []
        for _ in range(max(1, min(count, 100))):
            form, campaign, _often = self._chance.choices(company.SOURCES, [row[2] for row in company.SOURCES])[0]
            number = self._chance.randrange(10**6, 10**7)
            made.append(company.one(self.store, number, form, campaign, self.clock.now(), self._chance))
        self._arrived += made
        self.store.responses.add(made)
        ids = [lead.id for lead in made]
        if self.store.subscriptions:
            threading.Thread(target=self.pushing.deliver, args=({"leads": ids},), daemon=True).start()
        return {"added": ids}

    def about(self) -> dict[str, Any]:
        """What there is, for the page of the sandbox."""
        self._live_on()
        return {
            **self.store.counts(),
            "client_id": self.store.app.client_id,
            "client_secret": self.store.app.client_secret,
        }

    def dump(self) -> Any:
        """What a restart would lose of the built-in company: tokens, subscriptions, what arrived by the button."""
        if self._settled is None:
            return None
        return {
            "since": self._since.isoformat(),
            "grants": self.oauth.dump(),
            "revoked_before": self.store.revoked_before,
            "subscriptions": [asdict(row) for row in self.store.subscriptions.values()],
            "arrived": [asdict(lead) for lead in self._arrived],
        }

    def load(self, kept: Any) -> None:
        self._since = date.fromisoformat(kept["since"])
        company.settle(self.store, self._since + timedelta(days=company.DAYS))
        self._settled, self._coming = self._since - timedelta(days=1), []
        self.oauth.load(kept["grants"])
        self.store.revoked_before = kept["revoked_before"]
        self.store.subscriptions = {row["id"]: Subscription(**row) for row in kept["subscriptions"]}
        self._arrived = [Lead(**{**row, "owner": tuple(row["owner"])}) for row in kept["arrived"]]
        self.store.responses.add(self._arrived)
        self._live_on()

    def _live_on(self) -> None:
        """Make the responses of the days that have begun, and let come those whose moment has."""
        if self._settled is None:
            return
        today = self.clock.now().date()
        while self._settled < today:
            self._settled += timedelta(days=1)
            self._coming += company.of_day(self.store, self.key, self._settled)
        now = self._now()
        if self._coming and self._coming[0].submitted_at <= now:
            self.store.responses.add([lead for lead in self._coming if lead.submitted_at <= now])
            self._coming = [lead for lead in self._coming if lead.submitted_at > now]

    def _answer(self, request: Request) -> Reply:
        seconds = self.clock.now().timestamp()
        if request.path == "/oauth/v2/authorization":
            if request.method == "POST":
                return self.oauth.decide(request, seconds)
            return self.oauth.authorise(request, seconds, f"{self.url}/oauth/v2/authorization")
        if request.method == "POST" and request.path == "/oauth/v2/accessToken":
            return self.oauth.token(request, seconds)
        if request.method == "POST" and request.path == "/oauth/v2/introspectToken":
            return self.oauth.introspect(request, seconds)
        if not request.path.startswith("/rest/"):
            raise refusals.not_found(request.path)
        return self._resource(request, seconds)

    def _resource(self, request: Request, seconds: float) -> Reply:
        scopes = self.oauth.bearer(request, seconds)
        self._check_version(request)
        method, query = request.method, request.query
        if method == "POST" and request.header("X-HTTP-Method-Override").upper() == "GET":
            if not request.header("Content-Type").startswith("application/x-www-form-urlencoded"):
                raise Refusal(415, "Query tunnelling needs application/x-www-form-urlencoded")
            method, query = "GET", request.body.decode()
        elif len(query) > LONGEST_QUERY:
            raise Refusal(414, "Request-URI Too Long")
        elif method == "POST" and not request.header("Content-Length"):
            raise Refusal(411, "Length Required")
        elif request.body and not request.header("Content-Type").startswith("application/json"):
            raise Refusal(415, "Unsupported Media Type")
        if query and request.header("X-Restli-Protocol-Version") != "2.0.0":
            raise Refusal(400, "Invalid query parameters passed to request", service=0)
        if not (found := RESOURCE.fullmatch(request.path)):
            raise refusals.not_found(request.path)
        name, id, below = found.groups()  # noqa: A001
        self._count(name)
        asked = restli.parse(query)
        if name == "leadNotifications":
            return self._notifications(method, id, asked, scopes, request)
        if method != "GET":
            raise Refusal(405, f"Method {method} is not supported")
        return self._read(name, id, below, asked, scopes)

    def _read(self, name: str, id: str | None, below: str | None, asked: dict[str, Any], scopes: list[str]) -> Reply:  # noqa: A002
        find = self.finders
        if below == "adCampaigns" and name == "adAccounts" and id and id.isdigit():
            return find.campaigns(int(id), asked, scopes)
        if below:
            raise refusals.not_found(f"{name}/{id}/{below}")
        if id:
            by_id = {"leadForms": find.form, "leadFormResponses": find.response}
            if name in by_id:
                return by_id[name](id, asked, scopes)
        else:
            by_name = {
                "adAccounts": find.accounts, "organizationAcls": find.acls, "leadForms": find.forms,
                "leadFormResponses": find.responses, "adAnalytics": find.analytics,
            }  # fmt: skip
            if name in by_name:
                return by_name[name](asked, scopes)
        raise refusals.not_found(name)

    def _notifications(
        self, method: str, id: str | None, asked: dict[str, Any], scopes: list[str], request: Request  # noqa: A002
    ) -> Reply:  # fmt: skip
        if LEADS not in scopes:
            raise refusals.denied(f"leadNotifications.{method}")
        if method == "POST" and not id:
            return self.pushing.subscribe(request)
        if method == "GET":
            return self.pushing.one(id) if id else self.pushing.find(asked)
        if method == "DELETE" and id:
            return self.pushing.unsubscribe(id)
        raise Refusal(405, f"Method {method} is not supported")

    def _check_version(self, request: Request) -> None:
        version = request.header("LinkedIn-Version")
        if not version:
            text = "A version must be present. Please specify a version by adding the LinkedIn-Version header."
            raise Refusal(400, text, "VERSION_MISSING")
        if not VERSION.fullmatch(version):
            raise Refusal(400, "Invalid version", "INVALID_VERSION")
        if version not in (self.store.active_versions or self._active_versions()):
            raise Refusal(426, f"Requested version {version}01 is not active", "NONEXISTENT_VERSION")

    def _active_versions(self) -> list[str]:
        """A version a month, each for a year and half a month; there was none in December 2025."""
        today = self.clock.now().date()
        months = (today.year * 12 + today.month - 1 - back for back in range(13))
        found = [f"{month // 12}{month % 12 + 1:02}" for month in months]
        return [version for version in found[: 13 if today.day <= 15 else 12] if version != "202512"]

    def _count(self, resource: str) -> None:
        """Daily limits, which end at midnight UTC; nothing in the answer says so."""
        if resource not in self.store.limits:
            return
        key = f"{resource} {self.clock.now().date()}"
        self.store.calls[key] = self.store.calls.get(key, 0) + 1
        if self.store.calls[key] > self.store.limits[resource]:
            raise refusals.too_many()

    def _now(self) -> int:
        return int(self.clock.now().timestamp() * 1000)
