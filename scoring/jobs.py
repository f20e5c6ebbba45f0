"""Scoring everybody by a model: at once when they are few, else a piece per transaction, with progress."""

import time

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import timeline
from contacts.models import Contact
from contacts.models.timeline import Lane
from leads.models import Lead
from scoring import retiring
from scoring.models import ScoringModel
from scoring.rescore import AT_ONCE, Outcome, lock, rescore_selected
from scoring.subjects import CONTACT, LEAD, Selection, Subject
from tenants import wakeups
from tenants.jobs import Figure
from tenants.models import Job, Member
from tenants.scope import tenant_scope
from tenants.wakeups import announce, queue

QUEUE = "scoring"
KIND = "scoring.rescore"
# So many per transaction: a few seconds, for as long as which no reader passes it and the reactor waits for the model.
PIECE = 50_000
OPEN = (Job.State.QUEUED, Job.State.RUNNING)


def start(model: ScoringModel, by: Member | None, old_threshold: int | None = None) -> Job:
    """Score everybody by a live model in the current scope's transaction, or order it; the job says how far it is."""
    Job.objects.filter(kind=KIND, state__in=OPEN, arguments__model=model.pk).update(state=Job.State.CANCELLED)
    total = Lead.objects.count() + Contact.objects.count()
    job = Job.objects.create(
        kind=KIND,
        title=_("Score everybody by “%(model)s”") % {"model": model.name},
        arguments={"model": model.pk, "old_threshold": old_threshold, "subject": LEAD.key, "after": 0},
        total_count=total,
        started_by=by,
    )
    if total <= AT_ONCE:
        while _piece(job):
            pass
    else:
        announce(QUEUE)
    return job


@queue(QUEUE)
def work(tenant_id: int, deadline: float) -> wakeups.Outcome:
    """Do the open jobs of a tenant, a piece per transaction."""
    while True:
        with tenant_scope(tenant_id):
            job = Job.objects.filter(kind=KIND, state__in=OPEN).order_by("pk").first()
            if job is None:
                return wakeups.Outcome()
            _piece(job)
        if time.monotonic() >= deadline:
            return wakeups.Outcome(has_more=True)


def _piece(job: Job) -> bool:
    """Score the next piece of a job; True if there is more. Killed in between, the piece is done again."""
    models = lock([job.arguments["model"]])
    if not models:
        _finish(job, Job.State.CANCELLED)
        return False
    [model], subject = models, LEAD if job.arguments["subject"] == LEAD.key else CONTACT
    after = job.arguments["after"]
    upto = last_of_piece(subject, after)
    outcome = _score(model, subject, Selection(after=after, upto=upto), job.arguments["old_threshold"])
    if upto is None and subject is CONTACT:
        _finish(job, Job.State.DONE, outcome.changed)
        ScoringModel.objects.filter(pk=model.pk).update(scored_at=Now())
        return False
    following = subject if upto else CONTACT
    job.arguments = {**job.arguments, "subject": following.key, "after": upto or 0}
    job.state = Job.State.RUNNING
    _count(job, outcome.changed, _done(subject, upto))
    return True


def _score(model: ScoringModel, subject: Subject, selection: Selection, old_threshold: int | None) -> Outcome:
    """Score a piece of the subjects; rows of it go to the bulk lane, behind what people do right now."""
    if subject is LEAD and selection.after == 0:
        retiring.carry_over(model)
    outcome = rescore_selected(model, subject, selection, Lane.BULK, old_threshold)
    if outcome.next_change_at:
        announce(timeline.REACTOR, due_at=outcome.next_change_at)
    return outcome


def last_of_piece(subject: Subject, after: int) -> int | None:
    """The id that ends the piece behind `after`; None: it is the last piece."""
    table = Lead if subject is LEAD else Contact
    ids = table.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
    return next(iter(ids[PIECE - 1 : PIECE]), None)


def _done(subject: Subject, upto: int | None) -> int:
    """How many have been scored when the subject's ids up to `upto` (None: all) are done."""
    among = Q() if upto is None else Q(pk__lte=upto)
    if subject is LEAD:
        return Lead.objects.filter(among).count()
    return Lead.objects.count() + Contact.objects.filter(among).count()


def _count(job: Job, changed: int, done: int) -> None:
    job.done_count = done
    job.result = {"changed": job.result.get("changed", 0) + changed}
    job.save(update_fields=["arguments", "state", "done_count", "result"])


def _finish(job: Job, state: Job.State, changed: int = 0) -> None:
    job.state, job.done_count = state, job.total_count or 0
    job.result = {"changed": job.result.get("changed", 0) + changed}
    job.finished_at = timezone.now()
    job.save(update_fields=["state", "done_count", "result", "finished_at"])


def current(model: ScoringModel) -> Job | None:
    """The job that is scoring everybody by this model right now."""
    return Job.objects.filter(kind=KIND, state__in=OPEN, arguments__model=model.pk).order_by("-pk").first()


def figures(job: Job) -> list[Figure]:
    """What the page of jobs shows."""
    return [Figure(_("Scores changed"), job.result["changed"])] if "changed" in job.result else []
