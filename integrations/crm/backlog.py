"""Leads that sales had before there was a connection: all handed over at once, as a job that orders piece by piece."""

import time

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.crm import outbox
from integrations.models import Connection, CrmChange, Entity, RecordLink
from leads.models import Lead, Stage
from leads.transitions import WORKED
from tenants import audit, jobs
from tenants.access import Right
from tenants.jobs import JobKind
from tenants.models import Job, Member
from tenants.scope import tenant_scope

KIND = JobKind("crm.backlog", gettext_lazy("Handover to a CRM"), "arrow-right", Right.MANAGE)
# Leads per transaction.
BATCH = 2_000
WITH_SALES = (Stage.HANDED_OFF, *WORKED)
State = CrmChange.State


def leads(connection: Connection) -> QuerySet[Lead]:
    """Leads that are with sales, and that the CRM neither has nor is to have. Indexes: link_of_object,
    changes_of_object."""
    of_lead = {"connection": connection, "entity": Entity.LEAD, "object_id": OuterRef("pk")}
    ordered = CrmChange.objects.filter(**of_lead, kind=CrmChange.Kind.HANDOFF, state__in=(State.QUEUED, State.SENDING))
    rows = Lead.objects.filter(~Exists(RecordLink.objects.filter(**of_lead)), ~Exists(ordered), stage__in=WITH_SALES)
    return rows.order_by("pk")


def open_job(connection: Connection) -> Job | None:
    """The job that is at it."""
    return Job.objects.filter(kind=KIND.key, state__in=jobs.OPEN, arguments__connection=connection.pk).first()


def order(connection: Connection, *, by: Member) -> Job:
    """Hand all of them over; the job that is at it already, if there is one."""
    if job := open_job(connection):
        return job
    title = _("Hand the leads of sales over to %(name)s") % {"name": connection}
    arguments = {"system": connection.system, "connection": connection.pk, "last": 0}
    job = jobs.order(KIND.key, title, arguments, by=by, total=leads(connection).count())
    audit.write("crm.backlog_ordered", connection, by=by, detail={"count": job.total_count})
    outbox.announce([connection])
    return job


def work(tenant_id: int, deadline: float, system: str) -> bool:
    """Do the open jobs of a system until the deadline; True if all are done. Outside of any scope."""
    while True:
        with tenant_scope(tenant_id):
            waiting = Job.objects.filter(kind=KIND.key, state__in=jobs.OPEN, arguments__system=system)
            first = waiting.order_by("pk").values_list("pk", flat=True).first()
            job = jobs.lock(KIND.key, first) if first else None
            if job is None:
                return True
            _batch(job)
        if time.monotonic() >= deadline:
            return False


def _batch(job: Job) -> None:
    """Order the handoffs of some leads, in the transaction that moves the job."""
    connection = Connection.objects.filter(pk=job.arguments["connection"]).first()
    rows = leads(connection).filter(pk__gt=job.arguments["last"]) if connection else Lead.objects.none()
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    if connection is None or not ids:
        jobs.finish(job)
        return
    outbox.order(
        CrmChange(
            connection=connection,
            key=f"handoff:{connection.pk}:job:{job.pk}:{pk}",
            kind=CrmChange.Kind.HANDOFF,
            entity=Entity.LEAD,
            object_id=pk,
        )
        for pk in ids
    )
    job.arguments["last"] = ids[-1]
    jobs.advance(job, job.done_count + len(ids))
