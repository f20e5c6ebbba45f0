"""Random people, histories and rules for Hypothesis."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from tests.segments.world import BERLIN, NOW, Fact, Person

DAYS = st.sampled_from([1, 2, 3, 7, 30])
TEXTS = st.sampled_from(["Head of Sales", "head", "Éva", "100%", "a'b\\c", "sales"])
TIMES = st.integers(1, 3)


@st.composite
def moments(draw: st.DrawFn) -> Any:
    """Moments before NOW, many of them exactly at the edge of a window."""
    days = draw(st.sampled_from([0, 1, 2, 3, 6, 7, 8, 30]))
    return NOW - timedelta(days=days, seconds=draw(st.sampled_from([0, 0, 1, 3600, 50_000])))


FACTS = st.builds(
    Fact,
    kind=st.sampled_from(["rules.clicked", "rules.visited", "rules.noted"]),
    at=moments(),
    object_id=st.sampled_from([None, 1, 2]),
    link_id=st.sampled_from([None, 7]),
    url=st.sampled_from(["", "/pricing", "/Pricing/50%", "/blog"]),
)


@st.composite
def people(draw: st.DrawFn) -> Person:
    created = draw(moments())
    renewal = draw(st.sampled_from([None, -31, -7, -3, -1, 0, 1, 2, 3, 7, 30]))
    today = NOW.astimezone(BERLIN).date()
    custom: dict[str, Any] = {}
    if renewal is not None:
        custom["renewal"] = (today + timedelta(days=renewal)).isoformat()
    budget = draw(st.sampled_from([None, 0, 10, 500]))
    if budget is not None:
        custom["budget"] = budget
    vip = draw(st.sampled_from([None, True, False]))
    if vip is not None:
        custom["vip"] = vip
    values = {
        "job_title": draw(st.sampled_from(["", "Head of Sales", "sales head", "Éva's 100%", "a'b\\c"])),
        "consent_level": draw(st.integers(0, 5)),
        "created_at": created,
        "custom": custom,
    }
    return Person(values, draw(st.lists(FACTS, max_size=6)))


def field_tests() -> st.SearchStrategy[Any]:
    days = st.integers(-31, 31).map(lambda n: (NOW.astimezone(BERLIN).date() + timedelta(days=n)).isoformat())
    pair = st.tuples(days, days).map(sorted)

    def test(key: str, ops: list[str], value: st.SearchStrategy[Any] | None) -> st.SearchStrategy[Any]:
        made = {"field": st.just(key), "op": st.sampled_from(ops)}
        return st.fixed_dictionaries(made | ({"value": value} if value is not None else {}))

    texts = test("contact.job_title", ["is", "is_not", "contains", "contains_not", "begins", "ends"], TEXTS)
    lists = test("contact.job_title", ["in", "not_in"], st.lists(TEXTS, min_size=1, max_size=3))
    numbers = [
        test(key, ["is", "is_not", "gt", "gte", "lt", "lte"], st.integers(-1, 501))
        for key in ("contact.consent_level", "contact.custom.budget")
    ]
    ranges = test("contact.custom.budget", ["between"], st.tuples(st.integers(0, 10), st.integers(10, 500)).map(list))
    flags = test("contact.custom.vip", ["is"], st.booleans())
    clocks = [
        test(key, ["in_last_days", "in_next_days", "days_ago"], DAYS)
        for key in ("contact.created_at", "contact.custom.renewal")
    ]
    calendars = [test(key, ["is", "before", "after"], days) for key in ("contact.created_at", "contact.custom.renewal")]
    periods = [test(key, ["between"], pair) for key in ("contact.created_at", "contact.custom.renewal")]
    presence = [
        test(f"contact.{key}", ["has_value", "has_none"], None)
        for key in ("job_title", "custom.budget", "custom.renewal", "custom.vip", "created_at")
    ]
    return st.one_of(texts, lists, *numbers, ranges, flags, *clocks, *calendars, *periods, *presence)


@st.composite
def behaviors(draw: st.DrawFn, *, is_step: bool = False) -> dict[str, Any]:
    kind = draw(st.sampled_from(["rules.clicked", "rules.visited", "activity"]))
    leaf: dict[str, Any] = {"did" if is_step or draw(st.booleans()) else "did_not": kind}
    if draw(st.booleans()):
        leaf["object"] = draw(st.sampled_from([1, [1, 2]]))
    if draw(st.integers(0, 3)) == 0:
        leaf["link"] = 7
    if kind != "activity" and draw(st.integers(0, 3)) == 0:
        op = draw(st.sampled_from(["is", "contains", "begins"]))
        leaf["where"] = {"url": {"op": op, "value": draw(st.sampled_from(["/pricing", "50%", "/BLOG"]))}}
    if is_step:
        return leaf
    leaf["at_least"] = draw(TIMES)
    if draw(st.integers(0, 2)) == 0:
        leaf["at_most"] = leaf["at_least"] + draw(st.integers(0, 2))
    window = draw(st.sampled_from(["", "within_days", "within_days", "between"]))
    if window == "within_days":
        leaf["within_days"] = draw(DAYS)
    elif window == "between":
        today = NOW.astimezone(BERLIN).date()
        ends = sorted(today - timedelta(days=draw(st.integers(0, 31))) for _ in range(2))
        leaf["between"] = [end.isoformat() for end in ends]
    return leaf


@st.composite
def sequences(draw: st.DrawFn) -> dict[str, Any]:
    leaf: dict[str, Any] = {
        "sequence": draw(st.lists(behaviors(is_step=True), min_size=2, max_size=3)),
        "within_days": draw(DAYS),
    }
    if draw(st.booleans()):
        leaf["in_last_days"] = draw(DAYS)
    return leaf


def leaves() -> st.SearchStrategy[Any]:
    return st.one_of(field_tests(), behaviors(), behaviors(), sequences())


def rules() -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves(),
        lambda inner: st.one_of(
            st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"not": inner}),
        ),
        max_leaves=5,
    )
