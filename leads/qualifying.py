"""Which scores make a lead marketing-qualified: the primary model's, any's, or those of all that are asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.reactor import Fact
from leads import preferences as keys
from leads.models import Lead
from leads.registry import Standing, standings
from leads.transitions import NURTURED, OFFERED
from tenants import preferences


class By(TextChoices):
    """How many models have to agree."""

    PRIMARY = "primary", gettext_lazy("The primary model alone")
    ANY = "any", gettext_lazy("Any of several models")
    ALL = "all", gettext_lazy("All of several models")


@dataclass(frozen=True)
class Demand:
    """What a company asks for. Without `models`, any and all mean every live one."""

    by: str
    models: frozenset[int]

    @classmethod
    def read(cls) -> "Demand":
        """What the scope's company asks for."""
        return cls(preferences.get(keys.QUALIFIES_BY), frozenset(preferences.get(keys.QUALIFYING_MODELS)))

    def counts(self, fact: Fact) -> bool:
        """Whether a change of this model's score may qualify a lead."""
        if self.by == By.PRIMARY:
            return bool(fact.detail.get("is_primary"))
        return not self.models or fact.object_id in self.models

    def met_by(self, leads: Sequence[Lead]) -> set[int]:
        """The ids of the leads that all models asked for agree on; every one if a single model is enough."""
        ids = [lead.pk for lead in leads]
        if self.by != By.ALL or not ids:
            return set(ids)
        found = _standings(ids)
        return {pk for pk in ids if _agree(self._asked(found.get(pk, ())))}

    def in_words(self, lead: Lead) -> str:
        """Why all models agree on the lead."""
        said = _("%(name)s: %(score)d of %(threshold)d")
        rows = self._asked(_standings([lead.pk]).get(lead.pk, ()))
        return ", ".join(said % row._asdict() for row in rows if row.score is not None)

    def _asked(self, rows: Iterable[Standing]) -> list[Standing]:
        return [row for row in rows if not self.models or row.model in self.models]


def _standings(ids: list[int]) -> dict[int, list[Standing]]:
    found: dict[int, list[Standing]] = {}
    for ask in standings:
        for pk, rows in ask(ids).items():
            found.setdefault(pk, []).extend(rows)
    return found


def _agree(rows: Sequence[Standing]) -> bool:
    return bool(rows) and all(row.score is not None and row.score >= row.threshold for row in rows)


def may_qualify(
    lead: Lead, before: int | None, score: int, threshold: int, now: datetime, *, is_primary: bool = True
) -> bool:
    """Whether a score that went from `before` to `score` makes an MQL of the lead.

    It must cross the threshold upwards. After recycling it must instead have rested, and its score in the primary model
    reach what it needs.
    """
    if lead.stage not in NURTURED:
        return False
    if lead.recycled_until is None:
        return (before is None or before < threshold) and score >= threshold
    shown = score if is_primary else lead.score
    has_recovered = lead.recycled_score is None or (shown is not None and shown >= lead.recycled_score)
    return now >= lead.recycled_until and score >= threshold and has_recovered


def has_fallen(lead: Lead, fact: Fact) -> bool:
    """Whether an offered lead's score went below the lower limit of the model (which need not have one)."""
    limit = fact.detail.get("lower_limit")
    return (
        lead.stage in OFFERED
        and bool(fact.detail.get("is_primary"))
        and limit is not None
        and fact.detail["to"] < limit
    )
