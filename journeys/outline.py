"""The outline of a version: its tiles as nested cards, with their figures and what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from journeys.figures import Figures
from journeys.models import JourneyVersion
from journeys.results import Mail
from journeys.tiles import registry
from journeys.tiles.registry import Issue, Names, Text


@dataclass
class Way:
    """A branch of a card: how many took it, and the cards that follow."""

    key: str
    label: Text
    count: int
    cards: list["Card"]


@dataclass
class Card:
    """A tile as the page shows it. `next_branch` is where the chain goes on; empty for branching tiles."""

    key: str
    icon: str
    tone: str
    title: Text
    summary: Text
    figures: Figures
    issues: list[Issue]
    is_root: bool
    mail: Mail | None = None
    next_branch: str = ""
    ways: list[Way] = field(default_factory=list)

    @property
    def has_error(self) -> bool:
        return any(issue.severity == registry.ERROR for issue in self.issues)


def build(
    version: JourneyVersion,
    figures: Mapping[str, Figures],
    mail: Mapping[str, Mail],
    issues: Sequence[Issue] = (),
) -> list[Card]:
    """The cards from the root on; what follows a branching card hangs in its ways."""
    names = registry.names_of(version.tiles)
    return _chain(version, version.tiles["root"], names, figures, mail, issues)


def _chain(
    version: JourneyVersion,
    key: str | None,
    names: Names,
    figures: Mapping[str, Figures],
    mail: Mapping[str, Mail],
    issues: Sequence[Issue],
) -> list[Card]:
    cards = []
    while key:
        tile = version.tiles["tiles"][key]
        kind = registry.of(tile)
        branches = kind.branches(tile, names)
        card = Card(
            key=key,
            icon=kind.icon,
            tone=kind.tone,
            title=kind.title(tile),
            summary=kind.summary(tile, names),
            figures=figures.get(key, Figures()),
            issues=[issue for issue in issues if issue.tile == key],
            is_root=kind.is_root,
            mail=mail.get(key, Mail()) if kind.sends_mail else None,
        )
        cards.append(card)
        if len(branches) == 1:
            card.next_branch = branches[0].key
            key = tile["next"].get(card.next_branch)
        else:
            taken = card.figures.branches or {}
            card.ways = [
                Way(
                    branch.key,
                    branch.label,
                    taken.get(branch.key, 0),
                    _chain(version, tile["next"].get(branch.key), names, figures, mail, issues),
                )
                for branch in branches
            ]
            key = None
    return cards
