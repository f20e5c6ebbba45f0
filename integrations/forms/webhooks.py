"""Forms about webhooks, and the fields for addresses and events that others may use."""

from itertools import groupby
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from contacts.queries import GROUPS
from integrations import addresses
from integrations.addresses import Refused
from integrations.models import Endpoint
from integrations.webhooks import endpoints
from tenants.forms import ModelForm, refuse


class KindsWidget(forms.CheckboxSelectMultiple):
    """Kinds of facts to tick, a group beside the other."""

    template_name = "integrations/_kinds.html"


def kind_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every kind of fact by group; called for each form, for apps declare kinds as they start."""
    label = lambda key: str(GROUPS[key][0]) if key in GROUPS else str(_("Other"))  # noqa: E731
    found = groupby(endpoints.offered_kinds(), key=lambda kind: kind.group)
    return [(label(group), [(kind.key, str(kind.title)) for kind in kinds]) for group, kinds in found]


class EndpointForm(ModelForm):
    """Where to, and what about."""

    kinds = forms.MultipleChoiceField(
        label=_("Events"),
        choices=kind_choices,
        widget=KindsWidget,
        help_text=_("Each of them is sent a moment after it has happened."),
        error_messages={"required": _("Choose at least one event.")},
    )

    class Meta:
        model = Endpoint
        fields: ClassVar = ["url", "description", "kinds"]
        widgets: ClassVar = {"url": forms.URLInput({"placeholder": "https://", "autocomplete": "off"})}

    def clean_url(self) -> str:
        """An address that the guard lets pass, in its one spelling."""
        return guarded(self, "url")


def guarded(form: Any, name: str) -> str:
    """A cleaned address in its one spelling; empty, with the error at its field, if the guard refuses it."""
    try:
        return str(addresses.parse(form.cleaned_data[name].strip()))
    except Refused as error:
        refuse(form, error, name)
        return ""
