"""If/then: yes as soon as somebody does something, no when the time is over; or at once, by what is true of her."""

from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys import deciding, rules, tree, waiting
from journeys.deciding import Deadlines, Decision, Event
from journeys.happenings import conditions
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
from segments.builder import RuleField
from segments.rules import Vocabulary
from segments.usage import Mentions
from segments.usage import mentions as mentions_of

# What decides: what somebody does within a time, or what is true of her on arrival (then the settings have a rule).
DOES, IS = "does", "is"
YES, NO = "yes", "no"
EVENTS: dict[str, Text] = {
    "email.clicked": gettext_lazy("Clicked in the e-mail"),
    "email.opened": gettext_lazy("Opened the e-mail"),
    "email.hard_bounced": gettext_lazy("The e-mail bounced"),
    "page.visited": gettext_lazy("Visited the page"),
    "form.submitted": gettext_lazy("Submitted the form"),
}
ON_EMAIL = ("email.clicked", "email.opened", "email.hard_bounced")


def events() -> dict[str, Text]:
    """What can be waited for, with what apps above journeys add."""
    return EVENTS | {condition.key: condition.label for condition in conditions}


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
    """What to wait for, on what, and how long; or the rule that is asked on arrival."""

    widths = {"amount": 6, "unit": 6}
    shown_when = {
        "event": {"about": [DOES]},
        "email_tile": {"about": [DOES], "event": list(ON_EMAIL)},
        "link": {"about": [DOES], "event": ["email.clicked"]},
        "page": {"about": [DOES], "event": ["page.visited"]},
        "form": {"about": [DOES], "event": ["form.submitted"]},
        "amount": {"about": [DOES]},
        "unit": {"about": [DOES]},
        "rule": {"about": [IS]},
    }
    about = forms.ChoiceField(
        label=gettext_lazy("What decides"),
        choices=[(DOES, gettext_lazy("what they do, within a time")), (IS, gettext_lazy("what is true of them now"))],
        widget=forms.RadioSelect,
        initial=DOES,
        required=False,
    )
    event = forms.ChoiceField(label=gettext_lazy("Condition"), choices=lambda: list(events().items()))
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
    rule = RuleField(
        subject=rules.SUBJECT,
        label=gettext_lazy("Yes, if"),
        help_text=gettext_lazy("Asked when somebody arrives. Score, grade and stage are those of any open lead."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        emails = self.fields["email_tile"].offer(self.tree, self.key)  # type: ignore[attr-defined]
        links = Link.objects.filter(email_id__in=emails).order_by("email_id", "label")
        self.fields["link"].queryset = links  # type: ignore[attr-defined]
        self.fields["page"].queryset = Page.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["form"].queryset = MarketingForm.objects.order_by("name")  # type: ignore[attr-defined]
        for condition in conditions:
            objects = condition.model._default_manager.order_by("name")
            self.fields[condition.setting] = forms.ModelChoiceField(
                label=str(condition.object_label),
                queryset=objects,
                required=False,
                empty_label=str(condition.any_label),
            )
        order = list(self.base_fields)
        at = order.index("form") + 1
        self.order_fields([*order[:at], *(condition.setting for condition in conditions), *order[at:]])

    def when_shown(self, name: str) -> dict[str, list[str]]:
        """What apps above journeys add is asked for with their kinds of facts."""
        added = {condition.setting: condition.key for condition in conditions}
        return {"about": [DOES], "event": [added[name]]} if name in added else super().when_shown(name)

    @classmethod
    def initial_of(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """The stored settings, and which sort they are of."""
        return {**settings, "about": IS if "rule" in settings else DOES}

    def clean(self) -> dict[str, Any]:
        """Only the chosen sort counts. A condition on an e-mail names its tile, and a link of that e-mail."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["about"] = about = cleaned.get("about") or DOES
        for name in set(self.errors) & set(self.fields):
            if about not in self.when_shown(name).get("about", [about]):
                del self.errors[name]
        if about == IS:
            return cleaned
        tile = cleaned.get("email_tile")
        if cleaned.get("event") in ON_EMAIL and not tile:
            self.add_error("email_tile", _("Choose an e-mail that is sent before this step."))
        link = cleaned.get("link")
        if link and tile and link.email_id != self.tree["tiles"][tile]["settings"]["email"]:
            self.add_error("link", _("This link is in another e-mail."))
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        """Only what the chosen condition needs."""
        cleaned = self.cleaned_data
        if cleaned["about"] == IS:
            return {"rule": cleaned["rule"]}
        event = cleaned["event"]
        kept: dict[str, Any] = {"event": event, "amount": cleaned["amount"], "unit": cleaned["unit"]}
        if event in ON_EMAIL:
            kept["email_tile"] = cleaned["email_tile"]
        asked = {"email.clicked": "link", "page.visited": "page", "form.submitted": "form"}
        asked |= {condition.key: condition.setting for condition in conditions}
        if (name := asked.get(event)) and cleaned[name]:
            kept[name] = cleaned[name].pk
        return kept


@register
class IfThen(TileKind):
    key = "if_then"
    label = gettext_lazy("If/then")
    description = gettext_lazy("Two ways: by what people do within a time, or by what is true of them.")
    icon = "arrows-split"
    tone = "purple"
    form = IfThenForm
    is_decision = True

    def branches(self, tile: Tile, names: Names | None = None) -> list[Branch]:
        return [Branch(YES, _("Yes")), Branch(NO, _("No"))]

    def refers(self, tile: Tile) -> list[Reference]:
        models: dict[str, type[Model]] = {"link": Link, "page": Page, "form": MarketingForm}
        models |= {condition.setting: condition.model for condition in conditions}
        return [(model, tile["settings"][name]) for name, model in models.items() if tile["settings"].get(name)]

    def mentions(self, tile: Tile) -> Mentions:
        return mentions_of(tile["settings"].get("rule"))

    def summary(self, tile: Tile, names: Names) -> Text:
        settings = tile["settings"]
        if not settings:
            return ""
        if "rule" in settings:
            return _("%(rule)s?") % {"rule": rules.in_words(settings["rule"], names.words)}
        named = ", ".join(f"“{names.get(reference, '?')}”" for reference in self.refers(tile))
        what = f"{events()[settings['event']]} {named}".strip()
        return _("%(what)s within %(time)s?") % {
            "what": what,
            "time": waiting.in_words(settings["amount"], settings["unit"]),
        }

    def check(self, journey: Journey, tree_: dict[str, Any], key: str) -> list[Issue]:
        """An e-mail can only be asked about after it was sent; a rule names what there is."""
        settings = tree_["tiles"][key]["settings"]
        if "rule" in settings:
            return [Issue(ERROR, key, problem) for problem in rules.problems(settings["rule"], Vocabulary())]
        return check_email_tile(tree_, key)

    def listens(self, tile: Tile) -> frozenset[str]:
        return frozenset({tile["settings"]["event"]} if "event" in tile["settings"] else ())

    def run(self, due: Due) -> None:
        """The first matching fact before the deadline says yes; a rule is asked of everybody who has arrived."""
        if "rule" in due.settings:
            _ask(due, due.settings["rule"])
        else:
            _await(due, due.settings)


def _ask(due: Due, rule: Any) -> None:
    """Decide at once, by one statement for all of them."""
    found = rules.holding(rule, [traveller.contact_id for traveller in due.travellers])
    yes, no = rules.reasons(rule, Vocabulary())
    for traveller in due.travellers:
        holds = traveller.contact_id in found
        due.go_one(traveller, YES if holds else NO, detail={"because": yes if holds else no})


def _await(due: Due, settings: dict[str, Any]) -> None:
    """Wait for the first matching fact of each."""
    condition = conditions.get(settings["event"])
    chosen = settings.get(condition.setting) if condition else settings.get("page") or settings.get("form")
    in_detail = {condition.detail_key: chosen} if condition and condition.detail_key and chosen else {}
    event = Event(
        kind=settings["event"],
        object_id=None if in_detail else chosen,
        detail=in_detail,
        link_ids=(settings["link"],) if settings.get("link") else (),
        email_tile=settings.get("email_tile", ""),
    )
    said = str(events()[event.kind])

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
