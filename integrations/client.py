"""Calls to a partner's API: one client for all systems, which knows what may be tried again.

    client = Client("linkedin", base_url, authoriser, headers={"LinkedIn-Version": "202606"})
    answer = client.call("GET", "/leadForms", query="q=owner&count=100")      # answer.json

| what came back                                    | what is done                                                   |
|---------------------------------------------------|----------------------------------------------------------------|
| 2xx (and JSON, if there is a body)                | returned                                                       |
| 401                                               | one new token, then a few tries with it; NeedsAuthorisation    |
| 429, 503 with Retry-After                         | waited for within PATIENCE; Throttled                          |
| 429, 500, 502, 503, 504, cut off, no JSON         | own backoff with full jitter; Unavailable                      |
| no answer, 500, 502 or 504 after an unsafe write  | Uncertain: it may have been carried out                        |
| any other 3xx, 4xx                                | Rejected, with the partner's own words                         |

Outside of any transaction (`calling`). Neither a token nor a query string is ever logged or part of an error.
"""

import json
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Protocol

from django.utils.translation import gettext as _

from integrations import addresses, calling
from integrations.addresses import Refused
from integrations.calling import Net, Unreachable

logger = logging.getLogger(__name__)

# How often one call is tried, and the seconds that all its waits may take together.
ATTEMPTS, PATIENCE = 5, 30.0
# Seconds of the first backoff, and of the longest.
FIRST, LONGEST = 0.5, 8.0
# Seconds for one call; partners' reports take their time.
DEADLINE = 60.0
TRANSIENT = frozenset({429, 500, 502, 503, 504})
# After these nobody knows whether a write was carried out.
DOUBTFUL = frozenset({500, 502, 504})
# Where partners put the number under which their support finds a call.
TRACES = ("x-li-uuid", "x-ms-service-request-id", "request-id", "sforce-request-id", "x-hubspot-correlation-id")
AGENT = "Onward/1"


class CallFailed(Exception):
    """A call came to nothing. The text is for an admin; `status` is None if there was no answer."""

    def __init__(self, text: str, *, status: int | None = None, code: str = "", trace: str = "") -> None:
        super().__init__(text)
        self.text, self.status, self.code, self.trace = text, status, code, trace


class Unavailable(CallFailed):
    """The partner does not answer, or not sensibly: try again at the next run."""


class Throttled(Unavailable):
    """Too many calls; `wait` says how many seconds the partner wants to be left alone."""

    def __init__(self, text: str, *, wait: float, status: int | None = None, trace: str = "") -> None:
        super().__init__(text, status=status, trace=trace)
        self.wait = wait


class Uncertain(CallFailed):
    """A write was sent and its outcome is unknown: look before repeating it."""


class NeedsAuthorisation(CallFailed):
    """The partner does not accept our authorisation any more: an admin has to connect again."""


class Rejected(CallFailed):
    """The partner understood and said no; the same call will be refused again."""


class Authoriser(Protocol):
    """Where bearer tokens come from; both may raise NeedsAuthorisation."""

    def token(self) -> str:
        """A token that is valid as far as we know."""

    def renew(self, used: str) -> str:
        """Another token than `used`, which the partner has refused; at most one caller fetches it."""


@dataclass(frozen=True)
class Answer:
    """A success: header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body's content; None if it is empty."""
        return json.loads(self.body) if self.body.strip() else None


class Client:
    """A partner's API below one base address (https, or this installation's sandbox)."""

    def __init__(
        self,
        system: str,
        base: str,
        authoriser: Authoriser | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        net: Net | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._system, self._base, self._authoriser = system, base.rstrip("/"), authoriser
        self._headers = {"Accept": "application/json", "User-Agent": AGENT, **(headers or {})}
        self._net, self._pause = net, pause
        # Kept open between calls that may be made twice.
        self._line = calling.Line()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        body: bytes | None = None,
        is_safe: bool | None = None,
        is_json: bool = True,
    ) -> Answer:
        """Make a call by the table above. `path` is below the base, or a whole address of the same origin.

        `query` goes out as it is, so it has to be encoded; `data` as JSON, or `body` as it is. `is_safe`: to do it
        twice is to do it once (every method but POST, unless said otherwise). Raises CallFailed.
        """
        address = self._address(path, query)
        sent = {**self._headers, **(headers or {})}
        if data is not None:
            body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
            sent.setdefault("Content-Type", "application/json")
        return _Call(
            self, method, address, sent, body, method != "POST" if is_safe is None else is_safe, is_json
        ).carry_out()

    def _address(self, path: str, query: str) -> addresses.Address:
        whole = path if path.startswith(("https://", "http://")) else self._base + path
        try:
            address = addresses.parse(whole + (f"?{query}" if query else ""))
            if address.origin != addresses.parse(self._base).origin:
                raise Refused(_("%(name)s named an address of somebody else.") % {"name": self._system})
        except Refused as error:
            raise Rejected(str(error)) from None
        return address


