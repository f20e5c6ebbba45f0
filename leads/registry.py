"""What higher apps add to leads: the reasons behind a score, and panels of the lead's page.

reasons.append(lambda lead: [Reason(_("Visited the price list 4 times"), 16)])
lead_panels.add(Panel("score", _("Why this score"), "scoring/_panel.html", panel_context))
"""

from collections.abc import Callable
from typing import NamedTuple

from contacts.registry import Choices, Given, Ordered, Panel
from leads.models import Lead


class Reason(NamedTuple):
    """Something that speaks for (or against) a lead, in words, with its points."""

    text: str
    points: int


class Standing(NamedTuple):
    """A lead's score in one live scoring model (None: not scored yet), and what the model asks for."""

    model: int
    name: str
    score: int | None
    threshold: int


# (id as text, name) of the live scoring models.
scoring_models = Given[Choices]()

# Where leads stand in each live model, by the leads' ids; scoring knows.
standings: list[Callable[[list[int]], dict[int, list[Standing]]]] = []

# Each returns what it knows about a lead; scoring adds the parts of the score.
reasons: list[Callable[[Lead], list[Reason]]] = []

# Cards of the lead's page; a panel's context gets the lead.
lead_panels: Ordered[Panel] = Ordered()


def strongest_reasons(lead: Lead, count: int = 3) -> list[Reason]:
    """The reasons with the most points, strongest first."""
    found = [reason for ask in reasons for reason in ask(lead) if reason.points > 0]
    return sorted(found, key=lambda reason: -reason.points)[:count]
