"""Forms of leads, activities and opportunities."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from babel.numbers import get_currency_precision
from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from leads.creation import ENTERED
from leads.models import Activity, Lead, Opportunity
from tenants.forms import CURRENCIES, AddressField, Form, ModelForm, countries
from tenants.models import Member
from tenants.scope import current_tenant_id

OUTCOMES = {
    "reached": _("Reached"),
    "no_answer": _("No answer"),
    "message": _("Left a message"),
    "call_back": _("Asked to be called back"),
    "wrong_number": _("Wrong number"),
}
# When to call again: working days from now.
FOLLOW_UPS = {
    "": _("Not planned"),
    "1": _("Tomorrow"),
    "3": _("In 3 days"),
    "7": _("In a week"),
    "30": _("In a month"),
}


class MemberField(forms.ModelChoiceField):
    """One of the people who work at the scope's company."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Member.objects.none(), **kwargs)

    def offer(self) -> None:
        """Fill in the choices, within the scope."""
        here = Member.objects.filter(tenant_id=current_tenant_id(), is_active=True)
        self.queryset = here.select_related("user").order_by("user__name", "pk")


def offer_members(form: forms.BaseForm) -> None:
    """Fill in the choices of a form's member fields."""
    for field in form.fields.values():
        if isinstance(field, MemberField):
            field.offer()


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
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in CURRENCIES])
    closes_on = forms.DateField(label=_("Expected close"), required=False, widget=forms.DateInput())
    widths: ClassVar[dict[str, int]] = {"amount": 5, "currency": 3, "closes_on": 4}

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


class CallForm(Form):
    """A call that just happened. Without a lead it may make one."""

    outcome = forms.ChoiceField(label=_("What came of it?"), choices=list(OUTCOMES.items()))
    notes = forms.CharField(label=_("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    follow_up = forms.ChoiceField(label=_("Call again"), choices=list(FOLLOW_UPS.items()), required=False)
    new_lead_topic = forms.CharField(
        label=_("Make a lead of it"),
        max_length=200,
        required=False,
        help_text=_("What they are interested in; leave it empty for no lead."),
    )
    widths: ClassVar[dict[str, int]] = {"outcome": 6, "follow_up": 6}
    field_order = ("outcome", "follow_up", "notes", "new_lead_topic")

    def __init__(self, *args: Any, has_lead: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_lead:
            del self.fields["new_lead_topic"]

    def values(self) -> dict[str, Any]:
        """The arguments of `activities.log_call`."""
        return {
            "outcome": str(OUTCOMES[self.cleaned_data["outcome"]]),
            "notes": self.cleaned_data["notes"],
            "new_lead_topic": self.cleaned_data.get("new_lead_topic", ""),
            "follow_up_at": days_ahead(int(self.cleaned_data["follow_up"] or 0)),
        }


def days_ahead(days: int) -> datetime | None:
    """Nine o'clock in the viewer's zone that many days from now, a weekend's being moved to Monday; None for 0."""
    if not days:
        return None
    day = timezone.localtime() + timedelta(days=days)
    day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
    return day.replace(hour=9, minute=0, second=0, microsecond=0)


class ActivityForm(ModelForm):
    """A task, call or appointment to plan."""

    owner = MemberField(label=_("For"), required=False, empty_label=_("Nobody yet"))
    widths: ClassVar[dict[str, int]] = {"kind": 4, "subject": 8, "due_at": 6, "owner": 6}

    class Meta:
        model = Activity
        fields = ("kind", "subject", "due_at", "owner", "notes")
        widgets: ClassVar[dict[str, Any]] = {
            "due_at": forms.DateTimeInput(),
            "notes": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_members(self)


class DoneForm(Form):
    """What came of an activity."""

    outcome = forms.CharField(label=_("Outcome"), max_length=100, required=False)
    notes = forms.CharField(label=_("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 2}))


class LeadForm(ModelForm):
    """A lead entered by hand. Whom it is about may be known already, or be entered here, or stay open."""

    email = AddressField(label=_("E-mail"), required=False)
    country = forms.ChoiceField(label=_("Country"), choices=countries, required=False)
    widths: ClassVar[dict[str, int]] = {
        "first_name": 6, "last_name": 6, "email": 6, "phone": 6, "job_title": 6, "company": 6, "country": 6,
    }  # fmt: skip

    class Meta:
        model = Lead
        fields = ("topic", *(name for name in ENTERED if name != "description"), "description")
        widgets: ClassVar[dict[str, Any]] = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, has_contact: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_contact:
            for name in set(self.fields) - {"topic", "description"}:
                del self.fields[name]


class RulesForm(Form):
    """How a company handles its leads."""

    auto_hand_off = forms.BooleanField(label=_("Hand sales-ready leads to sales by themselves"), required=False)
    any_model = forms.BooleanField(
        label=_("Any live scoring model may make a lead sales-ready"),
        required=False,
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
    widths: ClassVar[dict[str, int]] = {"sla_hours": 4, "cool_down_days": 4, "margin_percent": 4}
