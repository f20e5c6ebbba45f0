"""What higher apps add to leads: the reasons behind a score, and panels of the lead's page."""

from collections.abc import Callable
from typing import NamedTuple

from leads.models import Lead


class Reason(NamedTuple):
    """Something that speaks for (or against) a lead, in words, with its points."""

    text: str
    points: int


# Each returns what it knows about a lead; scoring adds the parts of the score.
reasons: list[Callable[[Lead], list[Reason]]] = []


def strongest_reasons(lead: Lead, count: int = 3) -> list[Reason]:
    """The reasons with the most points, strongest first."""
    found = [reason for ask in reasons for reason in ask(lead) if reason.points > 0]
    return sorted(found, key=lambda reason: -reason.points)[:count]
