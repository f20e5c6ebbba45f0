"""The registry of settable fields: where a value from outside can go.

A mapping (of a file's columns, of a LinkedIn form's questions) names *targets*: `contact.email`, `account.custom.size`,
`lead.topic`. What an entity's targets are, how their values are read and what else they are called comes from its
Resource and from the tenant's own fields. Leads add theirs in `leads.apps`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext_lazy as _

from contacts import cells, custom, normalise
from contacts.resources import AccountResource, Column, ContactResource, RecordResource, cell_of
from tenants.models import Member
from tenants.registry import Text
from tenants.scope import current_tenant_id

CUSTOM = "custom."
ENTITIES: dict[str, Text] = {"contact": _("Contact"), "account": _("Account"), "lead": _("Lead")}
resources: dict[str, type[RecordResource]] = {"contact": ContactResource, "account": AccountResource}


@dataclass(frozen=True)
class Target:
    """A field that can be set: `contact.email`. `name` is its column, or its key among the tenant's own fields."""

    key: str
    entity: str
    name: str
    label: Text
    cell: cells.Cell
    also_called: tuple[str, ...] = ()

    @property
    def is_custom(self) -> bool:
        return self.key.startswith(f"{self.entity}.{CUSTOM}")

    @cached_property
    def names(self) -> frozenset[str]:
        """What a column for it may be called, compared as `comparable` does."""
        own = (self.name, str(self.label), *self.also_called)
        return frozenset(comparable(f"{before}{name}") for name in own for before in ("", f"{self.entity} "))


def of(*entities: str) -> dict[str, Target]:
    """The targets of entities by key, in the order in which they are offered; three queries at most."""
    found = [target for entity in entities for target in _declared(entity)]
    own = custom.fields_of(entities)
    found += [Target(f"{f.entity}.{CUSTOM}{f.key}", f.entity, f.key, f.label, cell_of(f), (f.label,)) for f in own]
    members = _members() if any(isinstance(target.cell, cells.MemberCell) for target in found) else {}
    for target in found:
        if isinstance(target.cell, cells.MemberCell):
            target.cell.ids = members
        if isinstance(target.cell, cells.DateCell):
            target.cell.is_day_first = True
    return {target.key: target for target in found}


def guess(names: Iterable[str], offered: Mapping[str, Target], entity: str = "contact") -> list[str]:
    """The target of each column by its name ("" for none); no target twice, the imported entity's before others."""
    taken: set[str] = set()
    guessed = []
    ordered = sorted(offered.values(), key=lambda target: target.entity != entity)
    for name in names:
        wanted = comparable(name)
        fitting = (t.key for t in ordered if t.key not in taken and wanted and (t.key == name or wanted in t.names))
        key = next(fitting, "")
        taken.add(key)
        guessed.append(key)
    return guessed


def comparable(name: str) -> str:
    """A column's name as it is compared: plain words."""
    return " ".join(normalise.words(name.replace("_", " ")))


def _declared(entity: str) -> Iterable[Target]:
    resource = resources[entity]()
    for name, field in resource.fields.items():
        if isinstance(field, Column) and not field.readonly:
            label = getattr(resource.model._meta.get_field(name), "verbose_name", name)
            yield Target(f"{entity}.{name}", entity, name, label, field.widget, field.also_called)


def _members() -> dict[str, int]:
    """Ids of the company's people by address and by name, in small letters."""
    here = Member.objects.filter(tenant_id=current_tenant_id(), is_active=True).select_related("user")
    found: dict[str, Any] = {}
    for member in here:
        found |= {member.user.name.casefold(): member.pk, member.user.email.casefold(): member.pk}
    return {name: pk for name, pk in found.items() if name}
