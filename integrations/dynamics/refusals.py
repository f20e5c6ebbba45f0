"""What Dataverse's refusals mean: by status and code, where the code is not documented by its words."""

import re

from integrations.client import CallFailed, NeedsAuthorisation, Rejected, Unavailable
from integrations.crm.interface import Outcome, Result
from integrations.dynamics.odata import Part

DUPLICATE, NOT_FOUND, NO_SUCH_KEY = "0x80040333", "0x80040217", "0x80060891"
EXPIRED, UNTRACKED = "0x80044352", "0x80044320"
# "lead With Id = 3b1f… Does Not Exist", also of what a look-up leads to.
_GONE = re.compile(r"with id = ([0-9a-f-]{36}) does not exist", re.IGNORECASE)
_CLOSED = re.compile(r"\b(is|already) closed\b|reactivate", re.IGNORECASE)


def result(part: Part) -> Result:
    """What a unit comes to of which a part was refused."""
    code, text = part.refusal
    said = f"{part.status}: {text}" if text else str(part.status)
    gone = _GONE.findall(text)
    if part.status == 412 and code != DUPLICATE:
        return Result(Outcome.CONFLICT, error=said)
    if gone or code == NOT_FOUND:
        return Result(Outcome.GONE, error=said, missing=gone)
    if part.status == 400 and _CLOSED.search(text):
        return Result(Outcome.CLOSED, error=said)
    if part.status == 403:
        return Result(Outcome.DENIED, error=said)
    if code == NO_SUCH_KEY or part.status in (401, 408, 429) or part.status >= 500:
        return Result(Outcome.LATER, error=said)
    return Result(Outcome.REJECTED, error=said)


def failure(part: Part) -> CallFailed:
    """A read within a batch that came to nothing, as if it had been a call of its own."""
    code, words = part.refusal
    text = f"{part.status}: {words}"
    if part.status == 401:
        return NeedsAuthorisation(text, status=401)
    kind = Unavailable if part.status == 429 or part.status >= 500 else Rejected
    return kind(text, status=part.status, code=code)


def is_expired(refusal: Rejected) -> bool:
    """Whether a delta link is too old; its status and code are not documented, its words are."""
    words = refusal.text.lower()
    is_about_it = "expired" in words and ("delta" in words or "token" in words or "version stamp" in words)
    return refusal.code == EXPIRED or refusal.status == 410 or is_about_it


def is_untracked(refusal: Rejected) -> bool:
    """Whether change tracking is off for the table."""
    return refusal.code == UNTRACKED or "change tracking is not enabled" in refusal.text.lower()
