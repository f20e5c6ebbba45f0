"""Calls, tasks and appointments."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from leads.forms.members import MemberField, offer_members
from leads.models import Activity
from tenants.forms import Form, ModelForm

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
