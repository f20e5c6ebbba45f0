"""The audience: who enters."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys import audience
from journeys.happenings import openings
from journeys.models import Journey
from journeys.tiles.form import TileForm
from journeys.tiles.registry import ERROR, Issue, Names, Reference, Text, Tile, TileKind, register
from segments.models import Segment


class AudienceForm(TileForm):
    """Segments (any or all of them, without others), or what people do: the submission of a form."""

    source = forms.ChoiceField(label=gettext_lazy("Who enters"), choices=audience.sources, initial=audience.SEGMENTS)
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        segments = Segment.objects.exclude(state=Segment.State.ARCHIVED).order_by("name")
        for name in ("include", "exclude"):
            self.fields[name].queryset = segments  # type: ignore[attr-defined]
        for opening in openings:
            objects = opening.model._default_manager.order_by("name")
            field = forms.ModelMultipleChoiceField(label=opening.objects_label, queryset=objects, required=False)
            self.fields[opening.field] = field

    def when_shown(self, name: str) -> dict[str, list[str]]:
        """Each source asks for its own."""
        if name == "source":
            return {}
        opening = next((opening for opening in openings if opening.field == name), None)
        return {"source": [opening.key if opening else audience.SEGMENTS]}

    @classmethod
    def initial_of(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """The chosen objects under the names of their fields."""
        return {**settings, **{opening.field: settings.get(opening.setting, []) for opening in openings}}

    def clean(self) -> dict[str, Any]:
        """The chosen source says who."""
        cleaned = super().clean() or self.cleaned_data
        opening = openings.get(cleaned.get("source", ""))
        needed = opening.field if opening else "include"
        if not cleaned.get(needed):
            self.add_error(needed, _("Choose at least one."))
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        """Ids of the chosen source."""
        cleaned = self.cleaned_data
        if opening := openings.get(cleaned["source"]):
            return {"source": opening.key, opening.setting: [one.pk for one in cleaned[opening.field]]}
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
        objects = [(opening.model, pk) for opening in openings for pk in settings.get(opening.setting, [])]
        return [(Segment, pk) for pk in segments] + objects

    def summary(self, tile: Tile, names: Names) -> Text:
        settings = tile["settings"]
        if opening := audience.opening_of(settings):
            found = [names.get((opening.model, pk), "?") for pk in settings[opening.setting]]
            return _("%(who)s: %(objects)s") % {"who": opening.label, "objects": ", ".join(found)}
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
