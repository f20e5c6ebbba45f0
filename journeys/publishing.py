"""From draft to live and on: go live, pause, resume, end, archive; and what stands against it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import TextChoices
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys import locking, moving, reentry, tree
from journeys.models import Journey, JourneyVersion, Participant
from journeys.tiles import registry
from journeys.tiles.registry import ERROR, Issue
from messaging import outbox
from messaging.models import Message
from tenants import audit, wakeups
from tenants.models import Member

QUEUE = "journeys"
State = Journey.State


class NotPossible(ValueError):
    """The journey is not in a state for this, or something stands against it; the text says what."""


class Resume(TextChoices):
    """What happens to waits that were over or running during a pause."""

    NOW = "now", gettext_lazy("Catch up now: whose time has come meanwhile goes on at once")
    SHIFT = "shift", gettext_lazy("Shift: all waits become longer by the pause")
    SKIP = "skip", gettext_lazy("Skip: who was due during the pause leaves the journey, held messages are cancelled")


class Held(NamedTuple):
    """What a pause holds back."""

    waiting: int
    overdue: int
    messages: int


def held(journey: Journey) -> Held:
    """How many people wait in a paused journey, how many of them came due meanwhile, how many messages are held."""
    active = Participant.objects.filter(journey=journey, state=Participant.State.ACTIVE)
    overdue = active.filter(deadline_at__range=(journey.paused_at, timezone.now())) if journey.paused_at else None
    messages = Message.objects.filter(state=Message.State.HELD, journey_id=journey.pk)
    return Held(active.count(), overdue.count() if overdue is not None else 0, messages.count())


def check(version: JourneyVersion) -> list[Issue]:
    """Everything that stands against going live, errors first."""
    try:
        tree.validate(version.tiles)
    except (tree.TreeError, KeyError) as error:
        return [Issue(ERROR, "", str(error))]
    issues = _check_dates(version.journey)
    names = registry.names_of(version.tiles)
    for place in tree.walk(version.tiles):
        kind = registry.of(place.tile)
        if not place.tile["settings"] and kind.form.base_fields:
            issues.append(Issue(ERROR, place.key, _("This step has not been set up.")))
        elif any(reference not in names for reference in kind.refers(place.tile)):
            issues.append(Issue(ERROR, place.key, _("Something that this step uses has been deleted.")))
        else:
            issues += kind.check(version.journey, version.tiles, place.key)
    if len(version.tiles["tiles"]) == 1:
        issues.append(Issue(ERROR, "", _("Add at least one step.")))
    return sorted(issues, key=lambda issue: issue.severity != ERROR)


def broken(version: JourneyVersion) -> list[Issue]:
    """What has broken in a version since it went live: steps whose fields or segments cannot be used any more."""
    issues = []
    for key, tile in version.tiles["tiles"].items():
        kind = registry.of(tile)
        if any(kind.mentions(tile)):
            issues += kind.check(version.journey, version.tiles, key)
    return issues


def go_live(journey: Journey, by: Member | None, *, moves: dict[str, str] | None = None) -> JourneyVersion:
    """Make the draft live and enrol its audience; raises NotPossible when something stands against it.

    People inside keep their place by the tile's key. Those at a tile that is gone go on at `moves[tile]` (a tile of
    the new version) or, where that is empty, leave.
    """
    locking.alone(journey.pk)
    draft = journey.versions.select_for_update().filter(state=JourneyVersion.State.DRAFT).first()
    journey.refresh_from_db()
    if draft is None or journey.state in (State.ENDED, State.ARCHIVED):
        raise NotPossible(_("There is no draft to go live."))
    errors = [issue for issue in check(draft) if issue.severity == ERROR]
    if errors:
        raise NotPossible("; ".join(str(issue.message) for issue in errors))
    journey.versions.filter(state=JourneyVersion.State.LIVE).update(state=JourneyVersion.State.RETIRED)
    draft.state, draft.went_live_at, draft.went_live_by = JourneyVersion.State.LIVE, timezone.now(), by
    draft.save(update_fields=["state", "went_live_at", "went_live_by"])
    moving.remap(journey, draft, moves or {})
    state = State.PAUSED if journey.state == State.PAUSED else State.LIVE
    Journey.objects.filter(pk=journey.pk).update(state=state, enrolled_to=0)
    audit.write("journey.went_live", journey, by=by, detail={"version": draft.number})
    wakeups.announce(QUEUE)
    reentry.announce()
    if journey.starts_at and journey.starts_at > timezone.now():
        wakeups.announce(QUEUE, due_at=journey.starts_at)
    return draft


def pause(journey: Journey, by: Member) -> None:
    """Hold everybody and the journey's queued messages, at once; raises NotPossible unless it is live."""
    locking.alone(journey.pk)
    if not Journey.objects.filter(pk=journey.pk, state=State.LIVE).update(state=State.PAUSED, paused_at=Now()):
        raise NotPossible(_("Only a live journey can be paused."))
    held = outbox.hold(journey.pk)
    audit.write("journey.paused", journey, by=by, detail={"messages_held": held})


