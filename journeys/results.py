"""What the mail of a journey achieved, as its pages show it: from folded figures, whatever the number of messages."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from messaging import figures


@dataclass(frozen=True)
class Mail:
    """Messages of a tile or a whole journey."""

    counts: Mapping[str, int] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        return self.counts.get(figures.SENT, 0)

    @property
    def opened(self) -> int:
        return self.counts.get(figures.OPENED, 0)

    @property
    def clicked(self) -> int:
        return self.counts.get(figures.CLICKED, 0)

    @property
    def failed(self) -> int:
        """Those that the servers refused: bounced, or not taken."""
        return self.counts.get(figures.FAILED, 0)

    @property
    def blocked(self) -> int:
        """Those that may not go out: no consent, suppressed …"""
        return self.counts.get(figures.BLOCKED, 0)

    @property
    def open_rate(self) -> float | None:
        return _share(self.opened, self.sent)

    @property
    def click_rate(self) -> float | None:
        return _share(self.clicked, self.sent)

    @property
    def failure_rate(self) -> float | None:
        """Of all that the servers answered to."""
        return _share(self.failed, self.sent + self.failed)


def of_tiles(journey_id: int) -> dict[str, Mail]:
    """By tile: the results of its mail."""
    return {tile: Mail(counts) for tile, counts in figures.of_journeys([journey_id]).get(journey_id, {}).items()}


def of_journeys(journey_ids: Iterable[int]) -> dict[int, Mail]:
    """By journey: the results of all its mail. One statement, however many journeys."""
    found = figures.of_journeys(journey_ids)
    return {journey: Mail(sum(tiles.values(), Counter())) for journey, tiles in found.items()}


def _share(part: int, whole: int) -> float | None:
    """A percentage; None of nothing."""
    return 100 * part / whole if whole else None
