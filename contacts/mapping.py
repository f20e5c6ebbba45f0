"""The mapping editor: where the columns (or questions) of a source go, each beside some of its values.

    editor = Editor(columns, targets.of("contact", "account"), chosen)
    {% include "contacts/_mapping.html" %}          fields `to-0`, `to-1`, …
    chosen = read(request.POST, len(columns))

Used by the import of files and by whatever else maps outside fields to ours. A choice may be `new:contact:text`: make
an own field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _

from contacts.models import Field
from contacts.targets import ENTITIES, Target
from tenants.registry import Text

# Types that a column can become an own field of; a choice's options would have to be known.
NEW_TYPES = (Field.Type.TEXT, Field.Type.NUMBER, Field.Type.DATE, Field.Type.BOOLEAN)


class SourceColumn(NamedTuple):
    """A column of a source: its name and some of its values."""

    name: str
    examples: Sequence[str]


class Line(NamedTuple):
    """A column in the editor: where it goes ("": nowhere)."""

    place: int
    column: SourceColumn
    chosen: str


@dataclass(frozen=True)
class Editor:
    """What the template shows: a line per column, and the targets by entity."""

    columns: Sequence[SourceColumn]
    targets: Mapping[str, Target]
    chosen: Sequence[str]
    may_make_fields: bool = False

    @property
    def lines(self) -> list[Line]:
        return [Line(place, column, self.chosen[place]) for place, column in enumerate(self.columns)]

    @property
    def has_examples(self) -> bool:
        """Whether there are values to show at all: a mapping may be made before the first have come."""
        return any(column.examples for column in self.columns)

    @property
    def groups(self) -> list[tuple[Text, list[tuple[str, Text]]]]:
        """Choices by entity; behind them what can be made."""
        found: dict[str, list[tuple[str, Text]]] = {}
        for target in self.targets.values():
            found.setdefault(target.entity, []).append((target.key, _named(target)))
        groups: list[tuple[Text, list[tuple[str, Text]]]] = [(ENTITIES[entity], found[entity]) for entity in found]
        if self.may_make_fields:
            new: list[tuple[str, Text]] = [
                (
                    f"new:{entity}:{kind.value}",
                    _("%(entity)s: new field, %(type)s") % {"entity": ENTITIES[entity], "type": kind.label.lower()},
                )
                for entity in found
                for kind in NEW_TYPES
            ]
            groups.append((_("Make an own field"), new))
        return groups


def read(given: Mapping[str, str], count: int) -> list[str]:
    """The choices that the editor's form has sent."""
    return [str(given.get(f"to-{place}", ""))[:80] for place in range(count)]


def _named(target: Target) -> str:
    """A target's name as a select shows it, where the group's name is not seen."""
    text = str(target.label)
    name = text[:1].upper() + text[1:]
    return name if target.entity == "contact" else f"{ENTITIES[target.entity]}: {name}"
