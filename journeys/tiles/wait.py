"""Wait: for a time, or until a date."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys import waiting
from journeys.tiles.form import TileForm
from journeys.tiles.registry import NEXT, Due, Names, Text, Tile, TileKind, register


class WaitForm(TileForm):
    """Either a duration or a wall time in the journey's zone."""

    widths = {"amount": 6, "unit": 6}
    shown_when = {"amount": {"how": ["for"]}, "unit": {"how": ["for"]}, "until": {"how": ["until"]}}
    how = forms.ChoiceField(
        label=gettext_lazy("Wait"),
        choices=[("for", gettext_lazy("for a time")), ("until", gettext_lazy("until a date"))],
        initial="for",
    )
    amount = forms.IntegerField(label=gettext_lazy("How long"), min_value=1, max_value=3660, required=False, initial=1)
    unit = forms.ChoiceField(
        label=gettext_lazy("Unit"),
        choices=waiting.Unit.choices,
        initial=waiting.Unit.DAYS,
        help_text=gettext_lazy("Days are calendar days in the contact's time zone: the same time of day, later."),
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("In the journey's time zone. Who arrives later goes on at once."),
    )

    @classmethod
    def initial_of(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """The stored wall time as the input shows it."""
        until = settings.get("until")
        return {**settings, "until": datetime.fromisoformat(until) if until else None}

    def clean(self) -> dict[str, Any]:
        """The one that is chosen must be filled in."""
        cleaned = super().clean() or self.cleaned_data
        needed = "until" if cleaned.get("how") == "until" else "amount"
        if not cleaned.get(needed) and needed not in self.errors:
            self.add_error(needed, _("Say how long."))
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        """The duration, or the wall time without a zone (it is the journey's)."""
        cleaned = self.cleaned_data
        if cleaned["how"] == "until":
            return {"how": "until", "until": cleaned["until"].replace(tzinfo=None).isoformat(timespec="minutes")}
        return {"how": "for", "amount": cleaned["amount"], "unit": cleaned["unit"]}


@register
class Wait(TileKind):
    key = "wait"
    label = gettext_lazy("Wait")
    description = gettext_lazy("For minutes, hours or days, or until a date.")
    icon = "clock"
    tone = "yellow"
    form = WaitForm

    def summary(self, tile: Tile, names: Names) -> Text:
        settings = tile["settings"]
        if settings.get("how") == "until":
            return _("until %(date)s") % {
                "date": formats.date_format(datetime.fromisoformat(settings["until"]), "DATETIME_FORMAT")
            }
        return waiting.in_words(settings["amount"], settings["unit"]) if settings else ""

    def rests_until(self, tile: Tile, due: Due, zone: ZoneInfo) -> datetime | None:
        """To the end of the wait, which is known on arrival."""
        return _ends_at(tile["settings"], due.arrives_at, zone, due.time_zone) if due.arrives_at else None

    def run(self, due: Due) -> None:
        """Those whose time is over go on; the others are looked at when it will be."""
        for traveller in due.travellers:
            zone = waiting.zone_of(traveller.time_zone, traveller.country, due.time_zone)
            deadline = traveller.deadline_at or _ends_at(due.settings, traveller.arrived_at, zone, due.time_zone)
            if deadline <= due.now:
                due.go(NEXT, [traveller])
            else:
                due.look_again(traveller, deadline, deadline)


def _ends_at(settings: dict[str, Any], arrived_at: datetime, zone: ZoneInfo, time_zone: str) -> datetime:
    """The end of a wait: a date on the journey's clock, or so long after the arrival on the person's."""
    if settings["how"] == "until":
        return waiting.at_wall_time(datetime.fromisoformat(settings["until"]), ZoneInfo(time_zone))
    return waiting.later(arrived_at, settings["amount"], settings["unit"], zone)
