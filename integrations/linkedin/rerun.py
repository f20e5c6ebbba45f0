"""A changed mapping on the submissions that are stored: first as a preview, then for good, as jobs.

A preview is the same without the commit: what it comes to is read from the timeline of its own transaction, and taken
back. Nothing is made twice: each submission keeps its contact and its lead.
"""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import queries
from contacts.models import Contact, Interaction
from integrations.linkedin import processing
from integrations.models import Connection, LeadForm, LeadFormMapping, LeadSubmission
from leads.importing import recording
from leads.models import Lead
from tenants import jobs, wakeups
from tenants.access import Right
from tenants.fields import CurrentXid
from tenants.jobs import Figure, JobKind
from tenants.models import Job, Member
from tenants.scope import tenant_scope

State = LeadSubmission.State
TRIAL, RUN = "linkedin.rerun_trial", "linkedin.rerun"
BATCH = 1_000
# Changes that a preview shows.
SHOWN = 20
# What may be processed again: whatever has answers and is no test.
_STATES = (State.LEAD_CREATED, State.LEAD_UPDATED, State.LEAD_MATCHED, State.FAILED, State.HELD)
_FIGURES = (
    ("submissions", gettext_lazy("Submissions"), ""),
    ("contacts_new", gettext_lazy("New contacts"), "green"),
    ("contacts_changed", gettext_lazy("Changed contacts"), "blue"),
    ("accounts_new", gettext_lazy("New companies"), "green"),
    ("leads_new", gettext_lazy("New leads"), "green"),
    ("leads_changed", gettext_lazy("Changed leads"), "blue"),
    ("agreed", gettext_lazy("Consents noted"), ""),
    (State.FAILED, gettext_lazy("Failed"), "red"),
)
# Of these, what changes nothing.
_UNCHANGED = ("submissions", State.FAILED)


class _TakenBack(Exception):
    """Ends a preview's savepoint."""


def order(connection: Connection, form: LeadForm | None, *, is_trial: bool, by: Member | None) -> Job:
    """Apply a form's mapping, or the default to all forms without their own, to what is stored; or try to."""
    title = _("Try the mapping of “%(form)s”") if is_trial else _("Apply the mapping of “%(form)s”")
    name = str(form) if form else _("all other forms")
    arguments = {"connection": connection.pk, "form": form.pk if form else None, "last": 0}
    total = _submissions(arguments).count()
    job = jobs.order(TRIAL if is_trial else RUN, title % {"form": name}, arguments, by=by, total=total)
    wakeups.announce("linkedin")
    return job


def work(tenant_id: int, deadline: float) -> bool:
    """Do the open jobs until the deadline; True if all are done. Outside of any scope."""
    while True:
        with tenant_scope(tenant_id):
            job = jobs.lock(TRIAL) or jobs.lock(RUN)
            if job is None:
                return True
            _batch(job)
        if time.monotonic() >= deadline:
            return False


def figures(job: Job) -> Sequence[Figure]:
    """What a job came to, or would come to."""
    counts = job.result.get("counts", {})
    return [Figure(label, counts[key], tone) for key, label, tone in _FIGURES if counts.get(key)]


def examples(job: Job) -> dict[str, Any]:
    """Changes that a preview has found: {"who", "what" (contact, lead), "fields": [(name, before, after), …]}."""
    is_over = job.kind == TRIAL and job.state == Job.State.DONE
    counts = job.result.get("counts", {})
    has_changes = any(counts.get(key) for key, _label, _tone in _FIGURES if key not in _UNCHANGED)
    return {
        "examples": [
            {**found, "fields": queries.changes_in_words({name: values for name, *values in found["fields"]})}
            for found in job.result.get("examples", [])
        ],
        "is_to_be_applied": is_over and has_changes,
        "is_without_changes": is_over and not has_changes,
    }


def _batch(job: Job) -> None:
    """One batch, in the transaction that moves the job."""
    found = _submissions(job.arguments).filter(pk__gt=job.arguments["last"]).order_by("pk")
    recording.one_at_a_time()
    rows = list(found.select_for_update()[:BATCH])
    connection = Connection.objects.filter(pk=job.arguments["connection"]).first()
    if not rows or connection is None:
        jobs.finish(job)
        return
    done = _rehearse(job, connection, rows) if job.kind == TRIAL else processing.process_these(connection, rows)
    counts = Counter(job.result.get("counts", {}))
    counts.update({**done.counts, **done.states, "submissions": len(rows)})
    job.result["counts"] = dict(counts)
    job.arguments["last"] = rows[-1].pk
    jobs.advance(job, job.done_count + len(rows))


def _rehearse(job: Job, connection: Connection, rows: Sequence[LeadSubmission]) -> processing.Processed:
    """Do it and take it back; some of what changed is kept to be shown."""
    try:
        with transaction.atomic():
            done = processing.process_these(connection, rows)
            kept = job.result.setdefault("examples", [])
            kept += _changes(SHOWN - len(kept))
            raise _TakenBack
    except _TakenBack:
        return done


def _changes(count: int) -> list[dict[str, Any]]:
    """What this transaction has told the timeline of changes. Index: interaction_unread."""
    if count <= 0:
        return []
    kinds = {"contact.changed": Contact, "lead.changed": Lead}
    facts = Interaction.objects.filter(recorded_xid=CurrentXid(), kind__in=kinds).order_by("pk")[:count]
    found = []
    for fact in facts:
        record = Lead.objects.filter(pk=fact.lead_id or 0).first() if fact.kind == "lead.changed" else None
        who = record or Contact.objects.filter(pk=fact.contact_id or 0).first()
        fields = [[name, *values] for name, values in fact.detail.get("fields", {}).items()]
        found.append({"who": str(who or "–"), "what": fact.kind.partition(".")[0], "fields": fields})
    return found


def _submissions(arguments: dict[str, Any]) -> Any:
    rows = LeadSubmission.objects.filter(connection=arguments["connection"], state__in=_STATES)
    if arguments["form"]:
        return rows.filter(form=arguments["form"])
    own = LeadFormMapping.objects.filter(connection=arguments["connection"]).exclude(form=None)
    return rows.exclude(form__in=own.values("form"))


def register() -> None:
    """The job kinds, for the page of jobs."""
    template, right = "integrations/linkedin/_rerun.html", Right.EDIT_MARKETING
    for key, label in ((TRIAL, gettext_lazy("Try a mapping")), (RUN, gettext_lazy("Apply a mapping"))):
        jobs.kinds.add(
            JobKind(key, label, "arrows-shuffle", right, figures=figures, template=template, context=examples)
        )
