"""How a connection is called: it rests when the CRM is busy or away, and stops when it is refused for good."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.client import CallFailed, NeedsAuthorisation, Rejected, Throttled
from integrations.connections import verbs
from integrations.models import Connection, Pace

# Seconds without a call after failures that were nobody's record's fault; each is twice the last.
FIRST, LONGEST = 15, 1_800
# Clocks that differ by no more than so many seconds agree; moments there are whole ones.
AGREED = 5.0


def held_until(connection: Connection) -> datetime | None:
    """Until when nothing is asked of a connection."""
    return Pace.objects.filter(connection=connection, held_until__gt=timezone.now()).values_list(
        "held_until", flat=True
    ).first()  # fmt: skip


def rest(connection: Connection, failure: CallFailed) -> None:
    """Let a connection rest after a call came to nothing, or stop it: what was refused stays refused."""
    if isinstance(failure, NeedsAuthorisation):
        verbs.need_authorisation(connection, failure.text)
        return
    if isinstance(failure, Rejected):
        verbs.stop(connection, failure.text)
        return
    row, _is_new = Pace.objects.select_for_update().get_or_create(connection=connection)
    wait = min(LONGEST, FIRST * 2 ** min(row.failure_count, 10))
    if isinstance(failure, Throttled) and failure.wait:
        wait = min(LONGEST, failure.wait)
    row.failure_count += 1
    row.held_until, row.reason = timezone.now() + timedelta(seconds=wait), failure.text
    row.save(update_fields=["failure_count", "held_until", "reason"])


def ease(connection: Connection) -> None:
    """All is well again."""
    Pace.objects.filter(connection=connection, failure_count__gt=0).update(failure_count=0, held_until=None, reason="")


def set_clock(connection: Connection, theirs: datetime, began: datetime) -> None:
    """Keep how far their clock is ahead: `theirs` is the moment that they gave to a write which we began at `began`
    and have just heard of. Within that time it may have happened at any moment, however long the call took."""
    after, before = (theirs - timezone.now()).total_seconds(), (theirs - began).total_seconds()
    ahead = after if after > AGREED else before if before < -AGREED else 0.0
    known = Pace.objects.filter(connection=connection).values_list("clock_ahead", flat=True).first() or 0.0
    if abs(ahead - known) > AGREED:
        Pace.objects.update_or_create(connection=connection, defaults={"clock_ahead": ahead})


def by_our_clock(connection: Connection) -> Callable[[datetime | None], datetime | None]:
    """What turns moments of theirs into ours, so that of two changes the later one is found."""
    known = Pace.objects.filter(connection=connection).values_list("clock_ahead", flat=True).first() or 0.0
    return lambda moment: moment - timedelta(seconds=known) if moment else None
