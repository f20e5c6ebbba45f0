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


def process(connection: Connection, limit: int | None = None, *, before: datetime | None = None) -> Processed:
    """Process the oldest ones, of those submitted before a moment if one is given: what somebody said last has to hold.

    Index: lead_submission_to_process.
    """
    recording.one_at_a_time()
    waiting = LeadSubmission.objects.filter(connection=connection, state=State.RECEIVED).order_by("submitted_at", "pk")
    if before is not None:
        waiting = waiting.filter(submitted_at__lt=before)
    rows = waiting.select_for_update().values_list(*Waiting._fields)[: limit or BATCH]
    return process_these(connection, [Waiting._make(row) for row in rows])


def process_these(connection: Connection, submissions: Sequence[Submission]) -> Processed:
    """Process these, whatever their state was; the caller holds their locks, and `recording.one_at_a_time`."""
    done = Processed()
    if submissions:
        context = _Context.of(connection, submissions)
        for result in _results(context, submissions, done):
            done.states[result.state] += 1
    return done


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


def _results(context: _Context, submissions: Sequence[Submission], done: Processed) -> Iterable[Result]:
    """Process in as large sets as the database takes: a set with one that it refuses is cut in halves."""
    try:
        with transaction.atomic():
            results, counts = _process(context, submissions)
            writing.keep(results)
    except (DataError, IntegrityError, ValueError, TypeError) as error:
        if len(submissions) == 1:
            logger.exception("LinkedIn submission %s cannot be processed", submissions[0].pk)
            why = _("It cannot be stored: %(error)s") % {"error": type(error).__name__}
            failed = [Result(submissions[0], State.FAILED, why)]
            writing.keep(failed)
            return failed
        half = len(submissions) // 2
        return [*_results(context, submissions[:half], done), *_results(context, submissions[half:], done)]
    done.counts.update(counts)
    return results


def _process(context: _Context, submissions: Sequence[Submission]) -> tuple[list[Result], Counter[str]]:
    results: list[Result] = []
    groups: dict[int, list[Read]] = defaultdict(list)
    for submission in submissions:
        if aside := _set_aside(context, submission):
            results.append(aside)
            continue
        row = context.mapping_of(submission)
        read = context.readers[row.pk].read(submission)
        if read.says_who or read.cleaned.account or read.cleaned.lead:
            groups[row.pk].append(read)
        else:
            why = _("Nothing that is mapped says who it is.")
            results.append(Result(submission, State.FAILED, why, left_out=read.left_out))
    counts: Counter[str] = Counter()
    mappings = {row.pk: row for row in context.mappings.values()}
    for pk, reads in sorted(groups.items()):
        written = writing.write(mappings[pk], reads, context.lane)
        results += written.results
        counts.update(written.counts)
        counts["agreed"] += consents.write(_agreed(context, mappings[pk], written.results), lane=context.lane)
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
