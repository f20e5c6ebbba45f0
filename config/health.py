"""Whether the product is well: `/healthz` for this process, `/healthz/all` for every part. Says nothing of tenants."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from segments.following import DRIFT
from tenants.models import Heartbeat
from tenants.postgres import partitions

# The beat dispatches each second, and has the worker do chores each minute.
LONGEST_SILENCE = {"beat": timedelta(seconds=30), "worker": timedelta(minutes=3), "caller": timedelta(minutes=3)}
LONGEST_WAIT = timedelta(minutes=2)
# The application's own transactions end after 60 seconds.
OLDEST_TRANSACTION = timedelta(seconds=90)

# The nightly check of segments, and how long it may be overdue.
SEGMENTS_CHECK = "chore:segments-check"
LONGEST_UNCHECKED = timedelta(days=2)


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    ok: bool
    detail: str


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """200 if this process reaches its database, else 503."""
    finding = _database()
    return HttpResponse(finding.detail, status=200 if finding.ok else 503, content_type="text/plain")


@require_safe
@never_cache
def everything(request: HttpRequest) -> JsonResponse:
    """Every check's finding as JSON; 503 if one of them fails."""
    findings = {name: _look(check) for name, check in CHECKS.items()}
    is_well = all(finding.ok for finding in findings.values())
    checks = {name: {"ok": finding.ok, "detail": finding.detail} for name, finding in findings.items()}
    return JsonResponse({"ok": is_well, "checks": checks}, status=200 if is_well else 503)


def _look(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except (DatabaseError, redis.RedisError) as error:
        return Finding(False, type(error).__name__)


def _database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Finding(False, "the database does not answer")
    return Finding(True, "ok")


def _broker() -> Finding:
    if not settings.REDIS_URL:
        return Finding(True, "none: one process does all the work")
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5) as client:
        client.ping()
    return Finding(True, "answers")


def _heartbeat(name: str) -> Callable[[], Finding]:
    def check() -> Finding:
        heartbeat = Heartbeat.objects.filter(pk=name).first()
        if heartbeat is None:
            return Finding(False, "never seen")
        silence = timezone.now() - heartbeat.at
        return Finding(silence <= LONGEST_SILENCE[name], f"seen {silence.total_seconds():.0f} s ago")

    return check


def _waiting() -> Finding:
    """Nothing that is due waits long: the readers of the timeline, mail, journeys, all queues alike.

    Returns the longest wait and its queue: one step along the index `wakeup_due`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT queue, now() - due_at FROM tenants_wakeup WHERE due_at <= now() ORDER BY due_at LIMIT 1")
        row = cursor.fetchone()
    if row is None:
        return Finding(True, "nothing waits")
    queue, wait = row
    return Finding(wait <= LONGEST_WAIT, f"{queue} has waited for {wait.total_seconds():.0f} s")


def _failing() -> Finding:
    """No queue's work ends in exceptions for long; each is tried again, so that it would never wait long.

    One step along the index `wakeup_failed`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue, now() - failed_since FROM tenants_wakeup WHERE failed_since IS NOT NULL"
            " ORDER BY failed_since LIMIT 1"
        )
        row = cursor.fetchone()
    if row is None:
        return Finding(True, "nothing fails")
    queue, wait = row
    return Finding(wait <= LONGEST_WAIT, f"{queue} has failed for {wait.total_seconds():.0f} s: see the worker's log")


def _segments() -> Finding:
    """The latest nightly check found every segment as following had left it."""
    beats = dict(Heartbeat.objects.filter(name__in=(SEGMENTS_CHECK, DRIFT)).values_list("name", "at"))
    checked, drifted = beats.get(SEGMENTS_CHECK), beats.get(DRIFT)
    if checked is None:
        return Finding(True, "not checked yet")
    if drifted is not None and drifted >= checked:
        return Finding(False, f"the check of {checked:%Y-%m-%d %H:%M} UTC corrected memberships: see the worker's log")
    return Finding(timezone.now() - checked <= LONGEST_UNCHECKED, f"checked at {checked:%Y-%m-%d %H:%M} UTC")


def _oldest_transaction() -> Finding:
    """The oldest writing transaction that the role can see: it holds the readers of the timeline back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT now() - xact_start, pid FROM pg_stat_activity"
            " WHERE backend_xid IS NOT NULL AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1"
        )
        row = cursor.fetchone()
    if row is None:
        return Finding(True, "none is open")
    age, pid = row
    return Finding(age <= OLDEST_TRANSACTION, f"open for {age.total_seconds():.0f} s by process {pid}")


def _partitions() -> Finding:
    ahead = partitions.months_ahead()
    return Finding(ahead >= partitions.MONTHS_AHEAD_MINIMUM, f"{ahead} months ahead")


CHECKS: dict[str, Callable[[], Finding]] = {
    "database": _database,
    "broker": _broker,
    "worker": _heartbeat("worker"),
    "caller": _heartbeat("caller"),
    "beat": _heartbeat("beat"),
    "queues": _waiting,
    "failures": _failing,
    "segments": _segments,
    "oldest_transaction": _oldest_transaction,
    "partitions": _partitions,
}
