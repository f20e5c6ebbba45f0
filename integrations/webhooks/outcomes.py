"""Recording how a call went: the attempt, what becomes of the delivery, and what it says about the endpoint."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.models import Attempt, Delivery, Endpoint
from integrations.webhooks import endpoints, reasons, verdicts
from integrations.webhooks.claiming import FAILURES_UNTIL_CAREFUL, Claimed
from integrations.webhooks.verdicts import Attempted, Verdict
from journeys import waking

State = Delivery.State
# An endpoint that has failed for so long, and so often in a row, is disabled.
FAILING_FOR, FAILURES = timedelta(days=5), 10
# The longest pause of an endpoint that fails again and again; the first is one second, and each is twice the last.
LONGEST_HOLD = timedelta(minutes=10)


def record(lease: UUID, claimed: Claimed, attempted: Attempted) -> bool:
    """Record a call, in the tenant's scope; False if the lease is no longer ours, and somebody else's call counts."""
    held = Delivery.objects.filter(pk=claimed.id, lease_id=lease, state=State.SENDING)
    state, changes = _fate(claimed, attempted)
    if not held.update(state=state, lease_id=None, leased_until=None, **changes):
        return False
    Attempt.objects.create(
        delivery_id=claimed.id,
        number=claimed.attempt,
        duration_ms=attempted.duration_ms,
        status=attempted.status,
        error=attempted.error,
        response=attempted.response,
    )
    if claimed.endpoint is not None:
        _judge(claimed.endpoint, attempted)
    if claimed.participant_id is not None and state != State.QUEUED:
        waking.look_at(claimed.participant_id, claimed.tile)
    return True


def _fate(claimed: Claimed, attempted: Attempted) -> tuple[str, dict]:
    """The delivery's state after a call, and what changes with it."""
    if attempted.verdict == Verdict.DELIVERED:
        return State.DELIVERED, {"finished_at": Now(), "reason": ""}
    if attempted.verdict == Verdict.GONE:
        return State.FAILED, {"finished_at": Now(), "reason": reasons.GONE}
    if attempted.verdict == Verdict.NEVER:
        reason = reasons.REFUSED if attempted.is_refused else reasons.REJECTED
        return State.FAILED, {"finished_at": Now(), "reason": reason}
    wait = verdicts.next_wait(attempted, claimed.step)
    if wait is None:
        return State.FAILED, {"finished_at": Now(), "reason": reasons.EXHAUSTED}
    return State.QUEUED, {"next_attempt_at": timezone.now() + wait[0], "step": wait[1]}


def _judge(endpoint: Endpoint, attempted: Attempted) -> None:
    """Keep account of the endpoint's health; a success costs no write while all is well."""
    if attempted.verdict == Verdict.DELIVERED:
        Endpoint.objects.filter(pk=endpoint.pk, failure_count__gt=0).update(**endpoints.UNHARMED)
        return
    count, since = _count_failure(endpoint, attempted)
    if attempted.verdict == Verdict.GONE:
        endpoints.disable(endpoint, _("It answered that it wants no more (410)."))
    elif count >= FAILURES and since <= timezone.now() - FAILING_FOR:
        text = _("It has failed for %(days)d days, %(count)d times in a row.")
        endpoints.disable(endpoint, text % {"days": FAILING_FOR.days, "count": count})


def _count_failure(endpoint: Endpoint, attempted: Attempted) -> tuple[int, datetime]:
    """Count a failure and hold the endpoint as far as that asks for; (failures in a row, since when)."""
    wait = attempted.wait.total_seconds() if attempted.is_throttled and attempted.wait else 0
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE integrations_endpoint endpoint
               SET failure_count = hold.count, failing_since = coalesce(failing_since, now()),
                   held_until = CASE WHEN hold.seconds > 0
                     THEN greatest(held_until, now() + make_interval(secs => hold.seconds)) ELSE held_until END
               FROM (SELECT id, failure_count + 1 AS count,
                       greatest(%(wait)s::float8, CASE WHEN %(holds)s AND failure_count + 1 >= %(careful)s
                         THEN least(power(2, least(failure_count + 1 - %(careful)s, 20)), %(longest)s::float8)
                         ELSE 0 END) AS seconds
                     FROM integrations_endpoint WHERE id = %(id)s FOR NO KEY UPDATE) hold
               WHERE endpoint.id = hold.id RETURNING endpoint.failure_count, endpoint.failing_since""",
            {
                "wait": wait,
                "holds": attempted.verdict in (Verdict.SOON, Verdict.LATER),
                "careful": FAILURES_UNTIL_CAREFUL,
                "longest": LONGEST_HOLD.total_seconds(),
                "id": endpoint.pk,
            },
        )
        row = cursor.fetchone()
    return row or (0, timezone.now())
