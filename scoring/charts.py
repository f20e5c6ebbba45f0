"""The geometry of scoring's drawings: the templates make SVG of it, and the same numbers as a table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from scoring.models import Grade

BINS = 20
# Drawn in a box of 100 × 100 that the page stretches.
BOX = 100.0


@dataclass(frozen=True)
class Part:
    """What one row (or a gift) contributes. `until`: when that changes by time alone."""

    words: str
    points: int
    hits: int = 1
    last_at: datetime | None = None
    until: datetime | None = None
    is_counted: bool = False
    row_id: int | None = None


class Step(NamedTuple):
    """A bar of the waterfall: it runs from `left`, `width` wide; `total` is the sum up to and including it."""

    part: Part
    left: float
    width: float
    total: int


class Waterfall(NamedTuple):
    """How a score adds up: the steps, where zero and the threshold lie, and the bar of the sum."""

    steps: list[Step]
    zero: float
    threshold: float | None
    left: float
    width: float
    total: int


def waterfall(parts: Sequence[Part], threshold: int | None = None) -> Waterfall:
    """The parts one after the other, in one scale with the threshold."""
    totals = [0]
    for part in parts:
        totals.append(totals[-1] + part.points)
    low, high = min(*totals, 0), max(*totals, threshold or 0, 1)

    def place(value: float) -> float:
        return round(BOX * (value - low) / (high - low), 2)

    def bar(start: int, end: int) -> tuple[float, float]:
        left = place(min(start, end))
        return left, round(place(max(start, end)) - left, 2)

    steps = [Step(part, *bar(totals[i], totals[i + 1]), totals[i + 1]) for i, part in enumerate(parts)]
    limit = None if threshold is None else place(threshold)
    return Waterfall(steps, place(0), limit, *bar(0, totals[-1]), totals[-1])


class Bin(NamedTuple):
    """A column of a histogram: scores from `low` up to `high`, and how high it is in the box."""

    low: int
    high: int
    leads: int
    left: float
    top: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """How many leads have which scores."""

    bins: list[Bin]
    width: float
    threshold: float | None
    low: int
    high: int

    @property
    def is_empty(self) -> bool:
        return not any(each.leads for each in self.bins)


def histogram(counts: dict[int, int], low: int, high: int, threshold: int | None = None) -> Histogram:
    """Columns over {score: leads} between `low` and `high`, in steps of whole points."""
    step = max(1, -(-(high - low + 1) // BINS))
    number = -(-(high - low + 1) // step)
    sums = [0] * number
    for score, count in counts.items():
        sums[min(number - 1, max(0, (score - low) // step))] += count
    tallest, width = max(*sums, 1), BOX / number
    bins = []
    for i, count in enumerate(sums):
        height = round(BOX * count / tallest, 2)
        bins.append(
            Bin(low + i * step, low + (i + 1) * step - 1, count, round(i * width, 2), round(BOX - height, 2), height)
        )
    span = number * step
    limit = None if threshold is None else round(BOX * min(max(threshold - low, 0), span) / span, 2)
    return Histogram(bins, round(width, 2), limit, low, low + span - 1)


class Range(NamedTuple):
    """A grade on the bar of grades: its share of the bar in percent, and its bounds in words."""

    name: str
    share: float
    lower: int | None
    upper: int | None


def grade_ranges(grades: Sequence[Grade], best: int) -> list[Range]:
    """The grades from the lowest to the best, in the scale from the lowest bound to what can be reached."""
    rising = sorted(grades, key=lambda grade: (grade.lower_bound is not None, grade.lower_bound or 0))
    bounds = [grade.lower_bound for grade in rising if grade.lower_bound is not None]
    if not bounds:
        return [Range(grade.name, 100.0, None, None) for grade in rising]
    low, high = min(0, bounds[0]), max(best, bounds[-1] + 1)
    ranges = []
    for i, grade in enumerate(rising):
        start = low if grade.lower_bound is None else grade.lower_bound
        following = rising[i + 1].lower_bound if i + 1 < len(rising) else None
        end = high if following is None else following
        share = round(100 * max(end - start, 0) / (high - low), 2)
        ranges.append(Range(grade.name, share, grade.lower_bound, None if following is None else following - 1))
    return ranges


def counted(scores: Sequence[int]) -> dict[int, int]:
    """{score: how often}, for a histogram."""
    return dict(Counter(scores))
