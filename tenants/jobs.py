"""Long work: what a job of a kind is called, how it is ordered, worked off, cancelled and taken back.

An app declares its kinds in `AppConfig.ready()`; the page of jobs shows progress, figures, files and undo of any kind.
The work itself is a wakeup queue of the app (`tenants.wakeups`) that does an open job piece by piece: a piece, its
place and its count commit together, so that a killed job goes on where it was and a cancelled one stops after a piece.

    kinds.add(JobKind("leads.import", _("Import"), "file-import", Right.EDIT_AUDIENCE, figures=figures, undo=undo))
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants import audit
from tenants.access import Right
from tenants.models import Job, Member
from tenants.registry import Text

TAKE_BACK = _("Take everything back that this job did?")
OPEN = (Job.State.QUEUED, Job.State.RUNNING)


class CannotUndo(ValueError):
    """Nothing was taken back; the text says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that a job came to; `path` leads to what is behind it."""

    label: Text
    value: int
    tone: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that a job offers: `lines(job)` is called outside any scope and opens its own."""

    key: str
    label: Text
    file_name: str
    lines: Callable[[Job], Iterator[str]]


@dataclass(frozen=True, slots=True)
class JobKind:
    """How the pages show jobs of a kind. What is left out is not offered.

    `phase(job)` says in words what is being done; `cancelled(job)` is called in the transaction that cancels one;
    `undo(job, by)` orders the way back and returns its job, or raises CannotUndo; `template` is shown on the page of
    the job, with the context of `context(job)`.
    """

    key: str
    label: Text
    icon: str
    right: Right = Right.VIEW
    phase: Callable[[Job], Text] = lambda job: ""
    figures: Callable[[Job], Sequence[Figure]] = lambda job: ()
    downloads: Callable[[Job], Sequence[Download]] = lambda job: ()
    undo: Callable[[Job, Member], Job] | None = None
    may_undo: Callable[[Job], bool] = lambda job: True
    undo_question: Text = TAKE_BACK
    cancelled: Callable[[Job], None] = lambda job: None
    template: str = ""
    context: Callable[[Job], dict[str, Any]] = lambda job: {}


class Kinds:
    """The kinds of jobs that apps have declared; others are shown with what every job has."""

    def __init__(self) -> None:
        self._kinds: dict[str, JobKind] = {}

    def add(self, kind: JobKind) -> None:
        self._kinds[kind.key] = kind

    def of(self, job: Job) -> JobKind:
        return self._kinds.get(job.kind) or JobKind(job.kind, job.title, "loader-2")


kinds = Kinds()


def order(kind: str, title: str, arguments: dict[str, Any], *, by: Member | None, total: int | None = None) -> Job:
    """A job that waits for its turn; the caller announces the queue."""
    return Job.objects.create(kind=kind, title=title[:200], arguments=arguments, total_count=total, started_by=by)


def lock(kind: str, pk: int | None = None) -> Job | None:
    """The open job (the oldest one of its kind, or this one), locked until the transaction ends; None: there is none.

    Whoever cancels waits for the piece under way, and the next piece finds the job closed.
    """
    jobs = Job.objects.select_for_update(of=("self",)).filter(kind=kind, state__in=OPEN)
    return (jobs if pk is None else jobs.filter(pk=pk)).order_by("pk").first()


def advance(job: Job, done: int, total: int | None = None) -> None:
    """Note how far a job has come, with its arguments and result as they are now."""
    job.done_count, job.state = done, Job.State.RUNNING
    job.total_count = job.total_count if total is None else total
    job.save(update_fields=["done_count", "total_count", "state", "arguments", "result"])


def finish(job: Job) -> None:
    """Close a job that has done all it was to do."""
    _close(job, Job.State.DONE)


def fail(job: Job, error: str) -> None:
    """Close a job that cannot be done, with the reason for whoever ordered it."""
    _close(job, Job.State.FAILED, error)


def cancel(job: Job, *, by: Member) -> bool:
    """Stop a job after the piece that is under way; what it has done stays. False if it is over already."""
    if not Job.objects.filter(pk=job.pk, state__in=OPEN).update(state=Job.State.CANCELLED, finished_at=Now()):
        return False
    kinds.of(job).cancelled(job)
    audit.write("job.cancelled", job, by=by)
    return True


def _close(job: Job, state: str, error: str = "") -> None:
    job.state, job.error, job.finished_at = state, error, Now()
    job.save(update_fields=["state", "error", "finished_at", "arguments", "result", "done_count", "total_count"])
