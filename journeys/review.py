"""What will happen when a draft goes live: who enters, who can be mailed and why not, what becomes of those inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from psycopg import sql

from journeys import audience, figures, publishing, tree, waiting
from journeys.models import JourneyVersion
from journeys.tiles import registry
from journeys.tiles.registry import Issue, Text
from messaging import eligibility
from messaging.models import Email


@dataclass(frozen=True)
class Mailing:
    """An e-mail of the journey and how much of today's audience could get it."""

    email: Email
    earliest_at: datetime
    mailable: int
    blocked: Sequence[tuple[str, Text, int]]


@dataclass(frozen=True)
class Homeless:
    """A tile that the draft no longer has, with people at it."""

    key: str
    title: Text
    count: int


@dataclass(frozen=True)
class Review:
    """All that the page says before the marketer goes live."""

    issues: list[Issue]
    starts_at: datetime
    members: int
    entering: int
    mailings: list[Mailing]
    staying: int
    homeless: list[Homeless]
    places: list[tuple[str, Text]]

    @property
    def has_errors(self) -> bool:
        return any(issue.severity == registry.ERROR for issue in self.issues)


def review(draft: JourneyVersion, default_zone: str) -> Review:
    """Look at a draft as it would go live now. Counts the audience once, and once per e-mail."""
    journey = draft.journey
    starts_at = max(journey.starts_at or timezone.now(), timezone.now())
    issues = publishing.check(draft)
    has_shape = all(issue.tile for issue in issues if issue.severity == registry.ERROR)
    settings = draft.tiles["tiles"][draft.tiles["root"]]["settings"]
    members = audience.members(settings)
    entering = audience.admissible(journey, members)
    waiting_now = figures.waiting_of(journey)
    return Review(
        issues=issues,
        starts_at=starts_at,
        members=audience.count(members),
        entering=audience.count(entering),
        mailings=_mailings(draft, entering, starts_at, default_zone) if has_shape else [],
        staying=sum(count for key, count in waiting_now.items() if key in draft.tiles["tiles"]),
        homeless=_homeless(draft, waiting_now),
        places=[(place.key, registry.of(place.tile).title(place.tile)) for place in tree.walk(draft.tiles)]
        if has_shape
        else [],
    )


def _mailings(draft: JourneyVersion, entering: sql.Composed, starts_at: datetime, zone: str) -> list[Mailing]:
    """Each e-mail on the way, with the earliest moment at which it may leave."""
    moments = _earliest(draft, starts_at, ZoneInfo(draft.journey.time_zone or zone))
    size = audience.count(entering)
    found = []
    for place in tree.walk(draft.tiles):
        email_id = place.tile["settings"].get("email")
        email = Email.objects.filter(pk=email_id).first() if place.tile["kind"] == "email" and email_id else None
        if email is None:
            continue
        reasons = eligibility.summary(email, entering)
        blocked = [(reason, eligibility.Reason(reason).label, count) for reason, count in reasons.items()]
        found.append(Mailing(email, moments[place.key], size - sum(reasons.values()), blocked))
    return found


def _earliest(draft: JourneyVersion, starts_at: datetime, zone: ZoneInfo) -> dict[str, datetime]:
    """By tile: when the first person could be there, waits being as long as they say and branches immediate."""
    moments: dict[str, datetime] = {}
    leaving: dict[str, datetime] = {}
    for place in tree.walk(draft.tiles):
        at = moments[place.key] = leaving.get(place.parent, starts_at)
        settings = place.tile["settings"]
        if place.tile["kind"] == "wait" and settings.get("how") == "for":
            at = waiting.later(at, settings["amount"], settings["unit"], zone)
        elif place.tile["kind"] == "wait" and settings.get("how") == "until":
            at = max(at, waiting.at_wall_time(datetime.fromisoformat(settings["until"]), zone))
        leaving[place.key] = at
    return moments


def _homeless(draft: JourneyVersion, waiting_now: dict[str, int]) -> list[Homeless]:
    live = draft.journey.versions.filter(state=JourneyVersion.State.LIVE).first()
    if live is None:
        return []
    return [
        Homeless(key, registry.of(live.tiles["tiles"][key]).title(live.tiles["tiles"][key]), count)
        for key, count in waiting_now.items()
        if key not in draft.tiles["tiles"] and key in live.tiles["tiles"]
    ]
