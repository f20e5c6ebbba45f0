"""Forms: Tabler's markup from Django's own renderer, and the two bases that all forms of ours have.

`{{ form }}` renders the error summary, the fields with labels, help and errors; the page adds <form> and its buttons.
A form that is not valid is answered with 422. `widths = {"first_name": 6, "last_name": 6}` puts fields side by side
(of 12 columns). `shown_when = {"until": {"how": ["until"]}}` shows a field only with certain answers to others (without
JavaScript: always), so `clean` must not insist on it otherwise.
"""

import json
import zoneinfo
from typing import Any, ClassVar

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.utils import timezone
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _

from tenants.registry import Text

FORM_CLASSES = {
    "select": "form-select",
    "select_date": "form-select",
    "checkbox": "form-check-input",
    "checkbox_option": "form-check-input",
    "radio_option": "form-check-input",
}
# What stands for no choice.
DJANGOS_EMPTY_LABEL, EMPTY_LABEL = "---------", "–"
UNSTYLED = {"hidden", "multiple_hidden", "checkbox_select", "radio", "multiple_input", "attrs"}


class Renderer(TemplatesSetting):
    """Django's templates with the classes of Tabler: one place that knows the look of every widget."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        """Render a form, field or widget; a widget gets its class, and is marked when its value is refused."""
        if "widget" in context and template_name.startswith("django/forms/widgets/"):
            attrs = context["widget"]["attrs"]
            kind = template_name.removeprefix("django/forms/widgets/").removesuffix(".html")
            wanted = [] if kind in UNSTYLED else [FORM_CLASSES.get(kind, "form-control")]
            if attrs.get("aria-invalid"):
                wanted.append("is-invalid")
            attrs["class"] = " ".join(dict.fromkeys([*attrs.get("class", "").split(), *wanted]))
        return super().render(template_name, context, request)


class Field(BoundField):
    """A field that knows how wide it is."""

    @property
    def width(self) -> int:
        """Columns of 12."""
        return getattr(self.form, "widths", {}).get(self.name, 12)

    @property
    def shown_when(self) -> str:
        """JSON of {other field: the values with which this one is asked for}; empty: it always is."""
        wanted = self.form.when_shown(self.name) if isinstance(self.form, _House) else None
        return json.dumps(wanted) if wanted else ""


class _House:
    """What Form and ModelForm share."""

    bound_field_class: type[BoundField] | None = Field
    widths: ClassVar[dict[str, int]] = {}
    shown_when: ClassVar[dict[str, dict[str, list[str]]]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # type: ignore[attr-defined]
            _use_native_input(field)
            if getattr(field, "empty_label", None) == DJANGOS_EMPTY_LABEL:
                field.empty_label = EMPTY_LABEL

    def when_shown(self, name: str) -> dict[str, list[str]]:
        """The answers to other fields with which this one is asked for; empty: it always is."""
        return self.shown_when.get(name, {})


class Form(_House, forms.Form):
    """Base of all forms without a model."""


class ModelForm(_House, forms.ModelForm):
    """Base of all forms of a tenant's model: uniqueness is checked within the tenant.

    The tenant is no field of the form, and Django leaves constraints out that name a field which is not in it.
    """

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() - {"tenant"}  # type: ignore[misc]


def _use_native_input(field: forms.Field) -> None:
    """Dates and moments by the browser's own inputs; a moment is in the viewer's zone, and says so."""
    if type(field.widget) is forms.DateInput:
        field.widget = forms.DateInput(attrs={"type": "date", **field.widget.attrs}, format="%Y-%m-%d")
    elif type(field.widget) is forms.DateTimeInput:
        field.widget = forms.DateTimeInput(
            attrs={"type": "datetime-local", **field.widget.attrs}, format="%Y-%m-%dT%H:%M"
        )
        field.help_text = field.help_text or _("Time zone: %(zone)s") % {"zone": timezone.get_current_timezone_name()}
    else:
        return
    field.widget.is_required = field.required


class TimeZoneField(forms.TypedChoiceField):
    """The name of a time zone of the tz database."""

    def __init__(self, *, blank_label: Text = "", **kwargs: Any) -> None:
        names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
        choices = [
            *([("", blank_label)] if blank_label else []),
            ("UTC", "UTC"),
            *((n, n.replace("_", " ")) for n in names),
        ]
        super().__init__(choices=choices, required=not blank_label, **kwargs)


CURRENCIES = (
    *("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "ISK", "TRY", "UAH", "JPY", "CNY"),
    *("INR", "KRW", "SGD", "HKD", "THB", "AED", "SAR", "ILS", "ZAR", "BRL", "MXN", "CAD", "AUD", "NZD"),
)


def currencies() -> list[tuple[str, str]]:
    """Currency codes with their names in the viewer's language."""
    names = _locale().currencies
    return [(code, f"{code} · {names.get(code, code)}") for code in CURRENCIES]


def countries() -> list[tuple[str, str]]:
    """Country codes with their names in the viewer's language, by name."""
    names = _locale().territories
    found = [(code, name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code != "ZZ"]
    return [("", "–"), *sorted(found, key=lambda pair: pair[1])]


def _locale() -> Locale:
    return Locale.parse(to_locale(get_language() or "en"))


class AddressField(forms.EmailField):
    """An e-mail address as it is stored: trimmed, lower case."""

    def clean(self, value: Any) -> str:
        return super().clean(value).lower()


def refuse(form: forms.BaseForm, error: Exception, field: str | None = None) -> None:
    """Show what a verb refused (its exception's text) at a field, or above the form."""
    form.add_error(field, ValidationError(str(error)))
