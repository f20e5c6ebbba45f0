"""Imports with workers that are killed, and two at once: nobody twice, nobody missing."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from django.db.models import Count

from contacts.models import Account, Consent, Contact, Interaction, Purpose, SearchBacklog, SearchTerm
from leads.importing import running
from leads.models.imports import Import, ImportPiece
from tenants.models import FilePiece, Job, Tenant
from tenants.scope import tenant_scope
from tests.concurrency import importer, processes
from tests.leads.files import as_csv, begin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
ROWS, KILLS, PIECE = 100_000, 20, 2_000
HEAD = ["E-Mail", "First name", "Last name", "Company", "Phone"]


def rows_of(count: int) -> list[list[str]]:
    """So many people of a hundredth as many companies; a tenth has no address, but a phone."""
    return [
        [f"p{n}@c{n % (count // 100)}.example" if n % 10 else "", f"F{n}", f"L{n}", f"Company {n % (count // 100)}",
         f"+4930{1_000_000 + n}"]
        for n in range(count)
    ]  # fmt: skip


def start(tenant: Tenant, batch: Import) -> Job:
    with tenant_scope(tenant):
        return running.start(batch, running.RUN, None)


def is_over(tenant: Tenant, job: Job) -> bool:
    with tenant_scope(tenant):
        job.refresh_from_db()
    return job.state in (Job.State.DONE, Job.State.FAILED)


def progress(tenant: Tenant) -> int:
    """Pieces read, written and made findable so far."""
    with tenant_scope(tenant):
        read = FilePiece.objects.filter(file__name__endswith="(rows)").count()
        written = ImportPiece.objects.count()
        return read + 2 * written - SearchBacklog.objects.filter(kind="contact").count()


def test_workers_killed_at_random_moments_leave_an_import_that_goes_on(acme: Tenant) -> None:
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="News", is_default=True)
    batch = begin(acme, as_csv([HEAD, *rows_of(ROWS)]), purpose_id=news.pk, basis="fair", match_by="phone")
    job = start(acme, batch)
    workers = processes.killed_in_turns(
        lambda: processes.start(importer.work, PIECE),
        workers=1,
        rounds=KILLS,
        progress=lambda: progress(acme),
        steps=(1, 6),
        total=3 * ROWS // PIECE,
    )
    with processes.running(*workers):
        finished = time.monotonic() + 900
        while not is_over(acme, job) and time.monotonic() < finished:
            time.sleep(0.1)
    assert job.state == Job.State.DONE, job.error
    with tenant_scope(acme):
        counts = job.result["counts"]
        assert (counts["rows"], counts["new"], counts["refused"]) == (ROWS, ROWS, 0)
        assert Contact.objects.count() == ROWS
        assert Contact.objects.aggregate(n=Count("phone", distinct=True))["n"] == ROWS
        assert Contact.objects.filter(account=None).count() == 0
        assert Account.objects.count() == ROWS // 100
        assert Consent.objects.aggregate(n=Count("contact", distinct=True), all=Count("pk")) == {
            "n": ROWS * 9 // 10, "all": ROWS * 9 // 10,
        }  # fmt: skip
        created = Interaction.objects.filter(kind="contact.created")
        assert created.count() == ROWS
        assert created.aggregate(n=Count("contact_id", distinct=True))["n"] == ROWS
        found = SearchTerm.objects.filter(kind="contact").aggregate(n=Count("object_id", distinct=True))
        assert found["n"] == ROWS
        assert sorted(ImportPiece.objects.values_list("position", flat=True)) == list(range(ROWS // PIECE))


def run_both(tenant: Tenant, jobs: list[Job], meetings: Sequence[Any] = (None, None)) -> None:
    """Two processes, each with a job, at once."""
    both = [
        processes.start(importer.do, tenant.pk, job.pk, 50, meeting)
        for job, meeting in zip(jobs, meetings, strict=True)
    ]
    with processes.running(*both):
        assert [processes.end_of(process) for process in both] == [0, 0]


def two_jobs(tenant: Tenant) -> list[Job]:
    """Two imports of one file whose people have phones, but no addresses: no constraint tells them apart."""
    content = as_csv([HEAD, *(["", *row[1:]] for row in rows_of(2_000))])
    batches = [begin(tenant, content, match_by="phone") for _ in range(2)]
    with tenant_scope(tenant):
        return [running.order(batch, running.RUN, None) for batch in batches]


def test_two_imports_of_one_file_at_once_make_everybody_once(acme: Tenant) -> None:
    both = two_jobs(acme)
    run_both(acme, both)
    assert all(is_over(acme, job) for job in both)
    with tenant_scope(acme):
        assert Contact.objects.count() == 2_000
        assert Account.objects.count() == 20
        counts = [job.result["counts"] for job in both]
        assert sum(count["new"] for count in counts) == 2_000
        assert [count["rows"] for count in counts] == [2_000, 2_000]


def test_control_two_imports_that_do_not_wait_make_people_twice(acme: Tenant) -> None:
    one, other = processes.event(), processes.event()
    run_both(acme, two_jobs(acme), [(one, other), (other, one)])
    with tenant_scope(acme):
        assert Contact.objects.count() > 2_000, "the lock is what keeps people without an address from being made twice"


def test_two_workers_at_one_job_do_it_once(acme: Tenant) -> None:
    [job, _other] = two_jobs(acme)
    run_both(acme, [job, job])
    with tenant_scope(acme):
        assert Contact.objects.count() == 2_000
        job.refresh_from_db()
        assert (job.state, job.result["counts"]["new"]) == (Job.State.DONE, 2_000)
