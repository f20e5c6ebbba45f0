"""A company's own fields in the form of a contact, an account or a lead: one input each, named `custom_<key>`."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from contacts import custom
from contacts.models import Field

CUSTOM = "custom_"


def inputs(entity: str, present: Mapping[str, Any]) -> dict[str, forms.Field]:
    """An input for each field in use; `present` are the record's values."""
    return {f"{CUSTOM}{key}": input_of(field, present.get(key)) for key, field in custom.fields(entity).items()}


def initial(present: Mapping[str, Any]) -> dict[str, Any]:
    """The record's values as its inputs show them."""
    return {f"{CUSTOM}{key}": str(v).lower() if isinstance(v, bool) else v for key, v in present.items()}


def values(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """A form's values with those of the own fields under `custom`, which is left out if there are none."""
    given = {name: value for name, value in cleaned.items() if not name.startswith(CUSTOM)}
    own = {name.removeprefix(CUSTOM): value for name, value in cleaned.items() if name.startswith(CUSTOM)}
    return {**given, "custom": own} if own else given


def clean(form: forms.BaseForm, entity: str, cleaned: dict[str, Any]) -> None:
    """Check the own fields' values by type; what is wrong is shown at its input."""
    own = values(cleaned).get("custom", {})
    try:
        cleaned |= {f"{CUSTOM}{key}": value for key, value in custom.clean(entity, own).items()}
    except ValidationError as error:
        for name, texts in error.message_dict.items():
            form.add_error(input_name(name), texts)


def input_name(name: str) -> str:
    """The input of what an error is about (`custom.size` → `custom_size`)."""
    return name.replace("custom.", CUSTOM) if name.startswith("custom.") else name


def input_of(field: Field, present: Any) -> forms.Field:
    """The input of a custom field; `contacts.custom` checks the value. A choice since taken out is still offered."""
    options: dict[str, Any] = {"label": field.label, "required": False}
    if field.type == Field.Type.NUMBER:
        return forms.IntegerField(**options)
    if field.type == Field.Type.DATE:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        return forms.CharField(**options, widget=widget)
    if field.type == Field.Type.BOOLEAN:
        answers = [("", "–"), ("true", gettext_lazy("Yes")), ("false", gettext_lazy("No"))]
        return forms.TypedChoiceField(**options, choices=answers)
    if field.type == Field.Type.CHOICE:
        texts = dict.fromkeys([*field.options, *([present] if present else [])])
        return forms.ChoiceField(**options, choices=[("", "–"), *((text, text) for text in texts)])
    return forms.CharField(**options, max_length=2000)
