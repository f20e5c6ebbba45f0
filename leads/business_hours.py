"""Business hours: when a number of working hours from now has passed."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OPENS, CLOSES = time(9), time(17)
LAST_WORKDAY = 4  # Friday; weekday() counts from Monday, 0.


def add_business_hours(start: datetime, hours: float, zone: ZoneInfo) -> datetime:
    """The moment at which `hours` working hours (Monday to Friday, 9 to 17 in `zone`) have passed since `start`.

    Time outside of working hours does not count: starting on Friday at 16:00, two hours end on Monday at 10:00.
    Counted on the wall clock of each day; `start` is aware, so is the result (in `zone`).
    """
    left = timedelta(hours=hours)
    now = start.astimezone(zone).replace(tzinfo=None)
    while True:
        opens, closes = _hours_of(now.date())
        now = max(now, opens)
        if now < closes:
            if left <= closes - now:
                return (now + left).replace(tzinfo=zone)
            left -= closes - now
        now = datetime.combine(now.date() + timedelta(days=1), time.min)


def _hours_of(day: date) -> tuple[datetime, datetime]:
    """When work begins and ends on a day; at once on a weekend."""
    opens = datetime.combine(day, OPENS)
    return opens, datetime.combine(day, CLOSES) if day.weekday() <= LAST_WORKDAY else opens
