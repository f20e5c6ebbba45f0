"""Runs of a connection's sync, for the page that shows how it is doing."""

from collections.abc import Mapping

from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.models import Connection, SyncRun
from tenants.models import Member

State = SyncRun.State
# How many are kept of a connection.
KEPT = 500


def begin(connection: Connection, kind: str, *, by: Member | None = None) -> SyncRun:
    """The run that is under way (a killed worker's is taken up), or a new one."""
    run, _is_new = SyncRun.objects.get_or_create(
        connection=connection, kind=kind, state=State.RUNNING, defaults={"started_by": by}
    )
    return run


def count(run: SyncRun, counts: Mapping[str, int]) -> None:
    """Add to what the run has done, in the transaction that does it."""
    run.refresh_from_db(fields=["counts"], from_queryset=SyncRun.objects.select_for_update())
    for name, number in counts.items():
        run.counts[name] = run.counts.get(name, 0) + number
    run.save(update_fields=["counts"])


def finish(run: SyncRun) -> None:
    """It has done all it was to do; the oldest runs make room."""
    SyncRun.objects.filter(pk=run.pk).update(state=State.DONE, error="", finished_at=Now())
    _prune(run)


def fail(run: SyncRun, error: str) -> None:
    """It ended early, with the reason for the page."""
    SyncRun.objects.filter(pk=run.pk).update(state=State.FAILED, error=error[:2_000], finished_at=Now())


def of(connection: Connection) -> QuerySet[SyncRun]:
    """The runs of a connection, the latest first."""
    return SyncRun.objects.filter(connection=connection).order_by("-id")


def _prune(run: SyncRun) -> None:
    kept = of(run.connection).values_list("pk", flat=True)[KEPT : KEPT + 1]
    for pk in kept:
        SyncRun.objects.filter(connection=run.connection, pk__lte=pk).delete()
