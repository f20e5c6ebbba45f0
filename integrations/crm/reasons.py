"""Why a change was parked, waits or was cancelled, and what is wrong with a record: kept as codes, said in words.

Whoever keeps it is a worker, and whoever reads it has a language of her own. What a CRM itself has said is kept, and
shown, as it came.
"""

import json
from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants.registry import Text

UNFIT, REJECTED, CLOSED, EXHAUSTED, ERASED, GONE, SAME, CARRIED, UNLINKED, CONTESTED, OVERTAKEN, UNREADABLE = (
    *("unfit", "rejected", "closed", "exhausted", "erased", "gone", "same", "carried", "unlinked", "contested"),
    *("overtaken", "unreadable"),
)
WORDS: dict[str, Text] = {
    UNFIT: _("a value does not fit there"),
    REJECTED: _("it was not accepted there"),
    CLOSED: _("it is closed there"),
    EXHAUSTED: _("all attempts failed"),
    ERASED: _("the contact was erased"),
    GONE: _("it does not exist here any more"),
    SAME: _("there was nothing to change"),
    CARRIED: _("the handoff brings it along"),
    UNLINKED: _("it was deleted there"),
    OVERTAKEN: _("a later change of the record took its place"),
    UNREADABLE: _("what is kept here cannot be read: see the worker's log"),
    CONTESTED: _("it was changed there again and again"),
}
# What is said in detail, with the words that stand in it.
DETAILS: dict[str, Text] = {
    "empty": _("%(column)s must not be empty"),
    "too_long": _("%(column)s takes %(most)d characters, not %(count)d"),
    "no_choice": _("%(column)s has no choice “%(value)s”"),
    "no_yes_no": _("%(column)s takes yes or no"),
    "no_number": _("%(column)s takes a number"),
    "no_whole_number": _("%(column)s takes a whole number"),
    "out_of_range": _("%(column)s takes numbers from %(low)s to %(high)s"),
    "no_date": _("%(column)s takes a date"),
    "not_written": _("%(column)s cannot be written"),
    "not_read": _("Cannot be read: %(columns)s"),
    "deleted": _("It was deleted there."),
}


def said(code: str, **words: Any) -> str:
    """One of DETAILS as it is kept."""
    return json.dumps([code, words], ensure_ascii=False)


def in_words(kept: str) -> Text:
    """A reason or a detail in the reader's language; anything else is a CRM's own words."""
    try:
        code, words = json.loads(kept) if kept.startswith("[") else (kept, None)
        return WORDS.get(code, kept) if words is None else str(DETAILS[code]) % words
    except (ValueError, KeyError, TypeError):
        return kept
