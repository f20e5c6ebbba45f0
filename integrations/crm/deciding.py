"""Who wins where the two sides differ: pure, field by field.

`base` is what both sides had when they were last the same. What differs from it has been changed since:

| changed      | marketing owns it | sales owns it | whoever was last          |
|--------------|-------------------|---------------|---------------------------|
| by us        | written there     | ours set back | written there             |
| by them      | theirs set back   | taken over    | taken over                |
| by both      | written there     | taken over    | by the later of the two   |

A gap is filled whoever owns the field: nothing is lost by that. Whether people may be contacted is decided by neither
side alone: a refusal on either side holds.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from integrations.models import FieldMapping

Owner = FieldMapping.Owner
# The owner of what only one side may withdraw: whether somebody wants to be contacted.
STRICTEST = "strictest"


class Unknown:
    """The base of a field that the two sides have never agreed on."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Verdict(StrEnum):
    SAME = "same"
    # Ours is written there.
    PUSH = "push"
    # Theirs is taken over here.
    TAKE = "take"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a field; `is_overwrite`: a change that somebody made is lost by it."""

    verdict: Verdict
    is_overwrite: bool = False


SAME, PUSH, TAKE = (Decision(verdict) for verdict in Verdict)


def decide(
    owner: str,
    ours: Any,
    theirs: Any,
    base: Any = UNKNOWN,
    ours_at: datetime | None = None,
    theirs_at: datetime | None = None,
) -> Decision:
    """Decide about one field. The values are ours by their form, None for empty; `base` UNKNOWN at the first meeting.

    Of two who changed it at the same moment, or at unknown ones, sales was later: they have seen more of the person.
    """
    if ours == theirs:
        return SAME
    if owner == STRICTEST:
        return _strictest(ours, theirs, base)
    if (gap := _gap(ours, theirs, base)) is not None:
        return gap
    have_we = base is UNKNOWN or ours != base
    have_they = base is UNKNOWN or theirs != base
    if owner == Owner.MARKETING:
        return Decision(Verdict.PUSH, is_overwrite=have_they)
    if owner == Owner.SALES:
        return Decision(Verdict.TAKE, is_overwrite=have_we)
    if have_we and have_they:
        are_we_later = ours_at is not None and theirs_at is not None and ours_at > theirs_at
        return Decision(Verdict.PUSH if are_we_later else Verdict.TAKE, is_overwrite=True)
    return PUSH if have_we else TAKE


def _gap(ours: Any, theirs: Any, base: Any) -> Decision | None:
    """A side that has nothing, and never had: it gets what the other has."""
    if base is not None and base is not UNKNOWN:
        return None
    if theirs is None:
        return PUSH
    return TAKE if ours is None else None


def _strictest(ours: bool, theirs: bool, base: Any) -> Decision:
    """A refusal holds. Only we take one back, and only one that both sides had: then we know more since."""
    if ours:
        return Decision(Verdict.PUSH, is_overwrite=base is True)
    return PUSH if base is True else TAKE
