"""From a row's cells to values, by the mapping; or the reason why it is refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from contacts import cells
from contacts.targets import Target
from leads.importing.options import OnFault, Options
from leads.importing.reading import Row
from leads.models.imports import Import

# One of these says who a person is.
WHO = ("email", "phone", "linkedin_url", "external_id", "last_name", "first_name")


@dataclass(slots=True)
class Cleaned:
    """A row as values by entity; those of the tenant's own fields are under `custom`."""

    row: Row
    contact: dict[str, Any] = field(default_factory=dict)
    account: dict[str, Any] = field(default_factory=dict)
    lead: dict[str, Any] = field(default_factory=dict)


class Refused(ValueError):
    """The row is not imported; the text says why."""


class Cleaner:
    """Cleans rows by a mapping (the target of each column, None for those left out)."""

    def __init__(self, entity: str, headers: Sequence[str], targets: Sequence[Target | None], options: Options) -> None:
        self._entity, self._width = entity, len(headers)
        plan = [(place, headers[place], target) for place, target in enumerate(targets) if target is not None]
        for _place, _name, target in plan:
            if isinstance(target.cell, cells.DateCell):
                target.cell.is_day_first = options.is_day_first
        # Phones are read by the row's country, so countries come first.
        plan.sort(key=lambda step: step[2].name != "country")
        self._plan = [(*step, step[2].entity, step[2].name, step[2].is_custom, step[2].cell.clean) for step in plan]
        self._default = {"country": options.default_country}
        self._is_dropping = options.on_fault == OnFault.DROP
        self.entities = frozenset(step[2].entity for step in plan)

    def clean(self, row: Row) -> Cleaned:
        """The row's values. Raises Refused."""
        given, faults = row.cells, []
        if len(given) > self._width and any(given[self._width :]):
            raise Refused(
                _("%(cells)d cells, but only %(columns)d columns: a delimiter may stand within a value")
                % {"cells": len(given), "columns": self._width}
            )
        cleaned, count = Cleaned(row), len(given)
        for place, header, _target, entity, name, is_custom, clean in self._plan:
            text = given[place] if place < count else ""
            if not text:
                continue
            values = getattr(cleaned, entity)
            try:
                value = clean(text, values if "country" in values else self._default)
            except ValueError as error:
                if not (self._is_dropping and name not in ("email", "external_id")):
                    faults.append(f"{header}: “{text[:60]}” – {error}")
                continue
            if value is None:
                continue
            if is_custom:
                values.setdefault("custom", {})[name] = value
            else:
                values[name] = value
        if faults:
            raise Refused("; ".join(faults))
        self._check(cleaned)
        return cleaned

    def _check(self, cleaned: Cleaned) -> None:
        if self._entity == Import.Entity.ACCOUNT:
            if not cleaned.account.get("name"):
                raise Refused(_("no company name"))
        elif not any(cleaned.contact.get(name) for name in WHO) and not (
            "lead" in self.entities and (cleaned.lead or cleaned.account)
        ):
            raise Refused(_("nothing that says who it is: no name, address, phone, profile or id"))
