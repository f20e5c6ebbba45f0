"""When LinkedIn is read, and what is done if that fails: the queue "linkedin", and `manage.py sync_linkedin`.

| what LinkedIn says                 | what happens                                                          |
|------------------------------------|-----------------------------------------------------------------------|
| authorisation refused, twice       | the connection needs authorisation, its owners are told, nothing runs |
| the same within a minute of a new  | nothing yet: new tokens take a while to be known; tried again          |
| 426: the version has ended         | stopped, with what to do; its owners are told                         |
| 403, 404 for one ad account        | the account says so; the others go on                                 |
| 429 with a time                    | left alone for so long                                                |
| 429 without, 5xx, nonsense, silence | tried again later and later, at the latest at midnight UTC, when limits end |
| anything else                      | the run has failed, with LinkedIn's words; tried again as usual       |
"""

import random
import time
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.client import CallFailed, NeedsAuthorisation, Rejected, Throttled, Unavailable
from integrations.connections import runs, verbs
from integrations.linkedin import announced, gaps, oauth, processing, rerun
from integrations.linkedin.pulling import Interrupted, Pull
from integrations.models import Connection, SyncRun
from leads.importing import pace
from tenants.models import Member
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome, queue

SYSTEM = QUEUE = "linkedin"
PULL = "pull"
# From the end of a run to the next.
INTERVAL = timedelta(minutes=30)
# After a failure: so long, doubled with each further one.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)


@queue(QUEUE, calls_out=True)
def work(tenant_id: int, deadline: float) -> Outcome:
    """Do what is due for a tenant's connections until the deadline."""
    with tenant_scope(tenant_id, read_only=True):
        connections = list(Connection.objects.filter(system=SYSTEM).order_by("pk"))
    moments: list[datetime] = []
    if not rerun.work(tenant_id, deadline):
        return Outcome(has_more=True)
    for connection in connections:
        if not process(connection, deadline):
            return Outcome(has_more=True)
        if connection.state != Connection.State.ACTIVE:
            continue
        if next_push := announced.fetch(connection, deadline):
            moments.append(next_push)
        if is_due(connection):
            sync(connection, deadline)
        with tenant_scope(tenant_id, read_only=True):
            moments += filter(None, Connection.objects.filter(pk=connection.pk).values_list("next_sync_at", flat=True))
        if time.monotonic() >= deadline:
            return Outcome(has_more=True)
    now = timezone.now()
    return Outcome(next_due=min(moments, default=None), has_more=any(moment <= now for moment in moments))


def is_due(connection: Connection) -> bool:
    """Whether it is to be read now; its moment may have been changed since it was looked up."""
    with tenant_scope(connection.tenant_id, read_only=True):
        connection.refresh_from_db()
    return connection.is_running and connection.next_sync_at is not None and connection.next_sync_at <= timezone.now()


def process(connection: Connection, deadline: float) -> bool:
    """Process what came by files, pushes or the inbound address, or what a killed run has left; False if some is left.

    Works without any authorisation.
    """
    while True:
        with tenant_scope(connection.tenant_id):
            done = processing.process(connection, processing.BATCH)
            run = SyncRun.objects.filter(connection=connection, kind=PULL, state=SyncRun.State.RUNNING).first()
            if run and done.total:
                runs.count(run, {**done.counts, **done.states})
        if done.total < processing.BATCH:
            return True
        if time.monotonic() >= deadline:
            return False


def sync(connection: Connection, deadline: float | None = None, *, by: Member | None = None) -> SyncRun:
    """Read LinkedIn once, and note when to do so again; what fails is on the run. Outside of any scope."""
    with tenant_scope(connection.tenant_id):
        run = runs.begin(connection, PULL, by=by)
    pull = Pull(connection, run, deadline)
    try:
        with pace.for_many_rows():
            pull.everything()
        gaps.refresh(pull)
    except Interrupted:
        with tenant_scope(connection.tenant_id):
            connection.refresh_from_db()
            if connection.is_running:
                verbs.schedule(connection, timezone.now())
            else:
                runs.finish(run)
        return run
    except CallFailed as error:
        _failed(connection, run, error)
    else:
        with tenant_scope(connection.tenant_id):
            announced.give_up(connection, run.started_at)
            runs.finish(run)
        _look_again(connection, timezone.now() + INTERVAL)
    with tenant_scope(connection.tenant_id, read_only=True):
        run.refresh_from_db()
    return run


def _failed(connection: Connection, run: SyncRun, error: CallFailed) -> None:
    """Note why a run has failed, and what that means for the next."""
    with tenant_scope(connection.tenant_id):
        runs.fail(run, error.text)
        connection.refresh_from_db()
        if isinstance(error, NeedsAuthorisation) and oauth.is_settling(connection):
            verbs.schedule(connection, timezone.now() + oauth.SETTLING)
        elif isinstance(error, NeedsAuthorisation):
            verbs.need_authorisation(connection, error.text)
        elif isinstance(error, Rejected) and error.status == 426:
            verbs.stop(connection, error.text)
        elif isinstance(error, Unavailable):
            verbs.schedule(connection, timezone.now() + _wait(connection, error))
        else:
            verbs.schedule(connection, timezone.now() + INTERVAL)


def _wait(connection: Connection, error: Unavailable) -> timedelta:
    """How long to leave LinkedIn alone: as it says, else longer with each failure; with full jitter."""
    if isinstance(error, Throttled) and error.wait:
        return timedelta(seconds=error.wait * (1 + random.random() / 10))
    last = runs.of(connection).values_list("state", flat=True)[:10]
    failures = next((count for count, state in enumerate(last) if state == SyncRun.State.DONE), len(last))
    wait = min(FIRST_WAIT * 2 ** max(0, failures - 1), LONGEST_WAIT)
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return min(wait, midnight - timezone.now() + FIRST_WAIT) * random.uniform(0.5, 1)


def _look_again(connection: Connection, at: datetime) -> None:
    with tenant_scope(connection.tenant_id):
        verbs.schedule(connection, at)
