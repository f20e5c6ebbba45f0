"""Why a participation ended before its end, in words."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise] = {
    "end": _("reached the end"),
    "inactive": _("the contact is no longer active"),
    "consent": _("the consent is below the journey's minimum"),
    "excluded": _("the contact is in the journey's exclusion segment"),
    "loop": _("entered this journey more than 10 times in 24 hours"),
    "ended": _("the journey has ended"),
    "tile_removed": _("the step was removed from the journey"),
    "by_hand": _("taken out by hand"),
    "overdue": _("was due while the journey was paused"),
    "merged": _("the contact was merged; its further participation goes on"),
    "goal": _("reached the goal"),
    "replaced": _("started again from the beginning"),
}


def in_words(reason: str) -> str:
    """A reason in words; one that is not of the fixed ones says itself."""
    return str(REASONS.get(reason, reason))


def held_by(reason: str) -> str:
    """What holds somebody up at a tile that fails, as the engine notes it ("error: RuleError: …"); empty: nothing."""
    found = re.fullmatch(r"error: (\w+): (.*)", reason, re.DOTALL)
    return gettext("held up: %(error)s") % {"error": found[2] or found[1]} if found else ""
