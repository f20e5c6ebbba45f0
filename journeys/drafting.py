"""The draft beside the live version: begun, changed under a revision check, discarded."""

import copy
from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Max
from django.utils.translation import gettext as _

from journeys import reentry, tree
from journeys.models import Journey, JourneyVersion
from tenants import audit, wakeups
from tenants.models import Member

Result = TypeVar("Result")


class ChangedMeanwhile(ValueError):
    """Somebody else has changed the draft since the caller saw it."""


def create(name: str, shape: tree.Tree | None = None, *, by: Member | None = None, **values: Any) -> Journey:
    """A new journey with a draft: of the given shape, or of an audience only. `values` are columns of Journey."""
    journey = Journey.objects.create(name=name, owner=values.pop("owner", by), **values)
    JourneyVersion.objects.create(journey=journey, tiles=shape or tree.new())
    audit.write("journey.created", journey, by=by)
    return journey


def begin(journey: Journey) -> JourneyVersion:
    """The journey's draft; made from its live version if there is none."""
    draft = journey.versions.filter(state=JourneyVersion.State.DRAFT).first()
    if draft:
        return draft
    live = journey.versions.get(state=JourneyVersion.State.LIVE)
    number = journey.versions.aggregate(last=Max("number"))["last"] + 1
    return JourneyVersion.objects.create(journey=journey, number=number, tiles=copy.deepcopy(live.tiles))


def discard(journey: Journey, by: Member) -> None:
    """Throw the draft away, unless it is all that the journey has."""
    if journey.versions.exclude(state=JourneyVersion.State.DRAFT).exists():
        journey.versions.filter(state=JourneyVersion.State.DRAFT).delete()
        audit.write("journey.draft_discarded", journey, by=by)


def change(journey: Journey, revision: int, how: Callable[[tree.Tree], Result]) -> Result:
    """Apply an operation of `journeys.tree` to the draft that the caller saw at `revision`; returns its result.

    Raises ChangedMeanwhile when the draft is at another revision (or gone), TreeError as the operation does.
    """
    draft = journey.versions.select_for_update().filter(state=JourneyVersion.State.DRAFT).first()
    if draft is None or draft.revision != revision:
        raise ChangedMeanwhile(_("Somebody else has changed this journey. Look at it again before you change it."))
    result = how(draft.tiles)
    draft.revision += 1
    draft.save(update_fields=["tiles", "revision"])
    return result


def save_settings(journey: Journey, changed: list[str], by: Member) -> None:
    """Save what holds for the whole journey. What moves an end, a start or a re-entry is looked at at once."""
    journey.save()
    audit.write("journey.settings_changed", journey, by=by, detail={"fields": changed})
    wakeups.announce("journeys")
    reentry.announce()
