"""What is done to one participant by hand: moved on, taken out; and her trace."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import timeline
from journeys import claiming, locking, moving, reasons
from journeys.models import Journey, JourneyVersion, Participant, Visit
from journeys.tiles import registry
from journeys.tiles.registry import Due, Text, Traveller
from messaging import outbox
from tenants import wakeups
from tenants.models import Member

# What the numbers on a tile mean, beside the states of participants.
AT_A_STEP: dict[str, Text] = {
    "in": gettext_lazy("Came to the step"),
    "out": gettext_lazy("Went on from the step"),
    "ended": gettext_lazy("Stopped or left"),
}


class NotThere(ValueError):
    """The participant is no longer where the caller saw her."""


@transaction.atomic
def move_on(participant: Participant, branch: str, by: Member) -> None:
    """Let a waiting participant go on by a branch, before her time; the visit says who did it.

    Raises NotThere if she has moved meanwhile, or the tile has no such branch.
    """
    traveller, version = _hold(participant)
    tile = version.tiles["tiles"].get(traveller.tile)
    if tile is None or branch not in registry.branches(tile):
        raise NotThere(_("There is no such way on."))
    due = Due(
        journey=version.journey,
        version=version.number,
        tree=version.tiles,
        key=traveller.tile,
        travellers=[traveller],
        now=timezone.now(),
        horizon=0,
        xid=0,
        time_zone="",
    )
    due.go_one(traveller, branch, detail={"because": _("moved on by %(name)s") % {"name": by}})
    moving.apply(due, actor_id=by.pk)
    wakeups.announce("journeys")


@transaction.atomic
def take_out(participant: Participant, by: Member) -> None:
    """End a participation by hand and cancel what it has not sent yet; raises NotThere if she has moved meanwhile."""
    traveller, version = _hold(participant)
    moving.stop(version.journey, version.number, [(traveller, "by_hand")], Participant.State.EXITED, by.pk)
    outbox.cancel(version.journey.pk, [participant.pk])


def _hold(participant: Participant) -> tuple[Traveller, JourneyVersion]:
    """Lock the participant where the caller saw her."""
    locking.share(participant.journey_id)
    version = JourneyVersion.objects.select_related("journey").get(
        journey_id=participant.journey_id, state=JourneyVersion.State.LIVE
    )
    found = claiming.claim(
        version.journey,
        "person.id = %(id)s AND person.tile = %(tile)s",
        {"id": participant.pk, "tile": participant.tile},
        limit=1,
        is_patient=True,
    )
    if not found:
        raise NotThere(_("%(name)s is no longer there.") % {"name": participant.contact})
    return found[0], version


@dataclass(frozen=True)
class Stop:
    """One entry of a trace: a visit in words. `outcome` is empty where there was one way on only."""

    visit: Visit
    title: Text
    icon: str
    tone: str
    summary: Text
    outcome: Text
    why: str
    cause: str
    by: str
    # What the tile did there, if it has a page for that.
    path: str


def trace(participant: Participant) -> list[Stop]:
    """Where a participant has been, when, which way she went and why; oldest first."""
    visits = list(
        Visit.objects.filter(participant_id=participant.pk, at__gte=participant.entered_at).order_by("at", "id")
    )
    shapes = {version.number: version.tiles for version in participant.journey.versions.all()}
    members = Member.objects.filter(tenant_id=participant.tenant_id).select_related("user")
    names = members.in_bulk({visit.actor_id for visit in visits if visit.actor_id})
    causes = _sentences([visit.cause_id for visit in visits if visit.cause_id], participant)
    return [
        _stop(visit, shapes.get(visit.version, {"tiles": {}}), str(names.get(visit.actor_id or 0, "")), causes)
        for visit in visits
    ]


def _stop(visit: Visit, shape: dict, by: str, causes: dict[int, str]) -> Stop:
    tile = shape["tiles"].get(visit.tile)
    kind = registry.of(tile) if tile else None
    names = registry.names_of({"tiles": {"": tile}} if tile else {"tiles": {}})
    ways = kind.branches(tile, names) if kind and tile else []
    labels = {way.key: way.label for way in ways} if len(ways) > 1 else {registry.NEXT: ""}
    words = {"late": _("came too late"), "stopped": _("stopped here"), "moved": _("moved by a new version")}
    return Stop(
        visit=visit,
        title=kind.title(tile) if kind and tile else visit.tile,
        icon=kind.icon if kind else "circle-dashed",
        tone=kind.tone if kind else "secondary",
        summary=kind.summary(tile, names) if kind and tile else "",
        outcome=words.get(visit.outcome) or labels.get(visit.outcome, visit.outcome),
        why="" if by else visit.detail.get("because", ""),
        cause=causes.get(visit.cause_id or 0, ""),
        by=by,
        path=kind.trace_path(visit.participant_id, visit.tile) if kind else "",
    )


def _sentences(ids: Sequence[int], participant: Participant) -> dict[int, str]:
    """What the facts of these ids say, in words; index interaction_of_contact."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, kind FROM contacts_interaction
               WHERE contact_id = %s AND recorded_at >= %s AND id = ANY(%s)""",
            [participant.contact_id, participant.entered_at, list(ids)],
        )
        return {id_: str(timeline.kind(kind).title) for id_, kind in cursor.fetchall()}


def in_words(participant: Participant) -> str:
    """Why a participation is over, or what holds it up; empty while it is under way."""
    if participant.left_at:
        return reasons.in_words(participant.reason)
    return reasons.held_by(participant.reason)


def of_contact(contact_id: int) -> list[Participant]:
    """A contact's participations, latest first."""
    rows = Participant.objects.filter(contact_id=contact_id).select_related("journey")
    return list(rows.order_by("-entered_at")[:20])


def titles(journey: Journey) -> dict[str, str]:
    """By key: what the tiles of the live version (else the draft) are called, and what they do."""
    shape = _shape(journey)
    names, found = registry.names_of(shape), {}
    for key, tile in shape["tiles"].items():
        kind = registry.of(tile)
        summary = str(kind.summary(tile, names))
        found[key] = f"{kind.title(tile)} · {summary}" if summary else str(kind.title(tile))
    return found


def way_name(journey: Journey, key: str, way: str) -> str:
    """What a tile's branch is called; empty for one that it does not have."""
    tile = _shape(journey)["tiles"].get(key) if way else None
    if tile is None:
        return ""
    branches = registry.of(tile).branches(tile, registry.names_of({"tiles": {key: tile}}))
    return next((str(branch.label) for branch in branches if branch.key == way), "")


def _shape(journey: Journey) -> dict[str, Any]:
    current = journey.versions.exclude(state=JourneyVersion.State.RETIRED).order_by("-state").first()
    return current.tiles if current else {"tiles": {}}
