"""The shape of a journey: a tree of tiles with stable keys, and the operations that change it.

A tree is the JSON of `JourneyVersion.tiles`:

    {"root": "t1", "tiles": {"t1": {"kind": "audience", "name": "", "settings": {}, "next": {"next": "t2"}}, …}}

`next` leads from a branch to the tile that follows it; a branch without an entry ends the journey. All operations
change the tree in place and raise `TreeError` rather than leave one that is not a tree.
"""

import copy
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from journeys.tiles import registry

Tree = dict[str, Any]


class TreeError(ValueError):
    """The operation would leave something that is not a tree of tiles."""


@dataclass(frozen=True)
class Place:
    """A tile as the walk meets it: how deep, and by which branch of which tile it is reached."""

    key: str
    tile: dict[str, Any]
    depth: int
    parent: str = ""
    branch: str = ""


def new(root_kind: str = "audience") -> Tree:
    """A tree of a root tile only."""
    key = _new_key()
    return {"root": key, "tiles": {key: _new_tile(root_kind)}}


def tile(tree: Tree, key: str) -> dict[str, Any]:
    """The tile of a key; raises TreeError when it is gone."""
    try:
        return tree["tiles"][key]
    except KeyError:
        raise TreeError(_("This tile no longer exists.")) from None


def walk(tree: Tree) -> Iterator[Place]:
    """Every tile once, depth first, a tile before what follows it, branches in the order of the tile's kind."""
    stack = [Place(tree["root"], tile(tree, tree["root"]), 0)] if tree.get("root") else []
    seen: set[str] = set()
    while stack:
        place = stack.pop()
        if place.key in seen:
            raise TreeError(_("Two branches lead to one tile."))
        seen.add(place.key)
        yield place
        branches = registry.branches(place.tile)
        step = 0 if len(branches) == 1 else 1
        stack += [
            Place(follower, tile(tree, follower), place.depth + step, place.key, branch)
            for branch in reversed(branches)
            if (follower := place.tile["next"].get(branch))
        ]


def upstream(tree: Tree, key: str) -> list[str]:
    """The keys on the way from the root to a tile, without it."""
    parents = {place.key: place.parent for place in walk(tree)}
    if key not in parents:
        raise TreeError(_("This tile no longer exists."))
    path = []
    while key := parents[key]:
        path.append(key)
    return path[::-1]


def insert(tree: Tree, kind: str, parent: str, branch: str, settings: dict[str, Any] | None = None) -> str:
    """Put a new tile behind a branch of `parent`; what followed there goes on at its first branch. Returns its key."""
    before = tile(tree, parent)
    _check_branch(before, branch)
    key = _new_key()
    tree["tiles"][key] = made = _new_tile(kind, settings)
    if follower := before["next"].get(branch):
        made["next"][registry.branches(made)[0]] = follower
    before["next"][branch] = key
    return key


def configure(tree: Tree, key: str, *, name: str, settings: dict[str, Any]) -> None:
    """Give a tile its settings. What follows a branch that it no longer has is kept behind its first free branch.

    Raises TreeError when there is none: no tile disappears by a change of settings.
    """
    changed = tile(tree, key)
    branches = registry.branches({**changed, "settings": settings})
    kept = {branch: changed["next"][branch] for branch in branches if branch in changed["next"]}
    homeless = [follower for branch, follower in changed["next"].items() if branch not in branches]
    free = [branch for branch in branches if branch not in kept]
    if len(homeless) > len(free):
        raise TreeError(_("Remove what follows the branch first."))
    kept |= dict(zip(free, homeless, strict=False))
    changed |= {
        "name": name,
        "settings": settings,
        "next": {branch: kept[branch] for branch in branches if branch in kept},
    }


def delete(tree: Tree, key: str, keep: str = "") -> list[str]:
    """Remove a tile; what follows its branch `keep` (its only one by default) takes its place, the rest goes too.

    Returns the keys that are gone. The root cannot be removed.
    """
    if key == tree["root"]:
        raise TreeError(_("A journey needs its audience."))
    following = tile(tree, key)["next"]
    if not keep and len(following) == 1:
        keep = next(iter(following))
    survivor = following.pop(keep, None)
    parent = _parent(tree, key)
    gone = [place.key for place in _below(tree, key)]
    for gone_key in gone:
        del tree["tiles"][gone_key]
    _relink(tree, parent, survivor)
    return gone


def move(tree: Tree, key: str, parent: str, branch: str) -> None:
    """Move a tile with all its branches, or alone if it has one way on only, behind a branch of another tile.

    What followed there goes on at the end of the moved tile's first branches.
    """
    if key == tree["root"]:
        raise TreeError(_("The audience stays at the beginning."))
    moved, target = tile(tree, key), tile(tree, parent)
    _check_branch(target, branch)
    ways = registry.branches(moved)
    is_alone = len(ways) == 1
    carried = {key} if is_alone else {place.key for place in _below(tree, key)}
    if parent in carried:
        raise TreeError(_("A tile cannot follow itself."))
    origin = _parent(tree, key)
    _relink(tree, origin, moved["next"].pop(ways[0], None) if is_alone else None)
    follower = target["next"].get(branch)
    target["next"][branch] = key
    if follower:
        end, end_branch = _first_end(tree, key)
        end["next"][end_branch] = follower


def duplicate(tree: Tree, key: str) -> str:
    """Put a copy of a tile, without what follows it, right behind it. Returns the copy's key."""
    if key == tree["root"]:
        raise TreeError(_("A journey has one audience."))
    original = tile(tree, key)
    made = insert(tree, original["kind"], key, registry.branches(original)[0], copy.deepcopy(original["settings"]))
    tree["tiles"][made]["name"] = original["name"]
    return made


def validate(tree: Tree) -> None:
    """Raise TreeError unless every tile is reached exactly once, by branches that the tiles have."""
    if not tree.get("root"):
        raise TreeError(_("A journey needs its audience."))
    reached = set()
    for place in walk(tree):
        reached.add(place.key)
        for branch in place.tile["next"]:
            _check_branch(place.tile, branch)
    if reached != set(tree["tiles"]):
        raise TreeError(_("A tile is not reached from the audience."))


def _new_key() -> str:
    return f"t{secrets.token_hex(4)}"


def _new_tile(kind: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"kind": kind, "name": "", "settings": settings or {}, "next": {}}


def _below(tree: Tree, key: str) -> Iterator[Place]:
    """The tile and everything that follows it."""
    return walk({"root": key, "tiles": tree["tiles"]})


def _parent(tree: Tree, key: str) -> tuple[str, str]:
    for place in walk(tree):
        if place.key == key:
            return place.parent, place.branch
    raise TreeError(_("This tile no longer exists."))


def _relink(tree: Tree, parent: tuple[str, str], follower: str | None) -> None:
    key, branch = parent
    if follower:
        tree["tiles"][key]["next"][branch] = follower
    else:
        del tree["tiles"][key]["next"][branch]


def _first_end(tree: Tree, key: str) -> tuple[dict[str, Any], str]:
    """Where the first branches from a tile end."""
    found = tile(tree, key)
    while follower := found["next"].get(registry.branches(found)[0]):
        found = tile(tree, follower)
    return found, registry.branches(found)[0]


def _check_branch(of: dict[str, Any], branch: str) -> None:
    if branch not in registry.branches(of):
        raise TreeError(_("The tile has no branch “%(branch)s”.") % {"branch": branch})
