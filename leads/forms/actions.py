"""What actions on a lead ask for, and what an opportunity may be worth."""

from decimal import Decimal
from typing import Any, ClassVar

from babel.numbers import get_currency_precision
from django import forms
from django.utils.translation import gettext_lazy as _

from leads.forms.members import MemberField, offer_members
from leads.models import Opportunity
from tenants.forms import Form, currencies


class ActionForm(Form):
    """What an action on a lead asks for; nothing, if it has no fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_members(self)

    @property
    def asks(self) -> bool:
        """Whether there is something that has to be entered."""
        return any(field.required for field in self.fields.values())


class ReasonForm(ActionForm):
    """Why a lead is rejected, recycled or disqualified."""

    suggestions: ClassVar[dict[str, Any]] = {
        "timing": _("Not now"),
        "budget": _("No budget"),
        "person": _("Not the right person"),
        "unreachable": _("Cannot be reached"),
        "interest": _("Not interested any more"),
        "competitor": _("Competitor, student or supplier"),
        "other": _("Something else"),
    }
    why = forms.ChoiceField(label=_("Why?"), choices=[("", _("Choose a reason")), *suggestions.items()])
    note = forms.CharField(label=_("In your words"), max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("why") == "other" and not cleaned.get("note"):
            self.add_error("note", _("Please say why."))
        return cleaned

    @property
    def reason(self) -> str:
        """The reason as it is kept."""
        note = self.cleaned_data["note"]
        if self.cleaned_data["why"] == "other":
            return note
        reason = str(self.suggestions[self.cleaned_data["why"]])
        return f"{reason}: {note}" if note else reason


class AssignForm(ActionForm):
    """To whom a lead goes."""

    member = MemberField(label=_("To"), required=False, empty_label=_("Whose turn it is (account owner first)"))


class OpportunityForm(ActionForm):
    """What an opportunity may be worth, and by when."""

    name = forms.CharField(label=_("Opportunity"), max_length=200)
    amount = forms.DecimalField(
        label=_("Amount"), required=False, min_value=Decimal(0), max_digits=15, decimal_places=2
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies)
    closes_on = forms.DateField(label=_("Expected close"), required=False, widget=forms.DateInput())
    widths: ClassVar[dict[str, int]] = {"amount": 4, "currency": 4, "closes_on": 4}

    @staticmethod
    def initial_of(opportunity: Opportunity) -> dict[str, Any]:
        """The form's values for an opportunity there is."""
        amount, precision = opportunity.amount_minor, get_currency_precision(opportunity.currency)
        return {
            "name": opportunity.name,
            "amount": None if amount is None else Decimal(amount).scaleb(-precision),
            "currency": opportunity.currency,
            "closes_on": opportunity.closes_on,
        }

    def values(self) -> dict[str, Any]:
        """The columns of an opportunity: the amount in the currency's smallest unit."""
        amount, currency = self.cleaned_data["amount"], self.cleaned_data["currency"]
        return {
            "name": self.cleaned_data["name"],
            "amount_minor": None if amount is None else round(amount.scaleb(get_currency_precision(currency))),
            "currency": currency,
            "closes_on": self.cleaned_data["closes_on"],
        }
