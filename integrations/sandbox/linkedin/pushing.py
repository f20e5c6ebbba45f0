"""Pushes: subscriptions, the challenge that each address has to answer, and deliveries as good or bad as asked for."""

import hashlib
import hmac
import http.client
import json
import random
import secrets
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

from integrations.sandbox.http import Reply, Request
from integrations.sandbox.linkedin import elements, refusals
from integrations.sandbox.linkedin.store import Lead, Store, Subscription

# How often an address has to answer the challenge, and how long it may take; in seconds.
EVERY, PATIENCE = 7_200, 3.0
LOCAL = ("localhost", "127.0.0.1", "::1")
MOST_PER_OWNER = 1_500


def challenge_response(secret: str, code: str) -> str:
    """What an address has to answer."""
    return hmac.new(secret.encode(), code.encode(), hashlib.sha256).hexdigest()


def signature(secret: str, body: bytes) -> str:
    """`X-LI-Signature`: the prefix belongs to what is signed, not to the header."""
    return hmac.new(secret.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()


class Pushing:
    """The notifications of one world; `now` is in milliseconds."""

    def __init__(self, store: Store, now: Callable[[], int]) -> None:
        self._store, self._now = store, now

    def subscribe(self, request: Request) -> Reply:
        """`POST /rest/leadNotifications`."""
        try:
            given = request.json()
            webhook, owner, type_ = given["webhook"], given["owner"], given["leadType"]
        except (ValueError, KeyError, TypeError):
            raise refusals.invalid("webhook") from None
        parts = urlsplit(webhook)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
            raise refusals.invalid("webhook")
        if not isinstance(owner, dict) or len(owner) != 1 or not self._may_subscribe(owner):
            raise refusals.denied("leadNotifications.CREATE")
        existing = [row for row in self._store.subscriptions.values() if row.owner == owner]
        if any((row.webhook, row.type) == (webhook, type_) for row in existing):
            raise refusals.Refusal(409, "The lead notification exists already", "CONFLICT")
        if len(existing) >= MOST_PER_OWNER:
            raise refusals.Refusal(400, "Too many lead notifications for this owner")
        number = max(self._store.subscriptions, default=41) + 1
        extra = {name: given[name] for name in ("versionedForm", "associatedEntity") if name in given}
        self._store.subscriptions[number] = Subscription(number, webhook, owner, type_, extra)
        return Reply(201, b"", [("x-restli-id", str(number))])

    def find(self, asked: dict[str, Any]) -> Reply:
        """`GET /rest/leadNotifications?q=criteria&owner=(value:(…))&leadType=(leadType:…)`."""
        owner = asked.get("owner")
        if asked.get("q") != "criteria" or not isinstance(owner, dict) or not isinstance(owner.get("value"), dict):
            raise refusals.invalid("q" if asked.get("q") != "criteria" else "owner")
        type_ = asked.get("leadType", {})
        found = [
            _written(row)
            for row in self._store.subscriptions.values()
            if row.owner == owner["value"] and (not type_ or row.type == type_.get("leadType"))
        ]
        paging = {"start": 0, "count": len(found), "links": [], "total": len(found)}
        return Reply.json(200, {"paging": paging, "elements": found})

    def one(self, id: str) -> Reply:  # noqa: A002
        return Reply.json(200, _written(self._subscription(id)))

    def unsubscribe(self, id: str) -> Reply:  # noqa: A002
        del self._store.subscriptions[self._subscription(id).id]
        return Reply(204)

    def validate(self, row: Subscription) -> bool:
        """Ask the address for the answer to a challenge, if it is time; three wrong ones in a row block it."""
        if row.is_blocked:
            return False
        if row.validated_at is not None and self._now() - row.validated_at < EVERY * 1000:
            return True
        code = secrets.token_hex(16)
        query = urlencode({"challengeCode": code, "applicationId": self._store.app.client_id})
        status, body = call("GET", f"{row.webhook}?{query}", b"", {})
        wanted = {"challengeCode": code, "challengeResponse": challenge_response(self._store.app.client_secret, code)}
        try:
            is_right = status == 200 and json.loads(body) == wanted
        except ValueError:
            is_right = False
        row.failures = 0 if is_right else row.failures + 1
        row.validated_at = self._now() if is_right else None
        return is_right

    def deliver(self, options: dict[str, Any]) -> dict[str, Any]:
        """Push responses; `leads` (ids; default: those that were not pushed yet), `to` (default: the subscriptions'
        addresses), `action` CREATED or DELETED, `times`, `shuffle` (true, or a number that chooses), `sign` good, bad,
        none, old-secret or changed-body, `seconds`, `blank`, `owner` (another URN), `at_once` (lines side by side).
        Answers with the statuses, in the order of sending: 0 where nobody answered."""
        pushes = self._pushes(options) * int(options.get("times", 1))
        if chosen := options.get("shuffle"):
            random.Random(chosen if isinstance(chosen, int) and chosen is not True else 0).shuffle(pushes)
        lines = int(options.get("at_once", 1))
        if lines > 1:
            with ThreadPoolExecutor(lines) as pool:
                statuses = list(pool.map(lambda push: call("POST", *push)[0], pushes))
        else:
            statuses = [call("POST", *push)[0] for push in pushes]
        blocked = [row.id for row in self._store.subscriptions.values() if row.is_blocked]
        return {"statuses": statuses, "counts": {str(k): n for k, n in Counter(statuses).items()}, "blocked": blocked}

    def _pushes(self, options: dict[str, Any]) -> list[tuple[str, bytes, dict[str, str]]]:
        responses = self._store.responses.by_id
        if "leads" in options:
            # Of one that was withdrawn nothing is known but its id, as it is when LinkedIn tells of it.
            leads: list[Lead | str] = [responses.get(each, each) for each in options["leads"]]
        else:
            leads = [row for row in responses.values() if not row.is_pushed]
        pushes: list[tuple[str, bytes, dict[str, str]]] = []
        for lead in leads:
            pushes += [(address, *self._signed(lead, options)) for address in self._addresses(lead, options)]
            if isinstance(lead, Lead):
                lead.is_pushed = True
        return pushes

    def _addresses(self, lead: Lead | str, options: dict[str, Any]) -> list[str]:
        if "to" in options:
            return [options["to"]]
        return [
            row.webhook
            for row in self._store.subscriptions.values()
            if (isinstance(lead, str) or (row.owner == _owner(lead) and row.type == lead.type)) and self.validate(row)
        ]

    def _signed(self, lead: Lead | str, options: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        occurred = self._now()
        id, form, owner = (  # noqa: A001
            (lead, elements.form_urn(0, 1), {})
            if isinstance(lead, str)
            else (lead.id, elements.form_urn(lead.form, lead.version), _owner(lead))
        )
        told: dict[str, Any] = {
            "type": "LEAD_ACTION",
            "leadGenFormResponse": f"urn:li:leadGenFormResponse:{id}",
            "leadGenForm": form.replace(",", ", ") if options.get("blank", True) else form,
            "owner": {"sponsoredAccount": options["owner"]} if "owner" in options else owner,
            "leadType": "SPONSORED" if isinstance(lead, str) else lead.type,
            "leadAction": options.get("action", "CREATED"),
            "occurredAt": occurred // 1000 if options.get("seconds") else occurred,
        }
        if isinstance(lead, Lead) and lead.creative is not None:
            told["associatedEntity"] = {"associatedCreative": f"urn:li:sponsoredCreative:{lead.creative}"}
        body = json.dumps(told, separators=(",", ":")).encode()
        how, app = options.get("sign", "good"), self._store.app
        secret = {"old-secret": app.old_secret, "bad": "nobody's secret"}.get(how, app.client_secret)
        headers = {"Content-Type": "application/json"}
        if how != "none":
            headers["X-LI-Signature"] = signature(secret, body)
        return (body.replace(b"CREATED", b"DELETED") if how == "changed-body" else body), headers

    def _may_subscribe(self, owner: dict[str, str]) -> bool:
        kind, urn = next(iter(owner.items()))
        number = str(urn).rpartition(":")[2]
        if kind == "sponsoredAccount":
            account = self._store.accounts.get(int(number)) if number.isdigit() else None
            return account is not None and bool(account.role)
        return kind == "organization" and number.isdigit() and int(number) in self._store.organizations

    def _subscription(self, id: str) -> Subscription:  # noqa: A002
        found = self._store.subscriptions.get(int(id)) if id.isdigit() else None
        if found is None:
            raise refusals.not_found(f"leadNotification {id}")
        return found


def call(method: str, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """One request to this machine, nowhere else; status 0 if nobody answers in time."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOCAL:
        return 0, b""
    line = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=PATIENCE)
    try:
        line.request(method, f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", body, headers)
        answer = line.getresponse()
        return answer.status, answer.read(100_000)
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        line.close()


def _owner(lead: Lead) -> dict[str, str]:
    return {lead.owner[0]: f"urn:li:{lead.owner[0]}:{lead.owner[1]}"}


def _written(row: Subscription) -> dict[str, Any]:
    return {"id": row.id, "webhook": row.webhook, "owner": row.owner, "leadType": row.type, **row.extra}
