"""The form of a segment."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from segments import lifecycle
from segments.builder import RuleField
from segments.models import Segment
from segments.rules import RuleError
from tenants.forms import ModelForm


class SegmentForm(ModelForm):
    """A segment's name, what it is for, and the rule of a dynamic one."""

    widths = {"name": 6, "description": 6}
    rule = RuleField(subject="contact", label=_("Who is in it"))

    class Meta:
        model = Segment
        fields = ("name", "description", "rule")
        labels = {"description": _("What it is for")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["description"].widget.attrs["rows"] = 1
        if self.instance.kind == Segment.Kind.STATIC:
            del self.fields["rule"]

    def clean_rule(self) -> dict[str, Any]:
        """Refuse segments that would ask about each other in a circle."""
        rule = self.cleaned_data["rule"]
        try:
            lifecycle.check(Segment(pk=self.instance.pk, name=self.instance.name, rule=rule))
        except RuleError as error:
            raise ValidationError(error.message, code="circle") from None
        return rule

    @property
    def values(self) -> dict[str, Any]:
        """What was entered, for the verbs."""
        return {name: self.cleaned_data[name] for name in self.fields}
