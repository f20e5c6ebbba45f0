"""The settings of the tile that calls a webhook."""

from typing import Any, ClassVar

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from integrations.forms.webhooks import guarded
from integrations.models import Endpoint
from journeys import waiting
from journeys.tiles.form import TileForm
from leads.models import Lead

# What can be sent, in the order of the page; the account's are reached from the contact.
CONTACT_FIELDS = (
    *("email", "first_name", "last_name", "job_title", "phone", "country", "city", "language", "linkedin_url"),
    *("external_id", "source", "account_name", "account_domain"),
)
LEAD_FIELDS = ("topic", "stage", "score", "grade", "source")
ANSWER, NOTHING = "answer", "nothing"


def _labels(model: Any, names: tuple[str, ...]) -> list[tuple[str, Any]]:
    own = {"account_name": _("Account: name"), "account_domain": _("Account: web domain")}
    own |= {"score": _("score"), "grade": _("grade")}
    return [(name, capfirst(own.get(name) or model._meta.get_field(name).verbose_name)) for name in names]


class CallForm(TileForm):
    """Whom to call, what to say, and whether to wait for the answer."""

    widths: ClassVar = {"amount": 6, "unit": 6}
    shown_when: ClassVar = {
        "url": {"endpoint": [""]},
        **{name: {"expects": [ANSWER]} for name in ("amount", "unit")},
    }
    endpoint = forms.ModelChoiceField(
        label=_("Webhook"),
        queryset=Endpoint.objects.none(),
        required=False,
        empty_label=_("Another address"),
        help_text=_("Messages to a webhook of the settings are signed."),
    )
    url = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=2000,
        widget=forms.URLInput({"placeholder": "https://", "autocomplete": "off"}),
        help_text=_("Begins with https://; what is sent there is not signed."),
    )
    contact_fields = forms.MultipleChoiceField(
        label=_("About the contact"),
        required=False,
        choices=lambda: _labels(Contact, CONTACT_FIELDS),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Its id is always sent. Choose no more than the receiver needs."),
    )
    lead_fields = forms.MultipleChoiceField(
        label=_("About the lead"),
        required=False,
        choices=lambda: _labels(Lead, LEAD_FIELDS),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Of the lead that this journey is about, if there is one."),
    )
    expects = forms.ChoiceField(
        label=_("Then"),
        choices=[(ANSWER, _("wait for the answer")), (NOTHING, _("go on at once"))],
        help_text=_("The answer decides between “ok” and “failed”."),
    )
    amount = forms.IntegerField(label=_("Wait up to"), min_value=1, max_value=3660, initial=15)
    unit = forms.ChoiceField(label=_("Unit"), choices=waiting.Unit.choices, initial=waiting.Unit.MINUTES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["endpoint"].queryset = Endpoint.objects.order_by("pk")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A webhook, else an address that the guard lets pass; beside a webhook no address counts."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("endpoint"):
            cleaned["url"] = ""
        elif cleaned.get("url"):
            cleaned["url"] = guarded(self, "url")
        elif not {"endpoint", "url"} & self.errors.keys():
            self.add_error("url", _("Choose a webhook, or enter an address."))
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        """The endpoint by its id."""
        cleaned = self.cleaned_data
        endpoint = cleaned["endpoint"]
        return {**cleaned, "endpoint": endpoint.pk if endpoint else None}
