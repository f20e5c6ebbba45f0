"""Whether one of our fields can go to one of their columns: by type, length and choices, before anything is sent."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from contacts.models import Field
from contacts.targets import Target
from integrations.crm import setting_up
from integrations.crm.columns import Column, Type
from integrations.dynamics import tables
from integrations.models import Connection
from leads.models.stages import SOURCES
from scoring.models import Grade


def key_column(connection: Connection) -> str:
    """The column that holds our key; it is nobody else's."""
    return str(connection.settings.get("key_column") or tables.KEY_COLUMN)


def problem(target: Target, column: Column, options: Mapping[str, Any]) -> str:
    """Why values of the field would not be taken; empty if all of them may be."""
    found = setting_up.misfit(target, column, options)
    return found or (_unanswered(target, column, options) if column.type == Type.CHOICE else "")


def warning(target: Target, column: Column) -> str:
    """What may be refused of long values; empty if none."""
    if not setting_up.may_be_longer(target, column):
        return ""
    return _("Values longer than %(count)d characters will be parked.") % {"count": column.longest}


def in_words(column: Column) -> str:
    """What a column takes."""
    if column.type in (Type.TEXT, Type.MEMO):
        if column.longest is None:
            return _("text")
        return _("text of at most %(count)d characters") % {"count": column.longest}
    if column.type in (Type.INTEGER, Type.NUMBER):
        return _("numbers") if column.lowest is None else _("numbers from %(low)s on") % {"low": f"{column.lowest:g}"}
    words = {
        Type.BOOLEAN: _("yes or no"),
        Type.DATE: _("a date"),
        Type.MOMENT: _("a date"),
        Type.CHOICE: _("one of %(count)d choices") % {"count": len(column.options)},
    }
    return words.get(Type(column.type), column.type)


def known_values(target: Target) -> list[tuple[str, str]]:
    """(value, label) of a field that only has certain ones; empty if it may hold anything."""
    if target.is_custom:
        field = Field.objects.filter(entity=target.entity, key=target.name).first()
        return [(option, option) for option in (field.options if field else [])]
    if target.key == "lead.source":
        return [(value, str(label)) for value, label in SOURCES.items()]
    if target.key == "lead.grade":
        return [(name, name) for name in Grade.objects.order_by("name").values_list("name", flat=True).distinct()]
    return []


def _unanswered(target: Target, column: Column, options: Mapping[str, Any]) -> str:
    """Which of our values have no choice of theirs, neither by what was said nor by its name."""
    labels = {label.casefold() for _value, label in column.options}
    missing = [
        label for value, label in known_values(target) if value not in options and label.casefold() not in labels
    ]
    if missing:
        words = {"values": ", ".join(missing[:5]), "column": column.label}
        return _("Say which choice of %(column)s stands for: %(values)s.") % words
    if not options and not known_values(target):
        return _("Say which choice of %(column)s stands for which of our values.") % {"column": column.label}
    return ""
