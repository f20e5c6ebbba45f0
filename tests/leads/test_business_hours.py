from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from leads.business_hours import add_business_hours

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-23 10:00", 4, "2026-11-23 14:00"),  # a Monday morning
        ("2026-11-23 15:00", 4, "2026-11-24 11:00"),  # goes on in the morning
        ("2026-11-23 13:00", 4, "2026-11-23 17:00"),  # exactly at the close
        ("2026-11-23 17:00", 1, "2026-11-24 10:00"),  # begins at the close
        ("2026-11-23 06:30", 1, "2026-11-23 10:00"),  # before work
        ("2026-11-23 22:00", 1, "2026-11-24 10:00"),  # after work
        ("2026-11-27 16:00", 2, "2026-11-30 10:00"),  # over the weekend
        ("2026-11-28 12:00", 4, "2026-11-30 13:00"),  # on a Saturday
        ("2026-11-23 09:00", 24, "2026-11-25 17:00"),  # three full days
        ("2026-10-23 16:00", 2, "2026-10-26 10:00"),  # summer time ends on that weekend
        ("2026-11-23 10:00", 0.5, "2026-11-23 10:30"),
    ],
)
def test_only_working_hours_count(start: str, hours: float, end: str) -> None:
    begun = datetime.fromisoformat(start).replace(tzinfo=BERLIN)
    assert add_business_hours(begun, hours, BERLIN) == datetime.fromisoformat(end).replace(tzinfo=BERLIN)


def test_the_zone_says_when_work_is() -> None:
    monday_noon = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("UTC"))
    assert add_business_hours(monday_noon, 1, ZoneInfo("UTC")).hour == 13
    in_tokyo = add_business_hours(monday_noon, 1, ZoneInfo("Asia/Tokyo"))
    assert in_tokyo == datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Asia/Tokyo"))
