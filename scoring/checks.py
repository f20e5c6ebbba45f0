"""What stands in the way of a scoring model going live."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from scoring.models import Grade, ScoringModel, ScoringRule
from scoring.points import LIMIT
from segments.rules import Did, FieldTest, Group, Not, Rule, RuleError, Sequence, Vocabulary, leaves, parse

EACH, NONE = ScoringRule.Frequency.EACH, ScoringRule.Frequency.NONE
# Asking a score about scores would go round in circles.
_SCORES = frozenset({"contact.score", "contact.grade", "lead.score", "lead.grade"})


@dataclass(frozen=True)
class Issue:
    """Something wrong (an error blocks going live) and the row it is in, if it is in one."""

    severity: Literal["error", "warning"]
    message: str
    row: ScoringRule | None = None


def check(model: ScoringModel, vocabulary: Vocabulary | None = None) -> list[Issue]:
    """All that is wrong with a model, errors first."""
    vocabulary, rows = vocabulary or Vocabulary(), list(model.rules.all())
    issues = [Issue("error", message, row) for row in rows for message in row_errors(row, vocabulary)]
    issues += [Issue("error", message) for message in _grade_errors(list(model.grades.all()))]
    if not rows:
        issues.append(Issue("error", _("There is no row yet: nobody would get a point.")))
    if model.lower_limit is not None and model.lower_limit >= model.threshold:
        issues.append(Issue("error", _("The lower limit must lie below the sales-ready score.")))
    best = highest_score(rows)
    if rows and best < model.threshold:
        text = _("Nobody can become sales-ready: all rows together give %(best)d points, %(threshold)d are needed.")
        issues.append(Issue("warning", text % {"best": best, "threshold": model.threshold}))
    return issues


def is_ready(issues: list[Issue]) -> bool:
    """Whether nothing blocks going live."""
    return not any(issue.severity == "error" for issue in issues)


def row_errors(row: ScoringRule, vocabulary: Vocabulary) -> Iterator[str]:
    """What is wrong with one row, in words that say what to do."""
    try:
        rule = parse(row.rule, "lead", vocabulary)
        parse(row.rule, "contact", vocabulary)
    except RuleError as error:
        yield error.message
        return
    if rule.is_empty:
        yield _("The condition is empty: say for whom the points are.")
    if any(isinstance(leaf, FieldTest) and leaf.field.key in _SCORES for leaf in leaves(rule.root)):
        yield _("A score cannot be made of scores. Remove the condition on score or grade.")
    counted = countable(rule)
    if row.frequency == EACH and len(counted) != 1:
        yield _(
            "“For each time” counts exactly one behavior, not within “any of” or “not”; this condition has %(n)d."
        ) % {"n": len(counted)}
    if row.half_life_days and (row.frequency == NONE or not counted):
        yield _("A half-life needs a behavior to count the days from.")


def countable(rule: Rule) -> list[Did | Sequence]:
    """The behaviours that all must have happened, whose number may therefore count."""

    def walk(node: object) -> Iterator[Did | Sequence]:
        if isinstance(node, Group) and (node.mode == "all" or len(node.children) == 1):
            for child in node.children:
                yield from walk(child)
        elif isinstance(node, Sequence) or (isinstance(node, Did) and not node.is_negated):
            yield node

    return [] if isinstance(rule.root, Not) else list(walk(rule.root))


def highest_score(rows: list[ScoringRule]) -> int:
    """The most that all rows together can give."""
    return sum(_most(row) for row in rows if row.points > 0)


def _most(row: ScoringRule) -> int:
    if row.frequency != EACH:
        return row.points
    return LIMIT if row.cap is None else row.cap


def _grade_errors(grades: list[Grade]) -> Iterator[str]:
    """Grades are ranges between their lower bounds, so they have no gaps; the lowest one must be open."""
    if not grades:
        return
    if sum(grade.lower_bound is None for grade in grades) != 1:
        yield _("One grade must be for everything below the others.")
    if len({grade.name for grade in grades}) < len(grades):
        yield _("Two grades have the same name.")
    bounds = [grade.lower_bound for grade in grades]
    if len(set(bounds)) < len(bounds):
        yield _("Two grades begin at the same score.")
