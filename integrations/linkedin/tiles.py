"""LinkedIn in journeys: people enter by submitting a form, and a branch waits for a submission of a campaign."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.linkedin.kinds import SUBMITTED
from integrations.models import AdCampaign, LeadForm
from journeys.happenings import Condition, Opening, conditions, openings
from journeys.models import Journey
from journeys.tiles.form import TileForm
from journeys.tiles.registry import WARNING, Issue, Names, Reference, Text, Tile, TileKind, register

openings.add(
    Opening(
        "linkedin",
        gettext_lazy("Whoever submits a LinkedIn form"),
        SUBMITTED.key,
        "lead_forms",
        gettext_lazy("LinkedIn forms"),
        LeadForm,
        # A first sync brings a year of submissions, and each later one those of the last half hour.
        is_told_late=True,
    )
)
conditions.add(
    Condition(
        SUBMITTED.key,
        gettext_lazy("Submitted a LinkedIn form"),
        "ad_campaign",
        gettext_lazy("Of the campaign"),
        gettext_lazy("Any campaign"),
        AdCampaign,
        detail_key="campaign_id",
    )
)


class CampaignForm(TileForm):
    """Which campaign runs at this point."""

    campaign = forms.ModelChoiceField(label=gettext_lazy("Campaign"), queryset=AdCampaign.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["campaign"].queryset = AdCampaign.objects.order_by("name")  # type: ignore[attr-defined]

    def to_settings(self) -> dict[str, Any]:
        """The campaign's id."""
        return {"campaign": self.cleaned_data["campaign"].pk}


@register
class LinkedInCampaign(TileKind):
    """Shows where a campaign belongs; everybody passes. An if/then behind it waits for submissions."""

    key = "linkedin_campaign"
    label = gettext_lazy("LinkedIn campaign")
    description = gettext_lazy("A campaign that runs at LinkedIn meanwhile; an if/then can wait for its form.")
    icon = "brand-linkedin"
    tone = "blue"
    form = CampaignForm

    def refers(self, tile: Tile) -> list[Reference]:
        pk = tile["settings"].get("campaign")
        return [(AdCampaign, pk)] if pk else []

    def summary(self, tile: Tile, names: Names) -> Text:
        return names.get((AdCampaign, tile["settings"]["campaign"]), "?") if tile["settings"] else ""

    def check(self, journey: Journey, tree: dict[str, Any], key: str) -> list[Issue]:
        """A campaign that does not run brings nobody."""
        pk = tree["tiles"][key]["settings"]["campaign"]
        status = AdCampaign.objects.filter(pk=pk).values_list("status", flat=True).first()
        if status and status != "ACTIVE":
            return [Issue(WARNING, key, _("The campaign does not run at LinkedIn: %(status)s.") % {"status": status})]
        return []
