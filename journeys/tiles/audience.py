"""The audience: who enters."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys import audience
from journeys.models import Journey
from journeys.tiles.form import TileForm
from journeys.tiles.registry import ERROR, Issue, Names, Reference, Text, Tile, TileKind, register
from pages.models import Form as MarketingForm
from segments.models import Segment


class AudienceForm(TileForm):
    """Segments (any or all of them, without others), or the submission of a form."""

    shown_when = {
        "include": {"source": [audience.SEGMENTS]},
        "match": {"source": [audience.SEGMENTS]},
        "exclude": {"source": [audience.SEGMENTS]},
        "forms_": {"source": [audience.FORM]},
    }
    source = forms.ChoiceField(label=gettext_lazy("Who enters"), choices=audience.SOURCES, initial=audience.SEGMENTS)
    include = forms.ModelMultipleChoiceField(
        label=gettext_lazy("In these segments"), queryset=Segment.objects.none(), required=False
    )
    match = forms.ChoiceField(
        label=gettext_lazy("A contact must be in"),
        choices=[("any", gettext_lazy("any of them")), ("all", gettext_lazy("all of them"))],
        initial="any",
    )
    exclude = forms.ModelMultipleChoiceField(
        label=gettext_lazy("But not in these"), queryset=Segment.objects.none(), required=False
    )
    forms_ = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Forms"), queryset=MarketingForm.objects.none(), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        segments = Segment.objects.exclude(state=Segment.State.ARCHIVED).order_by("name")
        for name in ("include", "exclude"):
            self.fields[name].queryset = segments  # type: ignore[attr-defined]
        self.fields["forms_"].queryset = MarketingForm.objects.order_by("name")  # type: ignore[attr-defined]

    @classmethod
    def initial_of(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """`forms` is a name that Django's forms have no room for."""
        return {**settings, "forms_": settings.get("forms", [])}

    def clean(self) -> dict[str, Any]:
        """The chosen source says who."""
        cleaned = super().clean() or self.cleaned_data
        needed = "forms_" if cleaned.get("source") == audience.FORM else "include"
        if not cleaned.get(needed):
            self.add_error(needed, _("Choose at least one."))
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        """Ids of the chosen source."""
        cleaned = self.cleaned_data
        if cleaned["source"] == audience.FORM:
            return {"source": audience.FORM, "forms": [form.pk for form in cleaned["forms_"]]}
        return {
            "source": audience.SEGMENTS,
            "include": [segment.pk for segment in cleaned["include"]],
            "match": cleaned["match"],
            "exclude": [segment.pk for segment in cleaned["exclude"]],
        }


@register
class Audience(TileKind):
    key = "audience"
    label = gettext_lazy("Audience")
    description = gettext_lazy("Who enters the journey.")
    icon = "users"
    tone = "azure"
    form = AudienceForm
    is_root = True

    def refers(self, tile: Tile) -> list[Reference]:
        settings = tile["settings"]
        segments = [*settings.get("include", []), *settings.get("exclude", [])]
        return [(Segment, pk) for pk in segments] + [(MarketingForm, pk) for pk in settings.get("forms", [])]

    def summary(self, tile: Tile, names: Names) -> Text:
        settings = tile["settings"]
        if settings.get("source") == audience.FORM:
            found = [names.get((MarketingForm, pk), "?") for pk in settings["forms"]]
            return _("Whoever submits %(forms)s") % {"forms": ", ".join(found)}
        joint = _(" and ") if settings.get("match") == "all" else _(" or ")
        included = joint.join(names.get((Segment, pk), "?") for pk in settings.get("include", []))
        excluded = ", ".join(names.get((Segment, pk), "?") for pk in settings.get("exclude", []))
        return _("%(in)s, not %(out)s") % {"in": included, "out": excluded} if excluded else included

    def check(self, journey: Journey, tree: dict[str, Any], key: str) -> list[Issue]:
        """Only live segments are kept up to date."""
        settings = tree["tiles"][key]["settings"]
        named = [*settings.get("include", []), *settings.get("exclude", [])]
        idle = Segment.objects.filter(pk__in=named).exclude(state=Segment.State.LIVE)
        return [Issue(ERROR, key, _("The segment “%(name)s” is not live.") % {"name": segment}) for segment in idle]
