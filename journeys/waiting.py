"""Durations and the clock's rules: what "3 days" and "9 o'clock" mean for a person.

Minutes and hours are exact. Days are calendar days in the person's zone: the same wall time so many days later. A wall
time that does not exist moves to the next one that does; one that occurs twice is the first.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

# Countries whose several zones keep the same time.
SAME_TIME = {"DE": "Europe/Berlin"}


class Unit(TextChoices):
    MINUTES = "minutes", _("minutes")
    HOURS = "hours", _("hours")
    DAYS = "days", _("days")


def later(moment: datetime, amount: int, unit: str, zone: ZoneInfo) -> datetime:
    """The instant `amount` units after `moment`, days counted on the calendar of `zone`."""
    if unit != Unit.DAYS:
        return moment + timedelta(**{unit: amount})
    wall = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=amount)
    return at_wall_time(wall, zone)


def at_wall_time(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which clocks in `zone` show `wall` for the first time, or the next time that exists."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # The clock jumps over it: find the jump between the readings before and after it, to the second.
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def zone_of(own: str, country: str, default: str) -> ZoneInfo:
    """A person's zone: her own field, else her country's if it has only one, else `default` (the journey's)."""
    return _zone(own) or _zone(_only_zone(country)) or _zone(default) or ZoneInfo("UTC")


def in_words(amount: int, unit: str) -> str:
    """ "1 day", "36 hours"."""
    if unit == Unit.DAYS:
        return ngettext("%(n)d day", "%(n)d days", amount) % {"n": amount}
    if unit == Unit.HOURS:
        return ngettext("%(n)d hour", "%(n)d hours", amount) % {"n": amount}
    return ngettext("%(n)d minute", "%(n)d minutes", amount) % {"n": amount}


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


@lru_cache(maxsize=512)
def _only_zone(country: str) -> str:
    zones = get_global("territory_zones").get(country.upper(), [])
    return zones[0] if len(zones) == 1 else SAME_TIME.get(country.upper(), "")
