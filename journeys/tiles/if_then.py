"""If/then: yes as soon as something happens or holds, no when the time is over."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys import deciding, tree, waiting
from journeys.deciding import Deadlines, Decision, Event
from journeys.models import Journey
from journeys.tiles.email import tiles_above
from journeys.tiles.form import TileForm
from journeys.tiles.registry import (
    ERROR,
    Branch,
    Due,
    Issue,
    Names,
    Reference,
    Text,
    Tile,
    TileKind,
    register,
)
from messaging.models import Email, Link
from pages.models import Form as MarketingForm
from pages.models import Page

YES, NO = "yes", "no"
EVENTS: dict[str, Text] = {
    "email.clicked": gettext_lazy("Clicked in the e-mail"),
    "email.opened": gettext_lazy("Opened the e-mail"),
    "email.hard_bounced": gettext_lazy("The e-mail bounced"),
    "page.visited": gettext_lazy("Visited the page"),
    "form.submitted": gettext_lazy("Submitted the form"),
}
ON_EMAIL = ("email.clicked", "email.opened", "email.hard_bounced")


class EmailTileField(forms.ChoiceField):
    """An e-mail tile on the way to this one."""

    def offer(self, tree_: dict[str, Any], key: str) -> list[int]:
        """Offer the e-mail tiles above `key`; returns the ids of their e-mails."""
        above = tiles_above(tree_, tree.upstream(tree_, key))[::-1]
        names = Email.objects.in_bulk([email for _key, email in above])
        labels = [(tile, tree_["tiles"][tile]["name"] or str(names.get(email, "?"))) for tile, email in above]
        self.choices = [("", "–"), *labels] if not self.required else labels
        return [email for _tile, email in above]


class IfThenForm(TileForm):
    """What to wait for, on what, and how long."""

    widths = {"amount": 6, "unit": 6}
    event = forms.ChoiceField(label=gettext_lazy("Condition"), choices=list(EVENTS.items()))
    email_tile = EmailTileField(label=gettext_lazy("In the e-mail of"), required=False)
    link = forms.ModelChoiceField(
        label=gettext_lazy("Link"), queryset=Link.objects.none(), required=False, empty_label=gettext_lazy("Any link")
    )
    page = forms.ModelChoiceField(
        label=gettext_lazy("Page"), queryset=Page.objects.none(), required=False, empty_label=gettext_lazy("Any page")
    )
    form = forms.ModelChoiceField(
        label=gettext_lazy("Form"),
        queryset=MarketingForm.objects.none(),
        required=False,
        empty_label=gettext_lazy("Any form"),
    )
    amount = forms.IntegerField(label=gettext_lazy("Wait up to"), min_value=1, max_value=3660, initial=3)
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=waiting.Unit.choices, initial=waiting.Unit.DAYS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        emails = self.fields["email_tile"].offer(self.tree, self.key)  # type: ignore[attr-defined]
        links = Link.objects.filter(email_id__in=emails).order_by("email_id", "label")
        self.fields["link"].queryset = links  # type: ignore[attr-defined]
        self.fields["page"].queryset = Page.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["form"].queryset = MarketingForm.objects.order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A condition on an e-mail names the e-mail's tile, and a link of that e-mail."""
        cleaned = super().clean() or self.cleaned_data
        tile = cleaned.get("email_tile")
        if cleaned.get("event") in ON_EMAIL and not tile:
            self.add_error("email_tile", _("Choose an e-mail that is sent before this step."))
        link = cleaned.get("link")
        if link and tile and link.email_id != self.tree["tiles"][tile]["settings"]["email"]:
            self.add_error("link", _("This link is in another e-mail."))
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        """Only what the chosen condition needs."""
        cleaned, event = self.cleaned_data, self.cleaned_data["event"]
        kept: dict[str, Any] = {"event": event, "amount": cleaned["amount"], "unit": cleaned["unit"]}
        if event in ON_EMAIL:
            kept["email_tile"] = cleaned["email_tile"]
        for name in {"email.clicked": ["link"], "page.visited": ["page"], "form.submitted": ["form"]}.get(event, []):
            if cleaned[name]:
                kept[name] = cleaned[name].pk
        return kept


@register
class IfThen(TileKind):
    key = "if_then"
    label = gettext_lazy("If/then")
    description = gettext_lazy("Wait for something to happen; go another way if it does not.")
    icon = "arrows-split"
    tone = "purple"
    form = IfThenForm
    is_decision = True

    def branches(self, tile: Tile, names: Names | None = None) -> list[Branch]:
        return [Branch(YES, _("Yes")), Branch(NO, _("No"))]

    def refers(self, tile: Tile) -> list[Reference]:
        models = {"link": Link, "page": Page, "form": MarketingForm}
        return [(model, tile["settings"][name]) for name, model in models.items() if tile["settings"].get(name)]

    def summary(self, tile: Tile, names: Names) -> Text:
        settings = tile["settings"]
        if not settings:
            return ""
        named = ", ".join(f"“{names.get(reference, '?')}”" for reference in self.refers(tile))
        what = f"{EVENTS[settings['event']]} {named}".strip()
        return _("%(what)s within %(time)s?") % {
            "what": what,
            "time": waiting.in_words(settings["amount"], settings["unit"]),
        }

    def check(self, journey: Journey, tree_: dict[str, Any], key: str) -> list[Issue]:
        """An e-mail can only be asked about after it was sent."""
        return check_email_tile(tree_, key)

    def listens(self, tile: Tile) -> frozenset[str]:
        return frozenset({tile["settings"]["event"]})

    def run(self, due: Due) -> None:
        """The first matching fact before the deadline says yes."""
        settings = due.settings
        event = Event(
            kind=settings["event"],
            object_id=settings.get("page") or settings.get("form"),
            link_ids=(settings["link"],) if settings.get("link") else (),
            email_tile=settings.get("email_tile", ""),
        )
        said = str(EVENTS[event.kind])

        def find(deadlines: Deadlines) -> dict[int, Decision]:
            hits = deciding.first_hits(due.travellers, deadlines, event)
            return {person: Decision(YES, hit.interaction_id, said) for person, hit in hits.items()}

        not_in_time = _("not within %(time)s") % {"time": waiting.in_words(settings["amount"], settings["unit"])}
        deciding.wait_for(
            due,
            find,
            amount=settings["amount"],
            unit=settings["unit"],
            otherwise=Decision(NO, because=f"{said}: {not_in_time}"),
        )


def check_email_tile(tree_: dict[str, Any], key: str) -> list[Issue]:
    """The e-mail that a condition names must be sent on the way to it."""
    named = tree_["tiles"][key]["settings"].get("email_tile")
    if not named or named in [tile for tile, _email in tiles_above(tree_, tree.upstream(tree_, key))]:
        return []
    return [Issue(ERROR, key, _("The e-mail that this step asks about is not sent before it."))]
