"""Change a field of the contact, one of the tenant's own or of those that every contact has."""

import copy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import custom, own_fields, people
from contacts.forms import ContactForm
from contacts.models import Contact
from contacts.models import Field as CustomField
from journeys.models import Journey
from journeys.tiles.form import TileForm
from journeys.tiles.registry import ERROR, NEXT, Due, Issue, Names, Text, Tile, TileKind, register
from segments.usage import Mentions

# Of those that every contact has; a form's field gives the label and the input of each.
FIELDS = ("job_title", "city", "country", "language", "time_zone")
CUSTOM = "custom."


class UpdateRecordForm(TileForm):
    """Which field gets which value; each field has an input of its own type, of which the chosen one's counts."""

    field = forms.ChoiceField(label=gettext_lazy("Field of the contact"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {f"{CUSTOM}{field.key}": field for field in _settable().values()}
        inputs = {name: copy.deepcopy(ContactForm.base_fields[name]) for name in FIELDS}
        inputs |= {name: own_fields.input_of(field, self._present(name)) for name, field in own.items()}
        self.fields["field"].choices = [  # type: ignore[attr-defined]
            (gettext_lazy("Contact"), [(name, inputs[name].label) for name in FIELDS]),
            *([(gettext_lazy("Own fields"), [(name, field.label) for name, field in own.items()])] if own else []),
        ]
        self.inputs = {_input(name): name for name in inputs}
        for name, field in inputs.items():
            field.label = gettext_lazy("New value")
            self.fields[_input(name)] = field

    def when_shown(self, name: str) -> dict[str, list[str]]:
        return {"field": [self.inputs[name]]} if name in self.inputs else {}

    def _present(self, name: str) -> Any:
        return self.initial.get(_input(name))

    @classmethod
    def initial_of(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """The stored value in the input of its field."""
        value = settings.get("value")
        return {**settings, _input(settings["field"]): str(value).lower() if isinstance(value, bool) else value}

    def clean(self) -> dict[str, Any]:
        """The value fits the field, as `contacts` would store it."""
        cleaned = super().clean() or self.cleaned_data
        chosen = cleaned.get("field", "")
        for name in set(self.errors) & set(self.inputs) - {_input(chosen)}:
            del self.errors[name]
        if chosen and _input(chosen) not in self.errors:
            try:
                self.value = _stored(chosen, people.clean_contact(_values(chosen, cleaned[_input(chosen)])))
            except ValidationError as error:
                self.add_error(_input(chosen), error.messages)
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        """The field's name and the value, typed as it is stored."""
        return {"field": self.cleaned_data["field"], "value": self.value}


@register
class UpdateRecord(TileKind):
    key = "update_record"
    label = gettext_lazy("Update contact")
    description = gettext_lazy("Set a field of everybody who comes here.")
    icon = "pencil"
    tone = "teal"
    form = UpdateRecordForm
    batch = 500

    def mentions(self, tile: Tile) -> Mentions:
        field = tile["settings"].get("field", "")
        return Mentions(fields=frozenset([f"contact.{field}"] if field.startswith(CUSTOM) else []))

    def summary(self, tile: Tile, names: Names) -> Text:
        settings: dict[str, Any] = tile["settings"]
        if not settings:
            return ""
        value = settings["value"]
        said = (_("yes") if value else _("no")) if isinstance(value, bool) else value
        return _("%(field)s: %(value)s") % {
            "field": _label(settings["field"], names),
            "value": "–" if said in (None, "") else said,
        }

    def check(self, journey: Journey, tree: dict[str, Any], key: str) -> list[Issue]:
        """The field is still there and takes the value."""
        settings = tree["tiles"][key]["settings"]
        try:
            people.clean_contact(_values(settings["field"], settings["value"]))
        except ValidationError as error:
            return [Issue(ERROR, key, message) for message in error.messages]
        return []

    def run(self, due: Due) -> None:
        """Set the field; the change is in the contact's timeline, caused by what let her in.

        A field that has gone since raises: everybody stays, and the journey's page says why.
        """
        values = _values(due.settings["field"], due.settings["value"])
        try:
            people.clean_contact(values)
        except ValidationError as error:
            raise LookupError(" ".join(error.messages)) from None
        contacts = Contact.objects.in_bulk([person.contact_id for person in due.travellers])
        for person in due.travellers:
            people.update_contact(
                contacts[person.contact_id],
                values,
                journey_id=due.journey.pk,
                tile=due.key,
                cause_id=person.cause_id,
                depth=person.depth + 1,
            )
        due.go(NEXT, due.travellers)


def _settable() -> dict[str, CustomField]:
    """The tenant's own fields of contacts that a journey may set."""
    return {key: field for key, field in custom.fields("contact").items() if not field.is_sensitive}


def _input(name: str) -> str:
    """The form field that takes the new value of `name`."""
    return f"to_{name.replace('.', '_')}"


def _values(name: str, value: Any) -> dict[str, Any]:
    """As the verbs of `contacts.people` take them."""
    return {"custom": {name.removeprefix(CUSTOM): value}} if name.startswith(CUSTOM) else {name: value}


def _stored(name: str, cleaned: dict[str, Any]) -> Any:
    return cleaned["custom"][name.removeprefix(CUSTOM)] if name.startswith(CUSTOM) else cleaned[name]


def _label(name: str, names: Names) -> Text:
    if not name.startswith(CUSTOM):
        return ContactForm.base_fields[name].label or name
    try:
        return names.words.field(f"contact.{name}").label
    except LookupError:
        return name.removeprefix(CUSTOM)