def resume(journey: Journey, mode: str, by: Member) -> None:
    """Let a paused journey go on, in one of the ways of `Resume`; raises NotPossible unless it is paused."""
    locking.alone(journey.pk)
    journey.refresh_from_db()
    if journey.state != State.PAUSED or journey.paused_at is None:
        raise NotPossible(_("Only a paused journey can be resumed."))
    if mode == Resume.SHIFT:
        _shift(journey, timezone.now() - journey.paused_at)
    elif mode == Resume.SKIP:
        outbox.cancel(journey.pk)
        moving.stop_where(
            journey,
            "person.deadline_at BETWEEN %(since)s AND now()",
            {"since": journey.paused_at},
            "overdue",
            state=Participant.State.EXITED,
        )
    outbox.release(journey.pk)
    Journey.objects.filter(pk=journey.pk).update(state=State.LIVE, paused_at=None)
    audit.write("journey.resumed", journey, by=by, detail={"mode": mode})
    wakeups.announce(QUEUE)
    reentry.announce()


def end(journey: Journey, at_end: str, by: Member) -> None:
    """End a journey now: nobody enters any more, and participants finish or stop (`Journey.AtEnd`)."""
    locking.alone(journey.pk)
    running = Journey.objects.filter(pk=journey.pk, state__in=(State.LIVE, State.PAUSED))
    if not running.update(ends_at=Now(), at_end=at_end, enrolled_to=None, state=State.LIVE, paused_at=None):
        raise NotPossible(_("This journey is not running."))
    outbox.release(journey.pk)
    audit.write("journey.ended", journey, by=by, detail={"at_end": at_end})
    wakeups.announce(QUEUE)


def archive(journey: Journey, by: Member) -> None:
    """Put a draft or an ended journey away; raises NotPossible while it runs."""
    idle = Journey.objects.filter(pk=journey.pk, state__in=(State.DRAFT, State.ENDED))
    if not idle.update(state=State.ARCHIVED):
        raise NotPossible(_("A journey that is running cannot be archived."))
    audit.write("journey.archived", journey, by=by)


def end_due(now: datetime) -> bool:
    """Carry out the ends that have come, a chunk of people at a time; True if there is more to do right now."""
    has_more = False
    for journey in Journey.objects.filter(state=State.LIVE, ends_at__lte=now):
        locking.alone(journey.pk)
        if journey.at_end == Journey.AtEnd.STOP:
            outbox.cancel(journey.pk)
            if moving.stop_where(journey, "true", {}, "ended", limit=moving.CHUNK) == moving.CHUNK:
                has_more = True
                continue
        if not Participant.objects.filter(journey=journey, state=Participant.State.ACTIVE).exists():
            Journey.objects.filter(pk=journey.pk, state=State.LIVE).update(state=State.ENDED)
    return has_more


def _check_dates(journey: Journey) -> list[Issue]:
    if journey.ends_at and journey.ends_at <= timezone.now():
        return [Issue(ERROR, "", _("The journey's end has passed."))]
    if journey.ends_at and journey.starts_at and journey.ends_at <= journey.starts_at:
        return [Issue(ERROR, "", _("The journey ends before it starts."))]
    return []


def _shift(journey: Journey, by: timedelta) -> None:
    """All waits of a journey's people become longer. One UPDATE of its active participants (participant_due)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE journeys_participant
               SET due_at = due_at + %(by)s::interval, deadline_at = deadline_at + %(by)s::interval
               WHERE journey_id = %(journey)s AND state = 'active' AND deadline_at IS NOT NULL""",
            {"by": str(by), "journey": journey.pk},
        )
