"""Who wins where the two sides differ, and that both are the same in the end whatever happens in between."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.crm.deciding import STRICTEST, UNKNOWN, Owner, Verdict, decide

EARLY, LATE = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)
MARKETING, SALES, NEWEST = Owner.MARKETING, Owner.SALES, Owner.NEWEST
SAME, PUSH, TAKE = Verdict


@pytest.mark.parametrize(
    ("owner", "ours", "theirs", "base", "expected", "is_overwrite"),
    [
        (NEWEST, "a", "a", "x", SAME, False),
        (MARKETING, "new", "old", "old", PUSH, False),
        (SALES, "new", "old", "old", TAKE, True),
        (NEWEST, "new", "old", "old", PUSH, False),
        (MARKETING, "old", "new", "old", PUSH, True),
        (SALES, "old", "new", "old", TAKE, False),
        (NEWEST, "old", "new", "old", TAKE, False),
        (MARKETING, "a", "b", "old", PUSH, True),
        (SALES, "a", "b", "old", TAKE, True),
        (SALES, None, "old", "old", TAKE, True),
        (MARKETING, "old", None, "old", PUSH, True),
    ],
)
def test_the_owner_decides_and_a_change_that_is_lost_is_an_overwrite(
    owner: str, ours: Any, theirs: Any, base: Any, expected: Verdict, is_overwrite: bool
) -> None:
    found = decide(owner, ours, theirs, base)
    assert (found.verdict, found.is_overwrite) == (expected, is_overwrite)


@pytest.mark.parametrize("owner", [MARKETING, SALES, NEWEST])
@pytest.mark.parametrize("base", [None, UNKNOWN])
def test_a_gap_is_filled_whoever_owns_the_field(owner: str, base: Any) -> None:
    assert decide(owner, "ours", None, base).verdict == PUSH
    assert decide(owner, None, "theirs", base).verdict == TAKE


def test_of_two_changes_the_later_one_wins_and_sales_in_case_of_doubt() -> None:
    assert decide(NEWEST, "a", "b", "x", LATE, EARLY).verdict == PUSH
    assert decide(NEWEST, "a", "b", "x", EARLY, LATE).verdict == TAKE
    assert decide(NEWEST, "a", "b", "x", LATE, LATE).verdict == TAKE
    assert decide(NEWEST, "a", "b", "x", None, LATE).verdict == TAKE


@pytest.mark.parametrize(
    ("ours", "theirs", "base", "expected"),
    [
        (True, False, UNKNOWN, PUSH),
        (True, False, False, PUSH),
        (True, False, True, PUSH),
        (False, True, UNKNOWN, TAKE),
        (False, True, False, TAKE),
        (False, True, True, PUSH),
        (True, True, False, SAME),
    ],
)
def test_a_refusal_on_either_side_holds_and_only_we_take_one_back(
    ours: bool, theirs: bool, base: Any, expected: Verdict
) -> None:
    assert decide(STRICTEST, ours, theirs, base).verdict == expected


@dataclass
class Field:
    """A field on both sides, and what a sync knows of it: the very rules, without network and database."""

    owner: str
    ours: Any = None
    theirs: Any = None
    base: Any = None
    now: datetime = EARLY
    ours_at: datetime | None = None
    theirs_at: datetime | None = None
    edits: list[tuple[str, Any]] = field(default_factory=list)

    def edit(self, side: str, value: Any) -> None:
        """Somebody enters a value; entering what stands there already is no edit."""
        self.now += timedelta(seconds=1)
        if getattr(self, side) == value:
            return
        setattr(self, side, value)
        setattr(self, f"{side}_at", self.now)
        self.edits.append((side, value))

    def sync(self, _value: Any = None) -> None:
        found = decide(self.owner, self.ours, self.theirs, self.base, self.ours_at, self.theirs_at).verdict
        if found == PUSH:
            self.theirs = self.ours
        elif found == TAKE:
            self.ours = self.theirs
        self.base = self.theirs


STEPS = st.lists(
    st.tuples(st.sampled_from(["ours", "theirs", "sync"]), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=12
)


@given(owner=st.sampled_from([MARKETING, SALES, NEWEST]), steps=STEPS)
def test_after_the_last_sync_both_sides_have_the_owners_value(owner: str, steps: list[tuple[str, str]]) -> None:
    one = Field(owner)
    for what, value in steps:
        one.sync() if what == "sync" else one.edit(what, value)
    mine, its_own = one.ours, one.theirs
    one.sync()
    assert one.ours == one.theirs
    if owner == MARKETING and mine is not None:
        assert one.ours == mine
    if owner == SALES and its_own is not None:
        assert one.ours == its_own
    if owner == NEWEST and one.edits and not any(what == "sync" for what, _ in steps):
        assert one.ours == one.edits[-1][1]
    one.sync()
    assert one.ours == one.theirs, "another sync changes nothing"


FLAGS = st.lists(
    st.tuples(st.sampled_from(["ours", "theirs", "sync"]), st.booleans()), min_size=1, max_size=12
)  # fmt: skip


@given(steps=FLAGS)
def test_whoever_refused_on_either_side_is_refused_on_both_after_a_sync(steps: list[tuple[str, bool]]) -> None:
    """What only marketing may do is take it back: once it stood on both sides."""
    one = Field(STRICTEST, False, False, False)
    for what, value in steps:
        if what == "sync":
            refused = one.ours or (one.theirs and one.base is not True)
            one.sync()
            assert one.ours == one.theirs == refused
        else:
            one.edit(what, value)
