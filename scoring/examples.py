"""What a new scoring model begins with: the grades, and rows that most companies want in some form."""

from collections.abc import Iterator
from typing import Any

from contacts import timeline
from scoring.models import ScoringRule

GRADES: tuple[tuple[str, int | None], ...] = (("A", 80), ("B", 50), ("C", 20), ("D", None))

_ONCE, _EACH, _NONE = ScoringRule.Frequency.ONCE, ScoringRule.Frequency.EACH, ScoringRule.Frequency.NONE
_DECIDES = {
    "any": [
        {"field": "contact.job_title", "op": "contains", "value": word}
        for word in ("head", "chief", "director", "manager")
    ]
}


def rows() -> Iterator[dict[str, Any]]:
    """The values of the rows, those left out whose behaviour this installation does not record."""
    known = {kind.key for kind in timeline.kinds() if kind.in_rules}
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("", {"rule": _DECIDES, "points": 20, "frequency": _ONCE}),
        ("", {"rule": {"field": "account.employees", "op": "gte", "value": 200}, "points": 15, "frequency": _ONCE}),
        ("form.submitted", {"points": 30, "frequency": _EACH, "cap": 60, "half_life_days": 60, "within_days": 180}),
        ("email.clicked", {"points": 10, "frequency": _EACH, "cap": 30, "half_life_days": 30, "within_days": 90}),
        ("page.visited", {"points": 5, "frequency": _EACH, "cap": 20, "within_days": 30}),
        ("email.opened", {"points": -15, "frequency": _NONE, "within_days": 180}),
    ]
    for kind, values in wanted:
        if kind in known:
            yield {"rule": {"did": kind, "within_days": values.pop("within_days")}, **values}
        elif not kind:
            yield values
