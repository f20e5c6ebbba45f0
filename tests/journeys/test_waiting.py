from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from journeys import waiting

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2026-03-28T09:00", "2026-03-28T08:00+00:00"),
        ("2026-03-29T02:30", "2026-03-29T01:00+00:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30+00:00"),
    ],
)
def test_a_wall_time_that_is_skipped_moves_on_and_one_that_repeats_is_the_first(wall: str, instant: str) -> None:
    assert waiting.at_wall_time(datetime.fromisoformat(wall), BERLIN) == datetime.fromisoformat(instant)


def test_days_keep_the_time_of_day_and_hours_do_not() -> None:
    before = datetime(2026, 3, 28, 8, tzinfo=UTC)  # 9 o'clock in Berlin, the day before summer time
    assert waiting.later(before, 1, "days", BERLIN) == datetime(2026, 3, 29, 7, tzinfo=UTC)
    assert waiting.later(before, 24, "hours", BERLIN) == datetime(2026, 3, 29, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("own", "country", "zone"),
    [
        ("Asia/Tokyo", "FR", "Asia/Tokyo"),
        ("", "FR", "Europe/Paris"),
        ("", "DE", "Europe/Berlin"),
        ("", "US", "Europe/Rome"),
        ("Nowhere/Town", "", "Europe/Rome"),
    ],
)
def test_a_zone_is_the_persons_then_her_countrys_only_one_then_the_journeys(own: str, country: str, zone: str) -> None:
    assert waiting.zone_of(own, country, "Europe/Rome").key == zone
