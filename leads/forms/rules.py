"""How a company handles its leads, and its territories."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from leads import assignment, territories
from leads.forms.members import MemberField
from leads.models import Stage, Territory
from leads.qualifying import By
from leads.registry import scoring_models
from tenants.forms import Form, countries
from tenants.models import Member

STAGE = "stage_"
SECTIONS = (
    (
        _("When a lead is sales-ready"),
        _("Its score has to reach what the scoring model asks for."),
        ("qualifies_by", "qualifying_models"),
    ),
    (
        _("Who gets it"),
        _("Tried from the top; whoever has the lead already keeps it. Colleagues who are away are passed over."),
        ("auto_hand_off", "assign_by"),
    ),
    (
        _("Answers and rest"),
        _("What happens when nobody answers, and when a lead comes back."),
        ("sla_hours", "cool_down_days", "margin_percent"),
    ),
    (_("Names of the stages"), _("Call them what your company calls them; what they mean stays."), (STAGE,)),
)


class RulesForm(Form):
    """How a company handles its leads."""

    qualifies_by = forms.ChoiceField(label=_("Decided by"), choices=By.choices, widget=forms.RadioSelect)
    qualifying_models = forms.MultipleChoiceField(
        label=_("Which models"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("For any or all of several; none ticked means every live one."),
    )
    auto_hand_off = forms.BooleanField(label=_("Hand sales-ready leads to sales by themselves"), required=False)
    assign_by = forms.MultipleChoiceField(
        label=_("Find somebody by"), choices=assignment.WAYS, widget=forms.CheckboxSelectMultiple
    )
    sla_hours = forms.IntegerField(
        label=_("Hours to answer"),
        min_value=1,
        max_value=200,
        help_text=_("Working hours, Monday to Friday 9 to 17; then the manager is told."),
    )
    cool_down_days = forms.IntegerField(
        label=_("Days of rest"),
        min_value=0,
        max_value=730,
        help_text=_("So long a recycled lead is left alone."),
    )
    margin_percent = forms.IntegerField(
        label=_("Margin in %"),
        min_value=0,
        max_value=500,
        help_text=_("How much better than before, in % of the threshold, a recycled lead has to be."),
    )
    widths: ClassVar[dict[str, int]] = {
        **dict.fromkeys(("sla_hours", "cool_down_days", "margin_percent", "qualifies_by", "qualifying_models"), 4),
        **dict.fromkeys((f"{STAGE}{stage.value}" for stage in Stage), 4),
        "qualifies_by": 6,
        "qualifying_models": 6,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        models = list(scoring_models())
        self.fields["qualifying_models"].choices = models  # type: ignore[attr-defined]
        if len(models) < 2:
            del self.fields["qualifying_models"]
        own = self.initial.get("stage_names", {})
        for stage in Stage:
            self.fields[f"{STAGE}{stage.value}"] = forms.CharField(
                label=stage.label,
                max_length=40,
                required=False,
                widget=forms.TextInput(attrs={"placeholder": stage.label}),
            )
            self.initial[f"{STAGE}{stage.value}"] = own.get(stage.value, "")

    def sections(self) -> Iterator[tuple[Any, Any, list[BoundField]]]:
        """(heading, what it is about, fields)."""
        for heading, hint, names in SECTIONS:
            yield heading, hint, [field for field in self if field.name.startswith(names)]

    @property
    def pairs(self) -> list[tuple[BoundField, Any]]:
        """The fields with their errors, as the summary of errors takes them."""
        return [(field, field.errors) for field in self]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        shown: dict[str, Stage] = {}
        for stage in Stage:
            name = cleaned.get(f"{STAGE}{stage.value}") or str(stage.label)
            if name.casefold() in shown:
                self.add_error(f"{STAGE}{stage.value}", _("Another stage has this name."))
            shown[name.casefold()] = stage
        return cleaned

    def values(self) -> dict[str, Any]:
        """What `leads.preferences.save` takes."""
        given = {name: value for name, value in self.cleaned_data.items() if not name.startswith(STAGE)}
        own = {stage.value: self.cleaned_data[f"{STAGE}{stage.value}"] for stage in Stage}
        given["qualifying_models"] = [int(pk) for pk in given.get("qualifying_models", [])]
        return {**given, "stage_names": {stage: name for stage, name in own.items() if name}}


class TerritoryForm(Form):
    """A territory: its countries, and who looks after them."""

    name = forms.CharField(label=_("Name"), max_length=100)
    countries = forms.MultipleChoiceField(
        label=_("Countries"),
        widget=forms.SelectMultiple(attrs={"size": 10}),
        help_text=_("The lead's, else the contact's or the account's. Hold Ctrl or ⌘ to choose several."),
    )
    members = forms.ModelMultipleChoiceField(
        label=_("Looked after by"),
        queryset=Member.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Leads go round those who are present."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["countries"].choices = countries()[1:]  # type: ignore[attr-defined]
        self.fields["members"].queryset = MemberField.here()  # type: ignore[attr-defined]

    @classmethod
    def of(cls, territory: Territory | None, *args: Any) -> "TerritoryForm":
        """The form with a territory's present values."""
        if territory is None:
            return cls(*args)
        members = territories.members_of(territory)
        return cls(*args, initial={"name": territory.name, "countries": territory.countries, "members": members})
