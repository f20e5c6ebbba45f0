"""Queries as Rest.li wants them, read back by the stand-in's own reader, which refuses what LinkedIn refuses."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.linkedin import responses
from integrations.linkedin.parsing import form_ref, tail
from integrations.linkedin.responses import FormRef
from integrations.linkedin.restli import Raw, query
from integrations.sandbox.linkedin import restli as theirs

SAMPLES = [
    ({"owner": {"sponsoredAccount": "urn:li:sponsoredAccount:1"}},
     "owner=(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A1)"),
    ({"t": {"start": 1711407600000, "end": 1711494000000}}, "t=(start:1711407600000,end:1711494000000)"),
    ({"accounts": ["urn:li:a:1", "urn:li:a:2"]}, "accounts=List(urn%3Ali%3Aa%3A1,urn%3Ali%3Aa%3A2)"),
    ({"fields": Raw("id,form:(content)"), "test": False, "none": None}, "fields=id,form:(content)&test=false"),
    ({"f": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)"},
     "f=urn%3Ali%3AversionedLeadGenForm%3A%28urn%3Ali%3AleadGenForm%3A3162%2C1%29"),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "expected"), SAMPLES, ids=[sample[1] for sample in SAMPLES])
def test_the_documented_queries(given_: dict, expected: str) -> None:
    assert query(**given_) == expected


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
names = st.text("abcXYZ019", min_size=1, max_size=8)
values = st.recursive(
    texts,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(names, inner, min_size=1, max_size=3),
    max_leaves=6,
)


@given(values)
def test_whatever_is_asked_arrives_as_it_was_meant(value) -> None:
    assert theirs.parse(query(q=value)) == {"q": value}


def test_ids_and_moments_in_all_their_spellings() -> None:
    assert tail("urn:li:adFormResponse:2495-6") == tail("2495-6") == "2495-6"
    assert form_ref("urn:li:versionedLeadGenForm:(urn:li:leadGenForm:7, 1)") == FormRef("7", 1)
    assert [form_ref(odd) for odd in (None, 7, "urn:li:adForm:7", {"a": 1})] == [None] * 4
    instant = datetime(2023, 7, 20, 23, 9, 59, 288000, UTC)
    assert responses.moment(1689894599288) == instant
    assert responses.moment(1689894599) == instant.replace(microsecond=0)
    assert [responses.moment(odd) for odd in (None, "soon", float("nan"), 1e300, {})] == [None] * 5
    assert responses.milliseconds(instant) == 1689894599288
    assert responses.text_of("a\x00\ud800b ") == "ab"
