"""Forms of the import's wizard."""

from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.forms import countries
from contacts.models import ConsentLevel, Purpose
from leads.importing.options import MatchBy, OnFault, Options, Strangers, Update
from leads.models.imports import Import
from tenants.forms import Form

# What match_by needs a column for.
_NEEDS = {MatchBy.NAME: ("contact.first_name", "contact.last_name")}


class UploadForm(Form):
    """A file, and what it has in it."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or Excel (.xlsx), with names of columns in the first line; up to 1,000 columns."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )
    entity = forms.ChoiceField(
        label=_("It contains"),
        choices=Import.Entity.choices,
        initial=Import.Entity.CONTACT,
        widget=forms.RadioSelect,
    )


class OptionsForm(Form):
    """What is to be done with the rows."""

    match_by = forms.ChoiceField(
        label=_("A row is about a known contact if it has the same"),
        choices=MatchBy.choices,
        help_text=_("Rows that lack it are matched by their e-mail address, else they are new."),
    )
    update = forms.ChoiceField(label=_("What is known already"), choices=Update.choices, widget=forms.RadioSelect)
    on_fault = forms.ChoiceField(
        label=_("Values that cannot be read"), choices=OnFault.choices, widget=forms.RadioSelect
    )
    is_day_first = forms.TypedChoiceField(
        label=_("Dates such as 03/04/2026"),
        choices=[("True", _("3 April: the day comes first")), ("False", _("4 March: the month comes first"))],
        coerce=lambda value: value == "True",
    )
    default_country = forms.ChoiceField(label=_("Phones without a prefix belong to"), choices=countries, required=False)
    source = forms.CharField(
        label=_("Source"), max_length=60, required=False, help_text=_("Where these people come from; kept with each.")
    )
    purpose_id = forms.TypedChoiceField(
        label=_("Consent"),
        coerce=int,
        empty_value=None,
        required=False,
        help_text=_("What these people have agreed to. Whoever has refused stays unmailable."),
    )
    consent_level = forms.TypedChoiceField(
        label=_("How far"), choices=ConsentLevel.choices[1:], coerce=int, initial=ConsentLevel.MARKETING
    )
    basis = forms.CharField(
        label=_("Basis"),
        max_length=60,
        required=False,
        help_text=_("How they agreed, such as “form at our stand”; kept as proof."),
    )
    consent_source = forms.CharField(label=_("Where"), max_length=100, required=False)
    consented_on = forms.DateField(label=_("When"), required=False, widget=forms.DateInput())
    makes_leads = forms.BooleanField(label=_("Each row makes a lead"), required=False)
    lead_topic = forms.CharField(label=_("Topic of leads without one"), max_length=200, required=False)
    strangers = forms.ChoiceField(
        label=_("Whoever is not known yet"), choices=Strangers.choices, widget=forms.RadioSelect
    )
    widths: ClassVar[dict[str, int]] = dict.fromkeys(
        ["is_day_first", "default_country", "match_by", "source", "purpose_id", "consent_level", "lead_topic"], 6
    ) | dict.fromkeys(["basis", "consent_source", "consented_on"], 4)  # fmt: skip
    parts: ClassVar[tuple[tuple[Any, str, tuple[str, ...]], ...]] = (
        (
            _("Matching"),
            "arrows-exchange",
            ("match_by", "source", "update", "on_fault", "is_day_first", "default_country"),
        ),
        (_("Consent"), "shield-check", ("purpose_id", "consent_level", "basis", "consent_source", "consented_on")),
        (_("Leads"), "target-arrow", ("makes_leads", "lead_topic", "strangers")),
    )

    def __init__(self, *args: Any, batch: Import, **kwargs: Any) -> None:
        kept = Options.read(batch.options).kept()
        super().__init__(*args, initial=kept, **kwargs)
        self._offer(batch)
        if batch.entity == Import.Entity.ACCOUNT:
            for name in ("match_by", *self.parts[1][2], *self.parts[2][2]):
                del self.fields[name]

    def _offer(self, batch: Import) -> None:
        mapped = set(batch.mapping)
        fitting = [c for c in MatchBy.choices if set(_NEEDS.get(MatchBy(c[0]), (f"contact.{c[0]}",))) <= mapped]
        self.fields["match_by"].choices = fitting or MatchBy.choices[:1]  # type: ignore[attr-defined]
        purposes = Purpose.objects.order_by("-is_default", "name").values_list("pk", "name")
        none = ("", _("None (nobody becomes mailable)"))
        self.fields["purpose_id"].choices = [none, *purposes]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("purpose_id"):
            for name in ("basis", "consent_source", "consented_on"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, _("Needed as proof of the consent."))
            if (day := cleaned.get("consented_on")) and day > timezone.localdate():
                self.add_error("consented_on", _("This day has not come yet."))
        return cleaned

    def answers(self) -> dict[str, Any]:
        """The answers as an import keeps them."""
        day = self.cleaned_data.get("consented_on")
        kept = {**self.cleaned_data, "consented_on": day.isoformat() if day else ""}
        return kept if "match_by" in self.fields else {k: v for k, v in kept.items() if k in self.fields}

    def sections(self) -> list[tuple[Any, str, list[Any]]]:
        """The parts of the form that have fields, with their bound fields."""
        parts = [
            (title, icon, [self[name] for name in names if name in self.fields]) for title, icon, names in self.parts
        ]
        return [part for part in parts if part[2]]
