"""What their columns can hold: our values become theirs and come back, or say why they cannot."""

from typing import Any

import pytest

from contacts import cells
from contacts.targets import Target
from integrations.crm.columns import Column, Type, Unfit, to_ours, to_theirs


def column(type_: str, **more: Any) -> Column:
    return Column("c", "Column", type_, **more)


def target(cell: cells.Cell) -> Target:
    return Target("contact.x", "contact", "x", "X", cell)


TEXT, NUMBER, YES, DAY = (
    target(cell) for cell in (cells.Cell(200), cells.NumberCell(), cells.BooleanCell(), cells.DateCell())
)
RATING = column(Type.CHOICE, options=((1, "Hot"), (2, "Warm"), (3, "Cold")))


@pytest.mark.parametrize(
    ("ours", "of", "column", "options", "theirs"),
    [
        ("Ada", TEXT, column(Type.TEXT, longest=3), {}, "Ada"),
        ("🚰" * 5, TEXT, column(Type.TEXT, longest=10), {}, "🚰" * 5),
        ("שלום", TEXT, column(Type.MEMO), {}, "שלום"),
        ("hot", TEXT, RATING, {"hot": 1}, 1),
        ("A", TEXT, RATING, {"A": 1, "B": 2}, 1),
        (40, NUMBER, column(Type.INTEGER, lowest=0, highest=100), {}, 40),
        (40, NUMBER, column(Type.NUMBER), {}, 40.0),
        (True, YES, column(Type.BOOLEAN), {}, True),
        ("2026-03-01", DAY, column(Type.DATE), {}, "2026-03-01"),
        ("2026-03-01", DAY, column(Type.MOMENT), {}, "2026-03-01T00:00:00Z"),
    ],
)
def test_a_value_goes_there_and_comes_back_as_it_was(
    ours: Any, of: Target, column: Column, options: dict[str, Any], theirs: Any
) -> None:
    assert to_theirs(ours, column, options, of) == theirs
    assert to_ours(theirs, of, options) == ours


@pytest.mark.parametrize(
    ("value", "column", "why"),
    [
        ("x" * 300, column(Type.TEXT, longest=100), "100 characters, not 300"),
        ("🚰" * 6, column(Type.TEXT, longest=10), "10 characters, not 12"),
        (None, column(Type.TEXT, is_required=True), "must not be empty"),
        ("Lukewarm", RATING, "no choice “Lukewarm”"),
        ("many", column(Type.INTEGER), "takes a number"),
        (1.5, column(Type.INTEGER), "whole number"),
        (101, column(Type.INTEGER, lowest=0, highest=100), "from 0 to 100"),
        ("perhaps", column(Type.BOOLEAN), "yes or no"),
        ("soon", column(Type.DATE), "takes a date"),
        ("x", column(Type.OTHER), "cannot be written"),
    ],
)
def test_a_value_that_does_not_fit_says_why(value: Any, column: Column, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        to_theirs(value, column, {})


def test_a_country_goes_by_its_name_and_comes_back_by_any_language() -> None:
    country = target(cells.CountryCell(100))
    assert to_theirs("DE", column(Type.TEXT, longest=80), {}, country) == "Germany"
    assert [to_ours(name, country, {}) for name in ("Germany", "Deutschland", "de")] == ["DE"] * 3


def test_what_they_have_may_be_nothing_we_can_read() -> None:
    with pytest.raises(ValueError, match="phone"):
        to_ours("call us!", target(cells.PhoneCell(20)), {})
    assert to_ours(None, TEXT, {}) is None
    assert to_ours("", TEXT, {}) is None


def test_a_column_survives_being_kept_as_json() -> None:
    assert Column.of_json(RATING.as_json()) == RATING
