"""Days that stand in addresses, in the viewer's zone."""

from datetime import date, datetime, time

from django.utils import timezone
from django.utils.dateparse import parse_date


def read_day(text: str) -> date | None:
    """The day that an address names (YYYY-MM-DD); None for anything else."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def begin_of(day: date) -> datetime:
    """The moment at which a day begins in the viewer's zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
