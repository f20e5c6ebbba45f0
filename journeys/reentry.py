"""Again after N days: members of a journey's segments come in anew when their time has come.

Nothing happens to them at that moment which could let them in, so the clock does: a queue of its own looks at the
journeys with this policy at least once an hour and takes those who left long enough ago and are members still. Whoever
is let in by something that happens (a form, a segment) needs no clock, only that the days have passed.
"""

import time
from datetime import datetime, timedelta

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from psycopg import sql

from journeys import audience, claiming, entering, locking
from journeys.models import Journey, JourneyVersion
from tenants import wakeups
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome, queue

QUEUE = "reentry"
# How many come in per transaction.
BATCH = 5_000
# People leave all the time, so who is next is not looked for at each moment; and never later than this.
SOONEST, LATEST = timedelta(minutes=5), timedelta(hours=1)


def announce() -> None:
    """Have the tenant's journeys looked at: one of them may have this policy now."""
    wakeups.announce(QUEUE)


@queue(QUEUE)
def work(tenant_id: int, deadline: float) -> Outcome:
    """Let in whose time has come in every journey, then say when to look again."""
    moments = []
    for journey_id in _journeys(tenant_id):
        last: int | None = 0
        while last is not None:
            last = _let_in(tenant_id, journey_id, last)
            if time.monotonic() >= deadline:
                return Outcome(has_more=True)
        moments.append(_next_moment(tenant_id, journey_id))
    if not moments:
        return Outcome()
    now = timezone.now()
    soon = min((moment for moment in moments if moment), default=now + LATEST)
    return Outcome(next_due=min(max(soon, now + SOONEST), now + LATEST))


def _journeys(tenant_id: int) -> list[int]:
    with tenant_scope(tenant_id):
        live = Journey.objects.filter(state=Journey.State.LIVE, reentry=Journey.Reentry.AFTER_DAYS)
        return list(live.exclude(ends_at__lte=Now()).exclude(starts_at__gt=Now()).values_list("pk", flat=True))


def _let_in(tenant_id: int, journey_id: int, after: int) -> int | None:
    """Enter a batch of those whose contact id is above `after`; returns the last one's, None after the last batch."""
    with tenant_scope(tenant_id):
        locking.share(journey_id)
        version = (
            JourneyVersion.objects.select_related("journey")
            .filter(journey_id=journey_id, state=JourneyVersion.State.LIVE, journey__state=Journey.State.LIVE)
            .first()
        )
        if version is None or version.journey.reentry != Journey.Reentry.AFTER_DAYS:
            return None
        settings = version.tiles["tiles"][version.tiles["root"]]["settings"]
        days = version.journey.reentry_days or 0
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL(
                    """SELECT contact_id FROM ({left}) gone JOIN ({members}) member USING (contact_id)
                       WHERE last_left_at <= now() - make_interval(days => %(days)s) AND contact_id > %(after)s
                       ORDER BY contact_id LIMIT %(limit)s"""
                ).format(left=_LEFT, members=audience.members(settings)),
                {"journey": journey_id, "days": days, "after": after, "limit": BATCH},
            )
            contact_ids = [contact_id for (contact_id,) in cursor.fetchall()]
        claiming.go_by_index()
        if contact_ids and entering.enter(version.journey, version.tiles, [(one, None) for one in contact_ids]):
            wakeups.announce("journeys")
        return contact_ids[-1] if len(contact_ids) == BATCH else None


def _next_moment(tenant_id: int, journey_id: int) -> datetime | None:
    """When the next of those who have left may come in again."""
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                """SELECT min(last_left_at + make_interval(days => journey.reentry_days))
                   FROM ({left}) gone JOIN journeys_journey journey ON journey.id = %(journey)s
                   WHERE last_left_at + make_interval(days => journey.reentry_days) > now()"""
            ).format(left=_LEFT),
            {"journey": journey_id},
        )
        return cursor.fetchone()[0]


# Who is in the journey no more, and since when. One pass over its participants (participant_at_tile).
_LEFT = sql.SQL(
    """SELECT contact_id, max(left_at) AS last_left_at FROM journeys_participant
       WHERE journey_id = %(journey)s GROUP BY contact_id HAVING bool_and(state <> 'active')"""
)
