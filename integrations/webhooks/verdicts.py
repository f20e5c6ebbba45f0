"""What the answer to a call means, and when to try again.

Standard Webhooks: only 2xx is success; a redirect is a failure; 410 means "no more". Otherwise answers are of three
classes. *Soon*: the receiver is busy or broken, which passes; the schedule begins with seconds. *Later*: somebody there
has to do something (a sign-in, an address, a certificate); it begins with minutes. *Never*: this message will not be
taken however often it is sent.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from django.utils import timezone

from integrations.calling import Answer, Unreachable

# Seconds after each attempt: at once, then 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
SCHEDULE = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# Where the schedule begins for what somebody has to mend.
LATER_FROM = 1
# Each wait is longer or shorter by up to this share, so that a receiver that comes back is not run over.
JITTER = 0.2
# A receiver may ask for no longer a wait than this.
LONGEST_WAIT = timedelta(hours=24)

NEVER_STATUSES = frozenset({400, 405, 406, 411, 413, 414, 415, 422, 431, 501, 505})
SOON_STATUSES = frozenset({408, 409, 421, 423, 425, 429})
# With these a Retry-After holds for all that goes to the endpoint.
THROTTLING = frozenset({429, 503})
GONE = 410


class Verdict(StrEnum):
    DELIVERED = "delivered"
    SOON = "soon"
    LATER = "later"
    NEVER = "never"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Attempted:
    """A call that is over: what it came to, how long it took, and how long the receiver asks to wait."""

    verdict: Verdict
    duration_ms: int
    status: int | None = None
    error: str = ""
    response: str = ""
    # Refused by the guard.
    is_refused: bool = False
    wait: timedelta | None = None

    @property
    def is_throttled(self) -> bool:
        """Whether the wait that was asked for is meant for everything that goes there."""
        return self.status in THROTTLING and self.wait is not None


def of_answer(answer: Answer, duration_ms: int, now: datetime | None = None) -> Attempted:
    """The verdict on an answer."""
    status = answer.status
    if 200 <= status < 300:
        verdict = Verdict.DELIVERED
    elif status == GONE:
        verdict = Verdict.GONE
    elif status in NEVER_STATUSES:
        verdict = Verdict.NEVER
    elif status in SOON_STATUSES or status >= 500:
        verdict = Verdict.SOON
    else:
        verdict = Verdict.LATER
    wait = retry_after(answer.headers.get("retry-after", ""), now or timezone.now())
    return Attempted(verdict, duration_ms, status, response=answer.text, wait=wait)


def of_failure(failure: Unreachable, duration_ms: int) -> Attempted:
    """The verdict on no answer."""
    verdicts = {"refused": Verdict.NEVER, "tls": Verdict.LATER}
    verdict = verdicts.get(failure.reason, Verdict.SOON)
    return Attempted(verdict, duration_ms, error=str(failure), is_refused=failure.reason == "refused")


def retry_after(value: str, now: datetime) -> timedelta | None:
    """What Retry-After says, in seconds or as an HTTP date; None if it says nothing that makes sense."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=min(int(value[:9]), 10**8)), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return min(max(moment - now, timedelta(0)), LONGEST_WAIT)


def next_wait(attempted: Attempted, step: int, draw: float | None = None) -> tuple[timedelta, int] | None:
    """(how long to wait, the schedule's next step) after attempt number `step` (0: the first); None: given up.

    `draw` is a random number from 0 to 1. A wait that the receiver asks for is kept if it is longer.
    """
    if attempted.verdict == Verdict.LATER:
        step = max(step, LATER_FROM)
    if step >= len(SCHEDULE):
        return None
    share = 1 + JITTER * (2 * (random.random() if draw is None else draw) - 1)
    wait = timedelta(seconds=SCHEDULE[step] * share)
    return max(wait, attempted.wait or wait), step + 1
