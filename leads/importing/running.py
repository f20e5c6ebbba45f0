"""Doing an import as a job: read, write, make findable; piece by piece, for the worker and for the command.

Each piece is a transaction that also moves the job, so a kill at any moment loses and doubles nothing: the piece is
there with its proof, or not at all. The next piece is cleaned by a thread while the database writes this one.
"""

import itertools
import logging
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.db import DataError, IntegrityError, OperationalError, connection
from django.utils.translation import gettext as _

from contacts import findable
from contacts.models import Account, Consent, Contact
from leads.importing import pace, pieces, reading, undoing, writing
from leads.importing.cleaning import Cleaner
from leads.importing.options import Options
from leads.models import Lead
from leads.models.imports import Import, ImportPiece
from tenants import files, jobs
from tenants.models import File, FilePiece, Job, Member
from tenants.postgres.statistics import Statistics
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome, announce, queue

logger = logging.getLogger(__name__)

QUEUE = "imports"
TRIAL, RUN = "leads.import_trial", "leads.import"
KINDS = (TRIAL, RUN, undoing.KIND)
# How often a piece is tried again that another transaction got in the way of.
TRIES = 5


def order(batch: Import, kind: str, by: Member | None) -> Job:
    """A trial of an import, or the import itself, as a job that waits for the worker."""
    title = _("Try “%(name)s”") if kind == TRIAL else _("Import “%(name)s”")
    job = jobs.order(kind, title % {"name": batch.name}, {"import": batch.pk}, by=by, total=batch.row_count or 0)
    batch.pieces.filter(is_trial=True).delete()
    if kind == TRIAL:
        batch.trial = job
    else:
        batch.job, batch.state = job, Import.State.STARTED
    batch.save(update_fields=["trial", "job", "state"])
    return job


@queue(QUEUE)
def work(tenant_id: int, deadline: float) -> Outcome:
    """Do the open jobs of a tenant, the oldest first, until the deadline."""
    while True:
        with tenant_scope(tenant_id):
            job = Job.objects.filter(kind__in=KINDS, state__in=jobs.OPEN).order_by("pk").first()
        if job is None:
            return Outcome()
        if not run(tenant_id, job, deadline):
            return Outcome(has_more=True)


def run(tenant_id: int, job: Job, deadline: float | None = None) -> bool:
    """Do a job until it is over, or until the deadline; True if it is over. Called outside any scope."""
    if job.kind == undoing.KIND:
        return undoing.run(tenant_id, job.pk, deadline)
    if not write(tenant_id, job, deadline):
        return False
    if job.kind == TRIAL:
        return True
    if not findable.catch_up(tenant_id, deadline):
        return False
    with tenant_scope(tenant_id):
        if open_ := jobs.lock(job.kind, job.pk):
            jobs.finish(open_)
    return True


def write(tenant_id: int, job: Job, deadline: float | None = None) -> bool:
    """Read what has not been read and write what has not been written; True if nothing is left to write."""
    try:
        with pace.for_many_rows():
            _read(tenant_id, job)
            return _write(tenant_id, job, deadline)
    except reading.Unusable as error:
        _fail(tenant_id, job, str(error))
    except (DataError, IntegrityError) as error:
        logger.exception("Import job %s cannot be done", job.pk)
        _fail(tenant_id, job, _("The database refuses a row: %(error)s") % {"error": str(error).splitlines()[0]})
    return True


def _fail(tenant_id: int, job: Job, error: str) -> None:
    with tenant_scope(tenant_id):
        if open_ := jobs.lock(job.kind, job.pk):
            jobs.fail(open_, error)


