"""What a form may ask for: the fields of contact and account, and the tenant's own."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Field

MAX_LENGTH = 2_000

# Key, label, form field, and what a browser may fill in by itself.
STANDARD: dict[str, tuple[Any, type[forms.Field], str]] = {
    "email": (gettext_lazy("E-mail"), forms.EmailField, "email"),
    "first_name": (gettext_lazy("First name"), forms.CharField, "given-name"),
    "last_name": (gettext_lazy("Last name"), forms.CharField, "family-name"),
    "job_title": (gettext_lazy("Job title"), forms.CharField, "organization-title"),
    "company": (gettext_lazy("Company"), forms.CharField, "organization"),
    "phone": (gettext_lazy("Phone"), forms.CharField, "tel"),
    "country": (gettext_lazy("Country (two letters)"), forms.CharField, "country"),
    "city": (gettext_lazy("City"), forms.CharField, "address-level2"),
    "message": (gettext_lazy("Message"), forms.CharField, "off"),
}
LENGTHS = {
    "email": 254,
    "first_name": 100,
    "last_name": 100,
    "job_title": 150,
    "company": 200,
    "phone": 30,
    "country": 2,
}


@dataclass(frozen=True)
class FormField:
    """A row of a form: which field it fills, and how it is asked for."""

    key: str
    label: str
    is_required: bool = False

    @classmethod
    def of(cls, row: dict[str, Any]) -> "FormField":
        return cls(row["key"], row.get("label") or row["key"], bool(row.get("is_required")))

    @property
    def is_custom(self) -> bool:
        return self.key.startswith("custom.")


def choices() -> list[tuple[str, str]]:
    """What a marketer may choose for a row, the tenant's own contact fields included (needs the scope)."""
    own = Field.objects.filter(entity=Field.Entity.CONTACT, retired_at=None, is_sensitive=False)
    return [(key, str(label)) for key, (label, *_rest) in STANDARD.items()] + [
        (f"custom.{field.key}", field.label) for field in own
    ]


def build(rows: list[FormField]) -> dict[str, forms.Field]:
    """The Django form fields of a public form (needs the scope for the tenant's own fields)."""
    own = {f"custom.{f.key}": f for f in Field.objects.filter(entity=Field.Entity.CONTACT, retired_at=None)}
    return {
        row.key: _own(row, own[row.key]) if row.is_custom else _standard(row)
        for row in rows
        if row.key in own or not row.is_custom
    }


def _standard(row: FormField) -> forms.Field:
    _label, kind, autocomplete = STANDARD[row.key]
    attributes = {"autocomplete": autocomplete}
    if row.key == "message":
        widget: forms.Widget = forms.Textarea({**attributes, "rows": 4})
    else:
        widget = (forms.EmailInput if kind is forms.EmailField else forms.TextInput)(attributes)
    options: dict[str, Any] = {
        "label": row.label,
        "required": row.is_required,
        "max_length": LENGTHS.get(row.key, MAX_LENGTH),
    }
    field = kind(widget=widget, **options)
    if row.key == "country":
        field.validators.append(_two_letters)
    return field


def _own(row: FormField, field: Field) -> forms.Field:
    options: dict[str, Any] = {"label": row.label, "required": row.is_required}
    if field.type == Field.Type.NUMBER:
        return forms.IntegerField(**options)
    if field.type == Field.Type.DATE:
        return forms.DateField(widget=forms.DateInput({"type": "date"}), **options)
    if field.type == Field.Type.BOOLEAN:
        return forms.BooleanField(**options)
    if field.type == Field.Type.CHOICE:
        offered = [("", _("Please choose"))] + [(option, option) for option in field.options]
        return forms.ChoiceField(choices=offered, **options)
    return forms.CharField(max_length=MAX_LENGTH, **options)


def _two_letters(value: str) -> None:
    if len(value) != 2 or not value.isalpha():
        raise ValidationError(_("Enter the country's two letters, e.g. DE."))
