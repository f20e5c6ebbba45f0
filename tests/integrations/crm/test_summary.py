"""What sales reads first about a lead."""

from typing import Any

import pytest

from contacts import people, timeline
from contacts.models import Interaction
from integrations.crm import summary
from leads import lifecycle
from tenants.scope import tenant_scope


@pytest.mark.django_db
def test_what_somebody_did_is_named_in_plain_text_without_any_of_our_pages(acme: Any) -> None:
    with tenant_scope(acme):
        contact = people.create_contact({"last_name": "Berg"})
        lead = lifecycle.create_lead("Pumps", contact=contact, source="form")
        timeline.record("page.visited", contact=contact, object_id=7, detail={"page": "Pumps & <Valves>"})
        done = Interaction.objects.filter(kind="page.visited")
        text = summary.text(lead, "", dict.fromkeys(("do_not_email", "do_not_bulk_email", "do_not_phone"), False), done)
    assert "Visited Pumps & <Valves>" in text
    assert "href" not in text


LONG = "x" * 300


@pytest.mark.parametrize(
    ("before", "theirs", "is_anew", "expected"),
    [
        ("", "", False, "new"),
        ("", "Theirs", False, "new\n\nTheirs"),
        ("old", "old", False, "new"),
        ("old", "Called her.\r\nold\n\nCall again.", False, "Called her.\nnew\n\nCall again."),
        ("old", "Rewritten", False, None),
        ("old", "", False, None),
        ("old", "Rewritten", True, "new\n\nRewritten"),
        ("old", "", True, "new"),
        ("old", "old" + LONG * 2, False, "new" + LONG * 2),
    ],
)
def test_a_new_summary_takes_the_place_of_our_old_one_and_of_nothing_else(
    before: str, theirs: str, is_anew: bool, expected: str | None
) -> None:
    found = summary.put("new", [before] if before else [], theirs, 1_000, is_anew=is_anew)
    assert (found and found.whole) == expected
    if found:
        again = summary.put("newer", summary.sent([before] if before else [], found.ours), found.whole, 1_000)
        assert again is not None
        assert again.whole == found.whole.replace("new", "newer", 1)


def test_a_summary_is_cut_to_the_room_there_is_and_left_alone_where_there_is_next_to_none() -> None:
    found = summary.put("🚰" * 400, [], LONG, 800)
    assert found is not None
    assert found.ours.endswith("🚰…")
    assert found.whole.endswith(f"…\n\n{LONG}")
    assert len(found.whole.encode("utf-16-le")) // 2 <= 800
    assert summary.put("🚰" * 400, [], LONG, 400) is None


def test_of_what_was_sent_the_first_and_the_latest_two_are_known_again() -> None:
    assert summary.sent([], "a") == ["a"]
    assert summary.sent(["a"], "a") == ["a"]
    assert summary.sent(["a", "b", "c"], "d") == ["a", "c", "d"]
    assert summary.sent(["a", "b", "c"], "b") == ["a", "c", "b"]
