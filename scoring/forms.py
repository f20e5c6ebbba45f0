"""Forms of scoring models and their rows."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import ConsentLevel
from scoring.checks import row_errors
from scoring.models import ScoringModel, ScoringRule
from segments.builder import RuleField
from segments.rules import Vocabulary
from tenants.forms import Form, ModelForm

MOST_GRADES = 6
MOST_POINTS = 1_000


class NewModelForm(Form):
    """What a new model is called and begins with."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    start = forms.ChoiceField(
        label=gettext_lazy("Begin with"),
        choices=[("usual", gettext_lazy("Usual rows, to adapt")), ("empty", gettext_lazy("No rows"))],
        initial="usual",
        widget=forms.RadioSelect,
    )


class OptionsForm(ModelForm):
    """Name, thresholds, minimum consent and grades of a draft."""

    widths: ClassVar[dict[str, int]] = {
        "threshold": 6,
        "lower_limit": 6,
        **{f"{name}_{i}": 6 for name in ("grade", "from") for i in range(MOST_GRADES)},
    }

    class Meta:
        model = ScoringModel
        fields = ("name", "threshold", "lower_limit", "minimum_consent")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        levels = [(level.value, level.label) for level in ConsentLevel]
        self.fields["minimum_consent"] = forms.TypedChoiceField(
            label=gettext_lazy("Minimum consent"),
            choices=levels,
            coerce=int,
            help_text=gettext_lazy("People below it get no score, and count for nobody else's."),
        )
        grades = list(self.instance.grades.all()) if self.instance.pk else []
        for i in range(MOST_GRADES):
            grade = grades[i] if i < len(grades) else None
            self._add_grade(i, grade.name if grade else "", grade.lower_bound if grade else None)

    def _add_grade(self, i: int, name: str, lower_bound: int | None) -> None:
        label = {"n": i + 1}
        self.fields[f"grade_{i}"] = forms.CharField(
            label=_("Grade %(n)d") % label, max_length=10, required=False, initial=name
        )
        self.fields[f"from_{i}"] = forms.IntegerField(
            label=_("Grade %(n)d from") % label,
            required=False,
            initial=lower_bound,
            help_text=_("Points. Empty: everything below.") if i == 0 else "",
        )

    def clean(self) -> dict[str, Any]:
        """One grade must be for everything below the others, and none may begin where another does."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        limit, threshold = values.get("lower_limit"), values.get("threshold")
        if limit is not None and threshold is not None and limit >= threshold:
            self.add_error("lower_limit", _("It must lie below the sales-ready score."))
        grades = list(self.grades())
        if grades and [bound for _name, bound in grades].count(None) != 1:
            self.add_error("from_0", _("Leave “from” empty for exactly one grade: it is for everything below."))
        if len({bound for _name, bound in grades}) < len(grades) or len({name for name, _ in grades}) < len(grades):
            self.add_error("grade_0", _("Two grades have the same name, or begin at the same score."))
        return values

    def grades(self) -> Iterator[tuple[str, int | None]]:
        """(name, lower bound) of the grades that were entered."""
        for i in range(MOST_GRADES):
            if name := self.cleaned_data.get(f"grade_{i}", "").strip():
                yield name, self.cleaned_data.get(f"from_{i}")


class RowForm(ModelForm):
    """A row of a draft: the condition and what it gives."""

    rule = RuleField(subject="lead", label=gettext_lazy("Condition"))
    points = forms.IntegerField(
        label=gettext_lazy("Points"),
        min_value=-MOST_POINTS,
        max_value=MOST_POINTS,
        help_text=gettext_lazy("May be negative."),
    )
    widths: ClassVar[dict[str, int]] = {"points": 6, "frequency": 6, "cap": 6, "half_life_days": 6}

    class Meta:
        model = ScoringRule
        fields = ("rule", "points", "frequency", "cap", "half_life_days", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = gettext_lazy("Shown instead of the condition in words.")
        self.fields["cap"].help_text = gettext_lazy("Only for each time: no more than this in all.")
        self.fields["half_life_days"].help_text = gettext_lazy(
            "After so many days without the behavior half of the points are left. Empty: they stay."
        )

    def clean_cap(self) -> int | None:
        """A cap of 0 is none."""
        return self.cleaned_data["cap"] or None

    def clean_half_life_days(self) -> int | None:
        """Points that do not fade have no half-life."""
        return self.cleaned_data["half_life_days"] or None

    def clean_points(self) -> int:
        """At least one point, or one less."""
        points: int = self.cleaned_data["points"]
        if points == 0:
            raise forms.ValidationError(_("A row of 0 points changes nothing."))
        return points

    def clean(self) -> dict[str, Any]:
        """What the row as a whole must keep to, as going live would check it."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            row = ScoringRule(**{name: values.get(name) for name in self.Meta.fields})
            for message in row_errors(row, Vocabulary()):
                self.add_error("rule", message)
        return values
