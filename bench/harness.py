"""Results of measurements, and their table."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Result:
    """One measurement. Times are in seconds; `rate` is `rows / product_s` unless given (e.g. a p95)."""

    bar: str
    what: str
    rows: int
    product_s: float
    floor_s: float | None
    unit: str
    rate: float | None = None
    # The bar itself, for the table.
    wanted: str = ""

    def row(self) -> dict[str, object]:
        """The result as bench/results.json has it."""
        return {
            "bar": self.bar,
            "rows": self.rows,
            "product_s": round(self.product_s, 4),
            "floor_s": None if self.floor_s is None else round(self.floor_s, 4),
            "ratio": None if not self.floor_s else round(self.product_s / self.floor_s, 2),
            "rate": round(self.rate if self.rate is not None else self.rows / self.product_s, 1),
            "unit": self.unit,
        }


def rounds(rows: int) -> int:
    """How often to measure: small sets swing with whatever else the machine does, large ones take their time."""
    return 3 if rows <= 200_000 else 1


def interleaved(floor: Callable[[], float], product: Callable[[], float], times: int) -> tuple[float, float]:
    """Medians of (product, floor), measured in turns so that what slows the machine down slows down both.

    Each call makes its own start, does the work and returns the seconds that the work took.
    """
    floors, products = zip(*[(floor(), product()) for _round in range(times)], strict=True)
    return median(products), median(floors)


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def table(results: list[Result]) -> str:
    """The results as text, beside their bars."""
    lines = [f"{'bar':4} {'what':44} {'rows':>10} {'product s':>10} {'floor s':>8} {'ratio':>6} {'rate':>12} unit"]
    for result in results:
        row = result.row()
        floor = "–" if row["floor_s"] is None else f"{row['floor_s']:.2f}"
        ratio = "–" if row["ratio"] is None else f"{row['ratio']:.2f}"
        lines.append(
            f"{result.bar:4} {result.what:44} {result.rows:>10,} {row['product_s']:>10.2f} {floor:>8} {ratio:>6} "
            f"{row['rate']:>12,.1f} {result.unit}   (bar: {result.wanted})"
        )
    return "\n".join(lines)
