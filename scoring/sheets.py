"""A model as it is read: its rows in words, on the page and as plain text."""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scoring.checks import EACH, NONE, row_errors
from scoring.explain import words_of
from scoring.models import ScoringModel, ScoringRule
from segments.rules import Vocabulary


class Row(NamedTuple):
    """A row in words: for whom, how much, and how often and how long; what is wrong with it."""

    row: ScoringRule
    words: str
    points: int
    terms: str
    errors: list[str]


def rows(model: ScoringModel, vocabulary: Vocabulary | None = None) -> list[Row]:
    """All rows of a model in their order."""
    vocabulary = vocabulary or Vocabulary()
    return [
        Row(row, words_of(row, vocabulary), row.points, terms(row), list(row_errors(row, vocabulary)))
        for row in model.rules.all()
    ]


def terms(row: ScoringRule) -> str:
    """How often and how long a row counts: "for each time, at most 30, half after 30 days"."""
    often: dict[str, str] = {EACH: _("for each time"), NONE: _("if it did not happen")}
    said = [often.get(row.frequency, _("once"))]
    if row.frequency == EACH and row.cap:
        said.append(_("at most %(n)d") % {"n": row.cap})
    if row.half_life_days:
        days = {"n": row.half_life_days}
        said.append(ngettext("half after %(n)d day", "half after %(n)d days", row.half_life_days) % days)
    return ", ".join(said)


def as_text(model: ScoringModel, rows: list[Row]) -> str:
    """The whole model as plain text, to read, send and compare."""
    lines = [model.name, ""]
    lines += [f"{row.points:+5d}  {row.words} ({row.terms})" for row in rows]
    lines += ["", _("Sales-ready from %(n)d") % {"n": model.threshold}]
    if model.lower_limit is not None:
        lines.append(_("Taken back below %(n)d") % {"n": model.lower_limit})
    for grade in model.grades.all():
        bound = _("below the others") if grade.lower_bound is None else _("from %(n)d") % {"n": grade.lower_bound}
        lines.append(_("Grade %(name)s: %(bound)s") % {"name": grade.name, "bound": bound})
    return "\n".join(lines)
