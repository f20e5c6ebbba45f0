"""Forms about LinkedIn: the app, ad accounts, what becomes of submissions, files."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from contacts.models import ConsentLevel, Purpose
from integrations.linkedin.mapping import ConsentAsked
from integrations.linkedin.matching import LEAD_FIELDS
from integrations.models import AdAccount, LeadFormMapping
from leads.importing.options import MatchBy
from tenants.forms import Form, ModelForm


class AppForm(Form):
    """The company's app at LinkedIn."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What the connection is called here."))
    client_id = forms.CharField(
        label=_("Client ID"), max_length=100, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
    )
    client_secret = forms.CharField(
        label=_("Client secret"),
        max_length=200,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_(
            "Both are in LinkedIn's developer portal under Auth. The secret is kept encrypted and never shown."
        ),
    )
    compares = forms.BooleanField(
        label=_("Compare what comes in with LinkedIn's own count"),
        required=False,
        help_text=_("Asks for one more permission, r_ads_reporting. Leads come in without it, too."),
    )

    def __init__(self, *args: Any, known_id: str = "", **kwargs: Any) -> None:
        """`known_id`: the app that there is already, whose secret may stay."""
        super().__init__(*args, **kwargs)
        self._known_id = known_id
        if known_id:
            self.fields["client_secret"].required = False
            self.fields["client_secret"].help_text = _("Leave it empty to keep the one that is there.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_other = cleaned.get("client_id") != self._known_id
        if self._known_id and is_other and not cleaned.get("client_secret"):
            self.add_error("client_secret", _("Another app has another secret."))
        return cleaned


class NameForm(Form):
    """A connection that needs nothing but a name."""

    name = forms.CharField(label=_("Name"), max_length=100)


class AccountsForm(Form):
    """Which ad accounts are read."""

    accounts = forms.ModelMultipleChoiceField(
        label=_("Ad accounts"),
        queryset=AdAccount.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Leads of their forms come in. Those of an account that is left out later stay here."),
        error_messages={"required": _("Choose at least one ad account.")},
    )

    def __init__(self, *args: Any, accounts: Any, **kwargs: Any) -> None:
        chosen = [row.pk for row in accounts if row.is_chosen]
        super().__init__(*args, initial={"accounts": chosen}, **kwargs)
        self.fields["accounts"].queryset = accounts  # type: ignore[attr-defined]
        self.fields["accounts"].label_from_instance = _account_label  # type: ignore[attr-defined]


class OptionsForm(ModelForm):
    """What becomes of a form's submissions, beside where each answer goes."""

    contact_by = forms.ChoiceField(
        label=_("A submission is about a known contact if it has the same"), choices=MatchBy.choices
    )
    lead_by = forms.MultipleChoiceField(
        label=_("An open lead matches if all of these are equal"),
        choices=lambda: list(LEAD_FIELDS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = LeadFormMapping
        fields: ClassVar = [
            *("contact_by", "creates_contacts", "update", "prefers_work", "leads", "lead_by", "topic"),
        ]
        widgets: ClassVar = {"leads": forms.RadioSelect, "update": forms.RadioSelect}
        help_texts: ClassVar = {
            "creates_contacts": _("Otherwise the leads of strangers wait under “Needs matching”."),
            "topic": _("Empty: the form's name."),
            "prefers_work": _("Where both are asked for and go to the same field."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_matching = cleaned.get("leads") == LeadFormMapping.Leads.MATCH
        if is_matching and not self.errors.get("lead_by") and "email" not in cleaned.get("lead_by", ()):
            self.add_error("lead_by", _("The e-mail address has to be among them."))
        return cleaned


class ConsentForm(Form):
    """What one consent of a form is taken for."""

    purpose = forms.ModelChoiceField(
        label=_("Counts as consent to"),
        queryset=Purpose.objects.none(),
        required=False,
        empty_label=_("Nothing: it stays readable on the submission"),
    )
    level = forms.TypedChoiceField(
        label=_("How far"),
        choices=ConsentLevel.choices[1:],
        coerce=int,
        required=False,
    )
    widths: ClassVar = {"purpose": 8, "level": 4}

    def __init__(self, *args: Any, asked: ConsentAsked, **kwargs: Any) -> None:
        self.asked = asked
        super().__init__(
            *args, prefix=f"consent-{asked.id}", initial={"purpose": asked.purpose_id, "level": asked.level}, **kwargs
        )
        self.fields["purpose"].queryset = Purpose.objects.order_by("-is_default", "name")  # type: ignore[attr-defined]


class UploadForm(Form):
    """A file of Campaign Manager."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("The CSV file that Campaign Manager exports under “Lead Gen Forms”."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )
    name = forms.CharField(
        label=_("Form"), max_length=190, help_text=_("The name of the form, for rows that do not say it themselves.")
    )


def consent_forms(given: Any, asked: Sequence[ConsentAsked]) -> list[ConsentForm]:
    """A form per consent; `given` is what was posted, or None."""
    return [ConsentForm(given, asked=each) for each in asked]


def chosen_consents(answered: Sequence[ConsentForm]) -> dict[str, dict[str, int]]:
    """The answers as a mapping keeps them."""
    return {
        form.asked.id: {
            "purpose": form.cleaned_data["purpose"].pk,
            "level": form.cleaned_data["level"] or ConsentLevel.MARKETING,
        }
        for form in answered
        if form.cleaned_data.get("purpose")
    }


def _account_label(account: AdAccount) -> str:
    text = f"{account} · {account.external_id}"
    return _("%(account)s (LinkedIn's test account)") % {"account": text} if account.is_test else text
