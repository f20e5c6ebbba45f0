"""What answers of Dataverse mean, whatever their form."""

from typing import Any

import pytest

from integrations.client import Rejected, Unavailable
from integrations.dynamics import odata, refusals, session


@pytest.mark.parametrize("nonsense", [{}, [], {"value": None}, {"value": "none"}, {"value": [None]}, "leads"])
def test_an_answer_that_has_no_records_is_no_answer(nonsense: Any) -> None:
    with pytest.raises(Unavailable):
        odata.rows_of(nonsense)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [(12.5, "EUR", 1_250), (1_000_000, "JPY", 1_000_000), (1.234, "KWD", 1_234), (7, "", 700), (None, "EUR", None)],
)
def test_money_comes_in_the_smallest_unit_of_its_currency(amount: float, currency: str, minor: int | None) -> None:
    assert session._minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("status", "code", "text", "expected"),
    [
        (400, "0x80044352", "Version stamp associated with the client has expired.", True),
        (410, "", "Gone", True),
        (400, "", "The delta token has expired", True),
        (400, "0x80060888", "Syntax error", False),
    ],
)
def test_an_expired_position_is_known_by_code_status_or_words(
    status: int, code: str, text: str, expected: bool
) -> None:
    assert refusals.is_expired(Rejected(text, status=status, code=code)) == expected
