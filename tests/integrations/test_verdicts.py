from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.calling import Answer, Unreachable
from integrations.webhooks import verdicts
from integrations.webhooks.verdicts import SCHEDULE, Attempted, Verdict, next_wait, of_answer, of_failure, retry_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, Verdict.DELIVERED) for status in (200, 201, 202, 204, 299)),
        *((status, Verdict.LATER) for status in (301, 302, 307, 401, 402, 403, 404, 407, 418)),
        *((status, Verdict.NEVER) for status in (400, 405, 411, 413, 415, 422, 501)),
        *((status, Verdict.SOON) for status in (408, 409, 425, 429, 500, 502, 503, 504, 599)),
        (410, Verdict.GONE),
    ],
)
def test_each_answer_has_its_class(status: int, verdict: Verdict) -> None:
    assert of_answer(Answer(status, {}, b""), 5).verdict == verdict


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        ("refused", Verdict.NEVER),
        ("tls", Verdict.LATER),
        *((reason, Verdict.SOON) for reason in ("name", "connection", "time", "answer")),
    ],
)
def test_no_answer_has_its_class_too(reason: str, verdict: Verdict) -> None:
    assert of_failure(Unreachable(reason, "x"), 5).verdict == verdict


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), (" 3 ", 3), ("0", 0), ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("99999999999999999999", 86_400), ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date_within_a_day(value: str, seconds: int) -> None:
    assert retry_after(value, NOW) == timedelta(seconds=seconds)


@given(st.text(max_size=40))
def test_no_retry_after_breaks_anything(value: str) -> None:
    found = retry_after(value, NOW)
    assert found is None or timedelta(0) <= found <= verdicts.LONGEST_WAIT


def test_the_schedule_takes_three_days_and_then_gives_up() -> None:
    waits, step = [], 0
    while found := next_wait(Attempted(Verdict.SOON, 5), step, draw=0.5):
        waits.append(found[0].total_seconds())
        step = found[1]
    assert waits == list(SCHEDULE)
    assert timedelta(hours=75) < timedelta(seconds=sum(waits)) < timedelta(hours=76)


def test_what_somebody_has_to_mend_begins_with_minutes() -> None:
    assert next_wait(Attempted(Verdict.LATER, 5), 0, draw=0.5) == (timedelta(minutes=5), 2)


@given(st.sampled_from([Verdict.SOON, Verdict.LATER]), st.integers(0, len(SCHEDULE) - 1), st.floats(0, 1))
def test_a_wait_is_near_its_place_in_the_schedule(verdict: Verdict, step: int, draw: float) -> None:
    found = next_wait(Attempted(verdict, 5), step, draw)
    assert found is not None
    planned = SCHEDULE[found[1] - 1]
    assert planned * 0.79 < found[0].total_seconds() < planned * 1.21


def test_a_longer_wait_that_the_receiver_asks_for_is_kept_and_a_shorter_one_is_not() -> None:
    assert next_wait(Attempted(Verdict.SOON, 5, wait=timedelta(hours=1)), 0, 0.5) == (timedelta(hours=1), 1)
    assert next_wait(Attempted(Verdict.SOON, 5, wait=timedelta(seconds=1)), 1, 0.5) == (timedelta(minutes=5), 2)
