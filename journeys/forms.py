"""Forms of a journey itself; the tiles' forms are with their kinds."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import ConsentLevel
from journeys import publishing, templates
from journeys.models import Journey
from segments.models import Segment
from tenants.forms import Form, ModelForm, TimeZoneField
from tenants.models import Member
from tenants.scope import current_tenant_id


class NewJourneyForm(ModelForm):
    """A name and what to begin with."""

    template = forms.ChoiceField(
        label=gettext_lazy("Begin with"), choices=templates.CHOICES, widget=forms.RadioSelect, initial=templates.NURTURE
    )

    class Meta:
        model = Journey
        fields: ClassVar = ["name"]


class JourneyForm(ModelForm):
    """What holds for the whole journey."""

    widths: ClassVar = {
        "starts_at": 6,
        "ends_at": 6,
        "reentry": 6,
        "reentry_days": 6,
        "at_end": 6,
        "time_zone": 6,
        "minimum_consent": 6,
        "exclusion_segment": 6,
        "owner": 6,
    }
    shown_when: ClassVar = {"reentry_days": {"reentry": [Journey.Reentry.AFTER_DAYS]}}
    time_zone = TimeZoneField(label=gettext_lazy("Time zone"), blank_label=gettext_lazy("The company's"))
    minimum_consent = forms.TypedChoiceField(
        label=gettext_lazy("Minimum consent"), choices=ConsentLevel.choices, coerce=int
    )

    class Meta:
        model = Journey
        fields: ClassVar = [
            "name",
            "description",
            "starts_at",
            "ends_at",
            "at_end",
            "reentry",
            "reentry_days",
            "time_zone",
            "minimum_consent",
            "exclusion_segment",
            "owner",
        ]
        help_texts: ClassVar = {
            "exclusion_segment": gettext_lazy("Its members do not enter, and leave at once when they join it."),
            "reentry_days": gettext_lazy(
                "Counted from leaving. Members of the audience's segments enter again by themselves."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = Member.objects.filter(tenant_id=current_tenant_id(), is_active=True).select_related("user", "tenant")
        self.fields["owner"].queryset = members  # type: ignore[attr-defined]
        self.fields["description"].widget.attrs["rows"] = 3
        live = Segment.objects.exclude(state=Segment.State.ARCHIVED).order_by("name")
        self.fields["exclusion_segment"].queryset = live  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The dates are in order, and a policy by days says how many."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("reentry") == Journey.Reentry.AFTER_DAYS and not cleaned.get("reentry_days"):
            self.add_error("reentry_days", _("Say after how many days."))
        begins, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if begins and ends and ends <= begins:
            self.add_error("ends_at", _("The end must come after the start."))
        return cleaned


class ResumeForm(Form):
    """How a paused journey goes on."""

    mode = forms.ChoiceField(
        label=gettext_lazy("What about those who were waiting?"),
        choices=publishing.Resume.choices,
        widget=forms.RadioSelect,
        initial=publishing.Resume.NOW,
    )


class EndForm(Form):
    """What becomes of those inside."""

    at_end = forms.ChoiceField(
        label=gettext_lazy("Those who are on their way"),
        choices=Journey.AtEnd.choices,
        widget=forms.RadioSelect,
        initial=Journey.AtEnd.FINISH,
    )
