"""Rules about the people in a journey, in the one rule language: said in words, checked, and asked of many at once.

A rule may become unusable while its journey is live (a field is retired, a purpose deleted). Then nobody is guessed
about: `holding` raises, the engine keeps everybody where they are with the reason, and tries again; the journey's page
and the people's traces name what is wrong.
"""

from collections.abc import Iterable
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from segments import compiler
from segments.models import Segment
from segments.rules import RuleError, Vocabulary, parse, watches
from segments.rules import in_words as rule_in_words

SUBJECT = "contact"
# A trace says why in a line; the card has the whole rule.
SHOWN = 300


def in_words(rule: Any, words: Vocabulary) -> str:
    """The rule as a marketer would say it; of one that cannot be used, that it cannot."""
    try:
        return rule_in_words(parse(rule, SUBJECT, words), words)
    except RuleError:
        return _("a condition that cannot be used any more")


def reasons(rule: Any, words: Vocabulary) -> tuple[str, str]:
    """Why somebody goes on by yes and by no, in a line each."""
    said = Truncator(in_words(rule, words)).chars(SHOWN)
    return said, _("not true: %(rule)s") % {"rule": said}


def problems(rule: Any, words: Vocabulary) -> list[str]:
    """What stands against asking the rule; names the wrong condition by its place."""
    try:
        parsed = parse(rule, SUBJECT, words)
    except RuleError as error:
        return [_at(error)]
    if parsed.is_empty:
        return [_("Add at least one condition.")]
    idle = Segment.objects.filter(pk__in=watches(parsed).segments).exclude(state=Segment.State.LIVE)
    return [_("The segment “%(name)s” is not live.") % {"name": segment} for segment in idle]


def holding(rule: Any, contact_ids: Iterable[int]) -> set[int]:
    """Those of the contacts for whom the rule holds now, by one statement; raises RuleError if it cannot be used."""
    return set(compiler.select_ids(parse(rule, SUBJECT), contact_ids))


def _at(error: RuleError) -> str:
    place = ".".join(str(step + 1) for step in error.path if isinstance(step, int))
    return (
        _("Condition %(place)s: %(message)s") % {"place": place, "message": error.message} if place else error.message
    )