class _Call:
    """One call with its repetitions."""

    def __init__(
        self,
        client: Client,
        method: str,
        address: addresses.Address,
        headers: dict[str, str],
        body: bytes | None,
        is_safe: bool,
        is_json: bool,
    ) -> None:
        self._client, self._method, self._address, self._headers, self._body = client, method, address, headers, body
        self._is_safe, self._is_json = is_safe, is_json
        self._waited, self._token, self._is_renewed = 0.0, "", False

    def carry_out(self) -> Answer:
        failure: CallFailed = Unavailable(_("It was not tried."))
        authoriser = self._client._authoriser
        if authoriser is not None:
            self._token = authoriser.token()
        for attempt in range(ATTEMPTS):
            found = self._once()
            if isinstance(found, Answer):
                return found
            failure = found
            if isinstance(failure, Rejected | Uncertain):
                raise failure
            if isinstance(failure, NeedsAuthorisation) and not self._is_renewed:
                # The token has run out or was withdrawn. A fresh one may be refused for some seconds: tried again.
                if authoriser is None:
                    raise failure
                self._token, self._is_renewed = authoriser.renew(self._token), True
                continue
            if attempt + 1 < ATTEMPTS:
                self._wait(failure, attempt)
        raise failure

    def _once(self) -> Answer | CallFailed:
        """Try once; whatever happens is the answer."""
        began = time.monotonic()
        headers = {**self._headers, **({"Authorization": f"Bearer {self._token}"} if self._token else {})}
        try:
            got = calling.send(
                self._method,
                self._address,
                self._body,
                headers,
                deadline=DEADLINE,
                net=self._client._net,
                line=self._client._line if self._is_safe else None,
            )
        except Unreachable as error:
            self._note(error.reason, began, "")
            return self._no_answer(error)
        trace = next((got.headers[name] for name in TRACES if name in got.headers), "")
        self._note(got.status, began, trace)
        if not 200 <= got.status < 300:
            return self._refusal(got, trace)
        answer = Answer(got.status, got.headers, got.body)
        if self._is_json:
            try:
                answer.json  # noqa: B018 (what is no JSON says so here)
            except ValueError:
                return self._doubt(_("What came back is no JSON."), got.status, trace)
        return answer

    def _no_answer(self, error: Unreachable) -> CallFailed:
        if error.reason == "refused":
            return Rejected(str(error))
        return self._doubt(str(error), None, "") if error.was_sent else Unavailable(str(error))

    def _refusal(self, got: calling.Answer, trace: str) -> CallFailed:
        code, text = in_their_words(got)
        said = f"{got.status}: {text}" if text else str(got.status)
        if got.status == 401:
            return NeedsAuthorisation(said, status=401, code=code, trace=trace)
        wait = _seconds(got.headers.get("retry-after", ""))
        if got.status in (429, 503) and wait is not None:
            return Throttled(said, wait=wait, status=got.status, trace=trace)
        if got.status == 429:
            return Throttled(said, wait=0.0, status=429, trace=trace)
        if got.status in DOUBTFUL:
            return self._doubt(said, got.status, trace)
        kind = Unavailable if got.status in TRANSIENT else Rejected
        return kind(said, status=got.status, code=code, trace=trace)

    def _doubt(self, text: str, status: int | None, trace: str) -> CallFailed:
        """What is said of a call that may have been carried out."""
        return (Unavailable if self._is_safe else Uncertain)(text, status=status, trace=trace)

    def _wait(self, failure: CallFailed, attempt: int) -> None:
        """Wait before the next try, or raise if that would be too long for somebody who holds a worker."""
        backoff = random.uniform(0, min(LONGEST, FIRST * 2**attempt))  # full jitter
        asked = failure.wait if isinstance(failure, Throttled) else 0.0
        seconds = max(asked, backoff)
        if self._waited + seconds > PATIENCE:
            raise failure
        self._waited += seconds
        self._client._pause(seconds)

    def _note(self, outcome: int | str, began: float, trace: str) -> None:
        path = self._address.target.partition("?")[0]
        milliseconds = round((time.monotonic() - began) * 1000)
        logger.info("%s %s %s: %s, %d ms %s", self._client._system, self._method, path, outcome, milliseconds, trace)


def in_their_words(got: calling.Answer) -> tuple[str, str]:
    """The code and message of a partner's error (LinkedIn, Dataverse, OAuth, …), without anything that looks secret."""
    try:
        found = json.loads(got.body)
    except ValueError:
        return "", _("The answer is a page, no message.") if b"<" in got.body[:500] else ""
    found = found if isinstance(found, dict) else {}
    nested = found.get("error")
    inner: dict[str, Any] = nested if isinstance(nested, dict) else found
    code = inner.get("code") or inner.get("serviceErrorCode") or found.get("error") or ""
    text = inner.get("message") or inner.get("error_description") or ""
    return str(code)[:100] if not isinstance(code, dict) else "", _without_secrets(str(text))[:300]


def _without_secrets(text: str) -> str:
    """A partner may repeat what it was given: long unbroken words are left out."""
    return re.sub(r"[A-Za-z0-9_\-.~+/=]{40,}", "…", text.replace("\x00", ""))


def _seconds(retry_after: str) -> float | None:
    """Seconds of a Retry-After header, which may be a number or a date; None if it is neither."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
