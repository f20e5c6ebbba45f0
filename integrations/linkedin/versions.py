"""The API's version: a month that LinkedIn ends a year and half a month later, with 426 from then on."""

from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

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


def ended(text: str) -> str:
    """What LinkedIn's 426 means, and what to do; `text` is what it says."""
    return _(
        "LinkedIn has ended version %(version)s of its API: set LINKEDIN_VERSION to one of the last twelve months, "
        "restart, and resume the connection. Nothing is lost for a year. LinkedIn says: %(text)s"
    ) % {"version": settings.LINKEDIN_VERSION, "text": text}
