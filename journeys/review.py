"""What will happen when a draft goes live: who enters, who can be mailed and why not, what becomes of those inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql

from contacts.models import Contact
from contacts.registry import ContactSet
from journeys import audience, figures, publishing, tree, waiting
from journeys.models import JourneyVersion
from journeys.tiles import registry
from journeys.tiles.registry import Issue, Text
from messaging import eligibility
from messaging.models import Email


@dataclass(frozen=True)
class Finding:
    """What stands against going live, with the name of its step (empty: the whole journey)."""

    severity: str
    tile: str
    step: Text
    message: Text


@dataclass(frozen=True)
class Mailing:
    """An e-mail of the journey and how much of today's audience could get it. `is_first`: nothing delays it."""

    email: Email
    earliest_at: datetime
    is_first: bool
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
    """All that the page says before the marketer goes live. `is_open`: people come by a form, so none are counted."""

    issues: list[Finding]
    is_open: bool
    starts_now: bool
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
    now = timezone.now()
    starts_at = max(journey.starts_at or now, now)
    issues = publishing.check(draft)
    has_shape = all(issue.tile for issue in issues if issue.severity == registry.ERROR)
    settings = draft.tiles["tiles"][draft.tiles["root"]]["settings"]
    members = audience.members(settings)
    entering = audience.admissible(journey, members)
    waiting_now = figures.waiting_of(journey)
    return Review(
        issues=[_finding(draft, issue) for issue in issues],
        is_open=audience.opening_of(settings) is not None,
        starts_now=starts_at == now,
        starts_at=starts_at,
        members=audience.count(_active(members)),
        entering=audience.count(entering),
        mailings=_mailings(draft, entering, starts_at, default_zone) if has_shape else [],
        staying=sum(count for key, count in waiting_now.items() if key in draft.tiles["tiles"]),
        homeless=_homeless(draft, waiting_now),
        places=[(place.key, registry.of(place.tile).title(place.tile)) for place in tree.walk(draft.tiles)]
        if has_shape
        else [],
    )


def _finding(draft: JourneyVersion, issue: Issue) -> Finding:
    tile = draft.tiles["tiles"].get(issue.tile)
    return Finding(issue.severity, issue.tile, registry.of(tile).title(tile) if tile else "", issue.message)


def contact_set(key: str) -> ContactSet | None:
    """The people behind a number of a journey's review, as the list of contacts shows them at ?in=review:<key>.

    Keys: `<journey>.audience`, `<journey>.entering`, `<journey>.<e-mail>.mailable`, `<journey>.<e-mail>.<reason>`.
    """
    journey_id, _dot, what = key.partition(".")
    draft = _draft(journey_id)
    if draft is None:
        return None
    members = audience.members(draft.tiles["tiles"][draft.tiles["root"]]["settings"])
    entering = audience.admissible(draft.journey, members)
    about = {"journey": draft.journey}
    if what == "audience":
        return ContactSet(_("Audience of %(journey)s") % about, _ids(_active(members)))
    if what == "entering":
        return ContactSet(_("Would enter %(journey)s") % about, _ids(entering))
    email_id, _dot, reason = what.partition(".")
    email = Email.objects.filter(pk=int(email_id)).first() if _is_id(email_id) else None
    if email is None:
        return None
    blocked = eligibility.blocked(email, entering)
    if reason == "mailable":
        query = sql.SQL("{} EXCEPT SELECT contact_id FROM ({}) blocked").format(entering, blocked)
        return ContactSet(_("%(journey)s: can get “%(email)s”") % {**about, "email": email}, _ids(query))
    if reason not in eligibility.Reason.values:
        return None
    query = sql.SQL("SELECT contact_id FROM ({}) blocked WHERE reason = {}").format(blocked, sql.Literal(reason))
    label = _("%(journey)s: cannot get “%(email)s”: %(reason)s")
    named = {**about, "email": email, "reason": eligibility.Reason(reason).label}
    return ContactSet(label % named, _ids(query))


def _active(members: sql.Composed) -> sql.Composed:
    """Those of the members who are contacts still: the list of contacts shows no others."""
    return sql.SQL(
        """SELECT member.contact_id FROM ({}) member
           JOIN contacts_contact contact ON contact.id = member.contact_id AND contact.is_active"""
    ).format(members)


def _draft(journey_id: str) -> JourneyVersion | None:
    drafts = JourneyVersion.objects.select_related("journey").filter(state=JourneyVersion.State.DRAFT)
    return drafts.filter(journey_id=int(journey_id)).first() if _is_id(journey_id) else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _ids(query: sql.Composable) -> QuerySet[Contact, int]:
    """The query's contacts as Django takes them; what is in it was composed here, no parameter is left."""
    plain = query.as_string(connection.connection).replace("%", "%%")
    return Contact.objects.filter(pk__in=RawSQL(plain, ())).values_list("pk", flat=True)  # noqa: S611


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
        at = moments[place.key]
        found.append(Mailing(email, at, at == starts_at, size - sum(reasons.values()), blocked))
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
