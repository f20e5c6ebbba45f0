"""Changing the draft: one tile at a time, each answer being the journey's page."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from journeys import drafting, tree
from journeys.drafting import ChangedMeanwhile
from journeys.models import Journey, JourneyVersion
from journeys.tiles import registry
from journeys.tree import TreeError
from journeys.views.page import find, show
from tenants.access import Right, allow


@allow(Right.EDIT_MARKETING)
def add(request: Any, pk: int) -> HttpResponse:
    """The kinds of tiles to put at a place (`?parent=&branch=`), and putting one there."""
    journey = find(pk)
    where = request.POST if request.method == "POST" else request.GET
    parent, branch, kind = where.get("parent", ""), where.get("branch", ""), where.get("kind", "")
    if request.method != "POST" or kind not in {known.key for known in registry.kinds()}:
        context = {"kinds": registry.kinds(), "parent": parent, "branch": branch}
        return show(request, journey, "journeys/_add.html", context)
    return _change(request, journey, lambda shape: tree.insert(shape, kind, parent, branch))


@allow(Right.VIEW, post=Right.EDIT_MARKETING)
def tile(request: Any, pk: int, key: str) -> HttpResponse:
    """A tile's settings: to change in the draft, to read in the live version."""
    journey = find(pk)
    shape, found = _tile(request, journey, key)
    kind = registry.of(found)
    initial = {**kind.form.initial_of(found["settings"])} if found["settings"] else None
    form = kind.form(request.POST or None, tree=shape, key=key, initial=initial)
    context = {
        "kind": kind, "tile": found, "key": key, "form": form, "places": _places(shape, key), "ways": _kept(shape, key),
    }  # fmt: skip
    if request.method != "POST":
        return show(request, journey, "journeys/_tile.html", context)
    if not form.is_valid():
        return show(request, journey, "journeys/_tile.html", context, status=422)
    name, settings = request.POST.get("tile_name", "").strip()[:100], form.to_settings()
    return _change(
        request, journey, lambda shape: tree.configure(shape, key, name=name, settings=settings), to_tile=key
    )


@allow(Right.EDIT_MARKETING)
@require_POST
def delete(request: Any, pk: int, key: str) -> HttpResponse:
    """Remove a tile, keeping what follows the chosen branch."""
    return _change(request, find(pk), lambda shape: tree.delete(shape, key, request.POST.get("keep", "")))


@allow(Right.EDIT_MARKETING)
@require_POST
def duplicate(request: Any, pk: int, key: str) -> HttpResponse:
    """Put a copy of a tile behind it."""
    return _change(request, find(pk), lambda shape: tree.duplicate(shape, key))


@allow(Right.EDIT_MARKETING)
@require_POST
def move(request: Any, pk: int, key: str) -> HttpResponse:
    """Move a tile behind another one (`to`: "key:branch")."""
    parent, _colon, branch = request.POST.get("to", "").partition(":")
    return _change(request, find(pk), lambda shape: tree.move(shape, key, parent, branch))


def _change(request: Any, journey: Journey, how: Callable[[tree.Tree], Any], to_tile: str = "") -> HttpResponse:
    """Apply an operation to the draft; 409 with the page as it is now when somebody else was faster."""
    try:
        made = drafting.change(journey, int(request.POST.get("revision") or -1), how)
    except ChangedMeanwhile as error:
        return show(request, journey, extra={"problem": str(error)}, status=409)
    except TreeError as error:
        return show(request, journey, extra={"problem": str(error)}, status=422)
    key = to_tile or (made if isinstance(made, str) else "")
    return redirect("journeys:tile", journey.pk, key) if key else redirect("journeys:detail", journey.pk)


def _tile(request: Any, journey: Journey, key: str) -> tuple[tree.Tree, registry.Tile]:
    """The tile in the draft, else in the live version (or there first, with `?version=live`)."""
    states = [JourneyVersion.State.DRAFT, JourneyVersion.State.LIVE]
    if request.GET.get("version") == "live":
        states.reverse()
    found = {version.state: version.tiles for version in journey.versions.filter(state__in=states)}
    shape = next((found[state] for state in states if state in found), None)
    if shape is None or key not in shape["tiles"]:
        raise Http404
    return shape, shape["tiles"][key]


def _kept(shape: tree.Tree, key: str) -> list[registry.Branch]:
    """The branches of a tile that something follows: one of them is kept when the tile is removed."""
    found = shape["tiles"][key]
    names = registry.names_of({"tiles": {key: found}})
    return [way for way in registry.of(found).branches(found, names) if found["next"].get(way.key)]


def _places(shape: tree.Tree, key: str) -> list[tuple[str, str]]:
    """Where a tile could be moved: behind which branch of which tile."""
    own = {place.key for place in tree.walk({"root": key, "tiles": shape["tiles"]})}
    names = registry.names_of(shape)
    places = []
    for place in tree.walk(shape):
        kind = registry.of(place.tile)
        branches = kind.branches(place.tile, names)
        summary = kind.summary(place.tile, names)
        title = f"{kind.title(place.tile)} · {summary}" if summary else str(kind.title(place.tile))
        for branch in branches if place.key not in own else []:
            label = (
                title if len(branches) == 1 else _("%(tile)s → %(branch)s") % {"tile": title, "branch": branch.label}
            )
            places.append((f"{place.key}:{branch.key}", _("after %(place)s") % {"place": label}))
    return places