def is_past(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _batch(job: Job) -> Import:
    return Import.objects.select_related("file", "rows", "created_by__user").get(pk=job.arguments["import"])


def _read(tenant_id: int, job: Job) -> None:
    """Cut the file into pieces, if that has not been done; goes on behind those that there are. Raises Unusable.

    Two who do so at once come to the same pieces; each is kept once.
    """
    with tenant_scope(tenant_id):
        jobs.lock(job.kind, job.pk)
        batch = _batch(job)
        if batch.row_count is not None:
            return
        if batch.file is None:
            raise reading.Unusable(_("The file is no longer there: files are kept for 30 days."))
        rows_file = _rows_file(batch)
        position = FilePiece.objects.filter(file=rows_file).count()
        copy = files.spool(batch.file)
    with copy:
        table = reading.open_table(copy)
        rows = itertools.islice(table.rows, position * pieces.SIZE, None)
        count = position * pieces.SIZE
        for length, content in pieces.cut(rows):
            with tenant_scope(tenant_id):
                if (open_ := jobs.lock(job.kind, job.pk)) is None:
                    return
                _commit_without_waiting()
                if not rows_file.pieces.filter(position=position).exists():
                    files.append(rows_file, position, content)
                count, position = count + length, position + 1
                open_.arguments["read"] = count
                jobs.advance(open_, 0)
        with tenant_scope(tenant_id):
            Import.objects.filter(pk=batch.pk).update(row_count=count)
            if open_ := jobs.lock(job.kind, job.pk):
                jobs.advance(open_, 0, total=count)


def _rows_file(batch: Import) -> File:
    if batch.rows is None:
        batch.rows = files.create(f"{batch.name} (rows)", by=batch.created_by)
        batch.save(update_fields=["rows"])
    return batch.rows


@dataclass
class _Ahead:
    """The next piece, being made ready by a thread."""

    rows_id: int
    cleaner: Cleaner
    options: Options
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "import"))
    position: int = -1
    ready: "Future[writing.Prepared] | None" = None

    def start(self, position: int) -> None:
        """Load a piece within the caller's scope, and begin to make it ready."""
        content = files.piece(self.rows_id, position)
        self.position = position
        self.ready = (
            None if content is None else self.pool.submit(pieces.prepare, position, content, self.cleaner, self.options)
        )


def _write(tenant_id: int, job: Job, deadline: float | None) -> bool:
    """Write the pieces that have not been written; True if none is left or the job was closed."""
    with tenant_scope(tenant_id):
        batch = _batch(job)
        if batch.rows_id is None or batch.row_count is None:
            return True
        options = Options.read(batch.options)
        ahead = _Ahead(batch.rows_id, pieces.cleaner_of(batch, options), options)
        ahead.start(_next_position(batch, job))
    statistics = Statistics(tenant_id, Contact, Account, Consent, Lead)
    try:
        while ahead.ready is not None:
            prepared = ahead.ready.result()
            statistics.keep_up()
            for attempt in itertools.count(1):
                try:
                    with tenant_scope(tenant_id):
                        if (open_ := jobs.lock(job.kind, job.pk)) is None:
                            return True
                        if (place := _next_position(batch, job)) != prepared.position:
                            # Somebody else is at the same job: the command, and a worker that took it for abandoned.
                            ahead.start(place)
                            break
                        ahead.start(place + 1)
                        _write_one(batch, options, prepared, open_)
                    break
                except (OperationalError, IntegrityError):
                    # Two transactions in each other's way: the database has ended this one, and it is done again.
                    if attempt == TRIES:
                        raise
                    prepared = _again(tenant_id, ahead, prepared.position)
            if is_past(deadline):
                return False
        with tenant_scope(tenant_id):
            if (open_ := jobs.lock(job.kind, job.pk)) and job.kind == TRIAL:
                jobs.finish(open_)
    finally:
        ahead.pool.shutdown(cancel_futures=True)
    return True


def _commit_without_waiting() -> None:
    """Let this transaction's commit not wait for the disk: a piece that a power cut takes away is done again, since its
    rows, its proof and its job's place go together. The commit that finishes the job waits for all before it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _again(tenant_id: int, ahead: _Ahead, position: int) -> writing.Prepared:
    """A piece made ready anew: a failed attempt has noted ids at its people."""
    with tenant_scope(tenant_id):
        ahead.start(position)
    if ahead.ready is None:
        raise RuntimeError("a piece of rows has vanished")
    return ahead.ready.result()


def _write_one(batch: Import, options: Options, prepared: writing.Prepared, job: Job) -> None:
    """Write a piece and move its job, in one transaction."""
    _commit_without_waiting()
    verb = writing.rehearse if job.kind == TRIAL else writing.write
    piece = verb(batch, options, prepared, batch.created_by)
    total = Counter(job.result.get("counts", {}))
    total.update(piece.counts)
    job.result["counts"] = dict(total)
    if piece.consequences:
        job.result["consequences"] = _summed(job.result.get("consequences", {}), piece.consequences)
    jobs.advance(job, min(prepared.position * pieces.SIZE + prepared.count, job.total_count or 0), batch.row_count or 0)


def _summed(before: dict[str, Any], more: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {key: dict(Counter(before.get(key, {})) + Counter(more.get(key, {}))) for key in {*before, *more}}


def _next_position(batch: Import, job: Job) -> int:
    """Behind the pieces that are there: their rows are the truth about how far it is."""
    return ImportPiece.objects.filter(batch=batch, is_trial=job.kind == TRIAL).count()


def start(batch: Import, kind: str, by: Member | None) -> Job:
    """Order a job of an import and call the worker."""
    job = order(batch, kind, by)
    announce(QUEUE)
    return job
