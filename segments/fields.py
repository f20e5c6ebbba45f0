"""The fields that rules may ask about, by type with their operators; apps register theirs in `ready()`.

    fields.register(Field("lead.score", _("Score"), Type.NUMBER, changed_by=("score.changed",)))

A field belongs to an entity (contact, account, lead); how a rule's subject reaches it is said in `segments.subjects`.
A tenant's own fields are added from its Field rows, the sensitive ones left out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contacts.models import Field as CustomField

Text = str | Promise
Choices = Sequence[tuple[Any, Text]]


class Type(TextChoices):
    """What a field holds. A date is a calendar day, a moment an instant."""

    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    MOMENT = "moment", _("Moment")
    BOOLEAN = "boolean", _("Yes/no")
    CHOICE = "choice", _("Choice")
    LOOKUP = "lookup", _("Record")


OPERATORS: dict[str, Text] = {
    "is": _("is"),
    "is_not": _("is not"),
    "contains": _("contains"),
    "contains_not": _("does not contain"),
    "begins": _("begins with"),
    "ends": _("ends with"),
    "in": _("is one of"),
    "not_in": _("is none of"),
    "gt": _("is more than"),
    "gte": _("is at least"),
    "lt": _("is less than"),
    "lte": _("is at most"),
    "between": _("is between"),
    "before": _("is before"),
    "after": _("is after"),
    "in_last_days": _("is in the last … days"),
    "in_next_days": _("is in the next … days"),
    "days_ago": _("is at least … days ago"),
    "has_value": _("has a value"),
    "has_none": _("has no value"),
}
_PRESENCE = ("has_value", "has_none")
_DAYS = ("is", "before", "after", "between", "in_last_days", "in_next_days", "days_ago", *_PRESENCE)
OPERATORS_OF: dict[str, tuple[str, ...]] = {
    Type.TEXT: ("is", "is_not", "contains", "contains_not", "begins", "ends", "in", "not_in", *_PRESENCE),
    Type.NUMBER: ("is", "is_not", "gt", "gte", "lt", "lte", "between", *_PRESENCE),
    Type.DATE: _DAYS,
    Type.MOMENT: _DAYS,
    Type.BOOLEAN: ("is", *_PRESENCE),
    Type.CHOICE: ("is", "is_not", "in", "not_in", *_PRESENCE),
    Type.LOOKUP: ("is", "is_not", "in", "not_in", *_PRESENCE),
}
# Operators whose answer changes as time goes by.
RELATIVE = frozenset({"in_last_days", "in_next_days", "days_ago"})
LISTS = frozenset({"in", "not_in"})


@dataclass(frozen=True)
class Field:
    """A field of an entity.

    `sql` is its expression, by default the column of the key's name; `{t}` stands for the entity's table, `{j}` for
    what `join` adds, a LEFT JOIN of at most one row. `choices` gives (value, label) in the tenant's scope.
    `changed_by` are timeline kinds whose rows may change it, beside `contact.changed` and `account.changed` naming
    it (as `changed_as`, by default its key). It is code, not input: nothing a user enters gets into `sql`.
    """

    key: str
    label: Text
    type: str
    subject: str = ""
    sql: str = ""
    join: str = ""
    choices: Callable[[], Choices] | None = None
    changed_by: tuple[str, ...] = ()
    changed_as: str = ""
    custom_key: str = ""

    @property
    def entity(self) -> str:
        """Whose field it is."""
        return self.subject or self.key.split(".")[0]

    @property
    def expression(self) -> str:
        return self.sql or "{t}." + self.key.split(".")[-1]

    @property
    def operators(self) -> tuple[str, ...]:
        return OPERATORS_OF[self.type]


_fields: dict[str, Field] = {}


def register(*fields: Field) -> None:
    """Make fields known; a key registered again is replaced."""
    for field in fields:
        _fields[field.key] = field


def registered() -> Iterable[Field]:
    """All fields that the product has, in the order of their registration."""
    return _fields.values()


_CUSTOM_TYPES = {
    CustomField.Type.TEXT: Type.TEXT,
    CustomField.Type.NUMBER: Type.NUMBER,
    CustomField.Type.DATE: Type.DATE,
    CustomField.Type.BOOLEAN: Type.BOOLEAN,
    CustomField.Type.CHOICE: Type.CHOICE,
}


def of_custom(row: CustomField) -> Field:
    """A tenant's own field as a field of rules."""
    options = [(option, option) for option in row.options]
    return Field(
        key=f"{row.entity}.custom.{row.key}",
        label=row.label,
        type=_CUSTOM_TYPES[CustomField.Type(row.type)],
        choices=(lambda: options) if row.type == CustomField.Type.CHOICE else None,
        changed_as=f"{row.entity}.custom",
        custom_key=row.key,
    )


@dataclass(frozen=True)
class Objects:
    """Things that facts are about ("email", "form" …): `choices` gives (id, name) in the tenant's scope.

    `choices_of` gives only those that belong to some of another kind, e.g. the links of an e-mail.
    """

    kind: str
    label: Text
    choices: Callable[[], Choices]
    choices_of: Callable[[Sequence[int]], Choices] | None = None


_objects: dict[str, Objects] = {}


def register_objects(*objects: Objects) -> None:
    """Let rules name the objects of a kind, e.g. one e-mail of "clicked a link"."""
    for each in objects:
        _objects[each.kind] = each


def objects_of(kind: str) -> Objects | None:
    """The objects of a kind, if rules can choose among them."""
    return _objects.get(kind)
