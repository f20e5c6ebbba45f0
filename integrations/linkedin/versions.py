"""The API's version: a month that LinkedIn ends a year and half a month later, with 426 from then on."""

from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone

# From when on the page warns.
AHEAD = timedelta(days=75)


def ends_on(version: str) -> date | None:
    """The day on which LinkedIn ends a version such as "202607"; None if it is none."""
    if len(version) != 6 or not version.isdecimal() or not 1 <= int(version[4:]) <= 12:
        return None
    return date(int(version[:4]) + 1, int(version[4:]), 15)


def ending() -> tuple[str, date | None, bool]:
    """The version that is used, when it ends, and whether that is soon (or has been)."""
    version = settings.LINKEDIN_VERSION
    day = ends_on(version)
    return version, day, day is None or day <= timezone.localdate() + AHEAD
