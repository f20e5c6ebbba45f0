"""What becomes of submissions: contacts and companies found or made, consent written, leads made or found; in sets.

    process(connection, limit)      # those that wait, in the tenant's scope; called until it returns 0

A batch is one transaction of some forty statements. One submission makes one lead at most, however often it is
processed: again after it has changed at LinkedIn, after its form was read, after the mapping was changed (`rerun`). A
submission that the database refuses fails alone, with the reason.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contacts.models.timeline import Lane
from integrations.linkedin import consents, mapping, writing
from integrations.linkedin.answers import Questions, Submission, Waiting
from integrations.linkedin.cleaning import Read, Reader
from integrations.linkedin.writing import Result
from integrations.models import Connection, LeadFormMapping, LeadSubmission
from leads.importing import recording
from tenants.models import Tenant

logger = logging.getLogger(__name__)

State = LeadSubmission.State
BATCH = 5_000
# More than so many at once are read by the reactor behind what people do now.
LIVE_UP_TO = 100


@dataclass
class Processed:
    """How many submissions came to which state, and what was made or changed on the way."""

    states: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.states.total()


def process(connection: Connection, limit: int | None = None) -> Processed:
    """Process the oldest ones: what somebody said last has to hold. Index: lead_submission_to_process."""
    recording.one_at_a_time()
    rows = _waiting(connection).select_for_update().values_list(*Waiting._fields)[: limit or BATCH]
    return process_these(connection, [Waiting._make(row) for row in rows])


def process_these(connection: Connection, submissions: Sequence[Submission]) -> Processed:
    """Process these, whatever their state was; the caller holds their locks, and `recording.one_at_a_time`."""
    return _write(_prepare(_Context.of(connection, submissions), submissions)) if submissions else Processed()


@dataclass(frozen=True)
class Prepared:
    """A batch of submissions, ready to be written once."""

    context: "_Context"
    submissions: Sequence[Submission]
    aside: list[Result]
    ready: list[writing.Ready]


def next_batch(connection: Connection, *, before: datetime, after: Submission | None = None) -> Prepared | None:
    """The next ones as `process` takes them, behind one that has been given out, ready for `write`; None: no more.

    Locks nothing, so that a batch can be read and prepared while those before it are written. In the tenant's scope.
    """
    waiting = _waiting(connection).filter(submitted_at__lt=before)
    if after is not None:
        waiting = waiting.filter(submitted_at__gte=after.submitted_at)
        waiting = waiting.exclude(submitted_at=after.submitted_at, pk__lte=after.pk)
    rows = [Waiting._make(row) for row in waiting.values_list(*Waiting._fields)[:BATCH]]
    return _prepare(_Context.of(connection, rows), rows) if rows else None


def write(connection: Connection, batch: Prepared) -> Processed:
    """Write a batch in the tenant's scope; what has changed, or was processed, since it was read is read anew."""
    recording.one_at_a_time()
    waiting = _waiting(connection).filter(pk__in=[submission.pk for submission in batch.submissions])
    here = list(waiting.select_for_update().values_list("pk", "digest"))
    if here == [(submission.pk, submission.digest) for submission in batch.submissions]:
        return _write(batch)
    return process_these(connection, [Waiting._make(row) for row in waiting.values_list(*Waiting._fields)])


def _waiting(connection: Connection) -> QuerySet[LeadSubmission]:
    waiting = LeadSubmission.objects.filter(connection=connection, state=State.RECEIVED)
    return waiting.order_by("submitted_at", "pk")


@dataclass
class _Context:
    """What is read once for a batch."""

    questions: Questions
    mappings: dict[int | None, LeadFormMapping]
    readers: dict[int, Reader]
    lane: str

    @classmethod
    def of(cls, connection: Connection, submissions: Sequence[Submission]) -> "_Context":
        questions = Questions(submissions)
        mappings = mapping.by_form(connection, {s.form_id for s in submissions if s.form_id})
        offered, country = mapping.offered(), Tenant.objects.get(pk=connection.tenant_id).country
        readers = {row.pk: Reader(row, offered, questions, country) for row in mappings.values()}
        return cls(questions, mappings, readers, Lane.LIVE if len(submissions) <= LIVE_UP_TO else Lane.BULK)

    def mapping_of(self, submission: Submission) -> LeadFormMapping:
        return self.mappings[submission.form_id] if submission.form_id else self.mappings[None]


def _prepare(context: _Context, submissions: Sequence[Submission]) -> Prepared:
    """What can be done before anything is written; needs no database."""
    aside: list[Result] = []
    groups: dict[int, list[Read]] = defaultdict(list)
    for submission in submissions:
        if found := _set_aside(context, submission):
            aside.append(found)
            continue
        row = context.mapping_of(submission)
        read = context.readers[row.pk].read(submission)
        if read.says_who or read.cleaned.account or read.cleaned.lead:
            groups[row.pk].append(read)
        else:
            why = _("Nothing that is mapped says who it is.")
            aside.append(Result(submission, State.FAILED, why, left_out=read.left_out))
    mappings = {row.pk: row for row in context.mappings.values()}
    ready = [writing.prepare(mappings[pk], reads) for pk, reads in sorted(groups.items())]
    return Prepared(context, submissions, aside, ready)


def _write(batch: Prepared) -> Processed:
    done = Processed()
    for result in _results(batch, done):
        done.states[result.state] += 1
    return done


def _results(batch: Prepared, done: Processed) -> Iterable[Result]:
    """Write in as large sets as the database takes: a set with one that it refuses is cut in halves."""
    submissions = batch.submissions
    try:
        with transaction.atomic():
            results, counts = _write_all(batch)
            writing.keep(results)
    except (DataError, IntegrityError, ValueError, TypeError) as error:
        if len(submissions) == 1:
            logger.exception("LinkedIn submission %s cannot be processed", submissions[0].pk)
            why = _("It cannot be stored: %(error)s") % {"error": type(error).__name__}
            failed = [Result(submissions[0], State.FAILED, why)]
            writing.keep(failed)
            return failed
        half = len(submissions) // 2
        halves = (_prepare(batch.context, part) for part in (submissions[:half], submissions[half:]))
        return [result for part in halves for result in _results(part, done)]
    done.counts.update(counts)
    return results


def _write_all(batch: Prepared) -> tuple[list[Result], Counter[str]]:
    results, counts = list(batch.aside), Counter[str]()
    context = batch.context
    for ready in batch.ready:
        written = writing.write(ready, context.lane)
        results += written.results
        counts.update(written.counts)
        counts["agreed"] += consents.write(_agreed(context, ready.mapping, written.results), lane=context.lane)
    return results, counts


def _set_aside(context: _Context, submission: Submission) -> Result | None:
    """A submission that is not processed: a test, or one whose form is not known yet."""
    if submission.is_test:
        return Result(submission, State.TEST, _("LinkedIn says that it is a test."))
    if submission.version_id is None:
        return None
    version = context.questions.version(submission)
    is_read = version is not None and not version.problem
    if is_read or not submission.answers or any(context.questions.of(submission, each) for each in submission.answers):
        return None
    return Result(submission, State.HELD, _("Its form has not been read: its answers have no meaning yet."))


def _agreed(context: _Context, row: LeadFormMapping, results: Iterable[Result]) -> list[consents.Agreed]:
    return [
        agreed
        for result in results
        if result.contact_id
        for agreed in consents.of(result.submission, result.contact_id, row, context.questions)
    ]
