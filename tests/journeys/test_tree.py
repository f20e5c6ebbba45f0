import pytest
from django.utils.translation import gettext_lazy as _

from journeys import tree
from journeys.tree import TreeError


def shape() -> tree.Tree:
    """Audience → e-mail → if/then (yes: wait, no: create lead)."""
    made = tree.new()
    email = tree.insert(made, "email", made["root"], "next")
    branch = tree.insert(made, "if_then", email, "next")
    tree.insert(made, "wait", branch, "yes")
    tree.insert(made, "create_lead", branch, "no")
    return made


def kinds(made: tree.Tree) -> list[str]:
    return [place.tile["kind"] for place in tree.walk(made)]


def key_of(made: tree.Tree, kind: str) -> str:
    return next(place.key for place in tree.walk(made) if place.tile["kind"] == kind)


def test_the_walk_goes_down_each_branch_in_the_order_of_the_kind() -> None:
    made = shape()
    assert kinds(made) == ["audience", "email", "if_then", "wait", "create_lead"]
    assert [place.branch for place in tree.walk(made)] == ["", "next", "next", "yes", "no"]
    assert [place.depth for place in tree.walk(made)] == [0, 0, 0, 1, 1]
    tree.validate(made)


def test_an_inserted_tile_carries_on_with_what_followed() -> None:
    made = shape()
    tree.insert(made, "which_of", made["root"], "next", {"links": [7]})
    assert kinds(made) == ["audience", "which_of", "email", "if_then", "wait", "create_lead"]
    assert tree.tile(made, key_of(made, "which_of"))["next"].keys() == {"link-7"}


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        ("yes", ["audience", "email", "wait"]),
        ("no", ["audience", "email", "create_lead"]),
        ("", ["audience", "email"]),
    ],
)
def test_a_deleted_branch_keeps_the_way_that_is_chosen(keep: str, left: list[str]) -> None:
    made = shape()
    gone = tree.delete(made, key_of(made, "if_then"), keep)
    assert kinds(made) == left
    assert len(gone) == 5 - len(left)
    assert set(made["tiles"]) == {place.key for place in tree.walk(made)}


def test_a_deleted_step_is_closed_up() -> None:
    made = shape()
    tree.delete(made, key_of(made, "email"))
    assert kinds(made) == ["audience", "if_then", "wait", "create_lead"]


def test_a_moved_step_goes_alone_and_a_moved_branch_takes_its_ways_along() -> None:
    made = shape()
    tree.move(made, key_of(made, "email"), key_of(made, "if_then"), "no")
    assert kinds(made) == ["audience", "if_then", "wait", "email", "create_lead"]
    tree.move(made, key_of(made, "if_then"), made["root"], "next")
    assert kinds(made) == ["audience", "if_then", "wait", "email", "create_lead"]
    tree.validate(made)


def test_a_branch_cannot_be_moved_below_itself() -> None:
    made = shape()
    with pytest.raises(TreeError):
        tree.move(made, key_of(made, "if_then"), key_of(made, "wait"), "next")


def test_a_copy_stands_right_behind_the_original() -> None:
    made = shape()
    made["tiles"][key_of(made, "wait")]["settings"] = {"how": "for", "amount": 2, "unit": "days"}
    copied = tree.duplicate(made, key_of(made, "wait"))
    assert kinds(made) == ["audience", "email", "if_then", "wait", "wait", "create_lead"]
    assert tree.tile(made, copied)["settings"]["amount"] == 2


def test_no_step_disappears_by_a_change_of_settings() -> None:
    made = tree.new()
    branch = tree.insert(made, "which_of", made["root"], "next", {"links": [1, 2]})
    tree.insert(made, "wait", branch, "link-1")
    tree.insert(made, "email", branch, "link-2")
    tree.configure(made, branch, name="", settings={"links": [2, 3]})
    assert {place.branch: place.tile["kind"] for place in tree.walk(made) if place.depth} == {
        "link-2": "email",
        "link-3": "wait",
    }
    tree.insert(made, "wait", branch, "none")
    with pytest.raises(TreeError):
        tree.configure(made, branch, name="", settings={"links": [9]})


def test_a_tree_with_a_loop_or_a_loose_tile_is_refused() -> None:
    made = shape()
    made["tiles"][key_of(made, "wait")]["next"]["next"] = key_of(made, "email")
    with pytest.raises(TreeError):
        tree.validate(made)
    made = shape()
    made["tiles"]["loose"] = {"kind": "wait", "name": str(_("Loose")), "settings": {}, "next": {}}
    with pytest.raises(TreeError):
        tree.validate(made)
