"""Which link? One way for each link of an e-mail that matters, one for nobody's click."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys import deciding, waiting
from journeys.deciding import Deadlines, Decision, Event
from journeys.models import Journey
from journeys.tiles.form import TileForm
from journeys.tiles.if_then import EmailTileField, check_email_tile
from journeys.tiles.registry import Branch, Due, Issue, Names, Reference, Text, Tile, TileKind, register
from messaging.models import Link

NONE = "none"


class WhichOfForm(TileForm):
    """The e-mail, the links that have a way of their own, and how long to wait."""

    widths = {"amount": 6, "unit": 6}
    email_tile = EmailTileField(label=gettext_lazy("In the e-mail of"))
    links = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Links"),
        queryset=Link.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Each gets a branch. The first one that is clicked decides."),
    )
    amount = forms.IntegerField(label=gettext_lazy("Wait up to"), min_value=1, max_value=3660, initial=3)
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=waiting.Unit.choices, initial=waiting.Unit.DAYS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        emails = self.fields["email_tile"].offer(self.tree, self.key)  # type: ignore[attr-defined]
        links = Link.objects.filter(email_id__in=emails).order_by("email_id", "id")
        self.fields["links"].queryset = links  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The links are those of the chosen e-mail."""
        cleaned = super().clean() or self.cleaned_data
        tile, links = cleaned.get("email_tile"), cleaned.get("links") or []
        if tile and any(link.email_id != self.tree["tiles"][tile]["settings"]["email"] for link in links):
            self.add_error("links", _("Choose links of one e-mail only."))
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        """Ids of the links, in the order of the e-mail."""
        cleaned = self.cleaned_data
        return {
            "email_tile": cleaned["email_tile"],
            "links": [link.pk for link in cleaned["links"]],
            "amount": cleaned["amount"],
            "unit": cleaned["unit"],
        }


@register
class WhichOf(TileKind):
    key = "which_of"
    label = gettext_lazy("Which link?")
    description = gettext_lazy("A way for each link of an e-mail, and one for no click in time.")
    icon = "git-branch"
    tone = "purple"
    form = WhichOfForm
    is_decision = True

    def branches(self, tile: Tile, names: Names | None = None) -> list[Branch]:
        """One per link, then `none`."""
        links = tile["settings"].get("links", [])
        found = names or Names()
        return [*(Branch(f"link-{pk}", found.get((Link, pk), _("Link"))) for pk in links), Branch(NONE, _("No click"))]

    def refers(self, tile: Tile) -> list[Reference]:
        return [(Link, pk) for pk in tile["settings"].get("links", [])]

    def summary(self, tile: Tile, names: Names) -> Text:
        settings = tile["settings"]
        if not settings:
            return ""
        return _("Clicked within %(time)s?") % {"time": waiting.in_words(settings["amount"], settings["unit"])}

    def check(self, journey: Journey, tree: dict[str, Any], key: str) -> list[Issue]:
        return check_email_tile(tree, key)

    def listens(self, tile: Tile) -> frozenset[str]:
        return frozenset({"email.clicked"})

    def run(self, due: Due) -> None:
        """The earliest click on one of the links before the deadline decides."""
        settings = due.settings
        event = Event("email.clicked", link_ids=tuple(settings["links"]), email_tile=settings["email_tile"])
        labels = Link.objects.in_bulk(settings["links"])

        def find(deadlines: Deadlines) -> dict[int, Decision]:
            hits = deciding.first_hits(due.travellers, deadlines, event)
            return {
                person: Decision(
                    f"link-{hit.link_id}",
                    hit.interaction_id,
                    _("clicked “%(link)s”") % {"link": labels.get(hit.link_id or 0, "?")},
                )
                for person, hit in hits.items()
            }

        time = waiting.in_words(settings["amount"], settings["unit"])
        deciding.wait_for(
            due,
            find,
            amount=settings["amount"],
            unit=settings["unit"],
            otherwise=Decision(NONE, because=_("no click within %(time)s") % {"time": time}),
        )
