"""A first sync with LinkedIn whose workers are killed: nothing lost, nothing doubled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from signal import SIGKILL
from typing import Any

import pytest
from django.db.models import Count, F

from contacts.models import Contact, Interaction
from integrations.models import AdAccount, LeadSubmission, SyncRun
from integrations.sandbox import server
from leads.models import Lead
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.concurrency import leads_reader, processes
from tests.integrations.linkedin.world import LinkedInWorld

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
LEADS, KILLS, CHUNK = 10_000, 20, 250
# Of the tests that die at a named point: all of them are in the first window that has any.
FEW = 20


@pytest.fixture
def running(settings: Any) -> Iterator[server.Running]:
    with server.start() as running:
        settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = running.url, [running.url]
        yield running


def seed(acme: Tenant, ana: Member, running: server.Running, count: int, days: tuple[int, int]) -> None:
    """So many leads at LinkedIn, sent between so and so many days ago, and a connection that has read none."""
    world = LinkedInWorld(acme, ana, running)
    begin, end = (datetime.now(UTC) - timedelta(days=ago) for ago in days)
    world.seed(generate=[{"form": 9, "count": count, "from": begin.isoformat(), "to": end.isoformat(), "campaign": 5}])
    world.connect(reads_a_year=True)


def test_workers_killed_at_random_moments_leave_a_sync_that_goes_on(
    acme: Tenant, ana: Member, running: server.Running
) -> None:
    seed(acme, ana, running, LEADS, (300, 0))

    def progress() -> int:
        with tenant_scope(acme):
            rows = LeadSubmission.objects.aggregate(stored=Count("pk"), done=Count("processed_at"))
        return (rows["stored"] + rows["done"]) // CHUNK

    workers = processes.killed_in_turns(
        lambda: processes.start(leads_reader.work, running.url, CHUNK),
        workers=1,
        rounds=KILLS,
        progress=progress,
        steps=(1, 3),
        total=2 * LEADS // CHUNK,
    )
    with processes.running(*workers):
        processes.until(lambda: is_over(acme), "the end of the run")
    with tenant_scope(acme):
        assert LeadSubmission.objects.filter(state="lead_created").count() == LEADS
        assert Contact.objects.aggregate(n=Count("email", distinct=True), all=Count("pk")) == {"n": LEADS, "all": LEADS}
        assert Lead.objects.count() == LEADS
        assert not LeadSubmission.objects.exclude(lead__contact=F("contact")).exists()
        told = Interaction.objects.filter(kind="linkedin.submitted")
        assert told.aggregate(n=Count("lead_id", distinct=True), all=Count("pk")) == {"n": LEADS, "all": LEADS}
        run = SyncRun.objects.get()
        assert (run.counts["new"], run.counts["lead_created"]) == (LEADS, LEADS)
        assert AdAccount.objects.get().is_backfilled


def die_before_storing(acme: Tenant, running: server.Running, guard: str = "") -> int:
    """A worker dies when it has read a window and is about to store it, another one ends the run; the leads made."""
    dying = processes.start(leads_reader.work, running.url, CHUNK, "integrations.linkedin.storing.store:before", guard)
    with processes.running(dying):
        assert processes.end_of(dying) == -SIGKILL
    with processes.running(processes.start(leads_reader.work, running.url, CHUNK, guard=guard)):
        processes.until(lambda: is_over(acme), "the end of the run")
    with tenant_scope(acme):
        return Lead.objects.count()


def test_a_window_that_was_read_and_not_stored_is_read_again(
    acme: Tenant, ana: Member, running: server.Running
) -> None:
    seed(acme, ana, running, FEW, (363, 357))
    assert die_before_storing(acme, running) == FEW


def test_control_when_a_window_is_noted_before_it_is_stored_its_leads_are_lost(
    acme: Tenant, ana: Member, running: server.Running
) -> None:
    seed(acme, ana, running, FEW, (363, 357))
    assert die_before_storing(acme, running, "stored-before-noted") == 0


def is_over(acme: Tenant) -> bool:
    with tenant_scope(acme):
        return SyncRun.objects.filter(state="done").exists()
