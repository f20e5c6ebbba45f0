"""A first sync with LinkedIn whose workers are killed: nothing lost, nothing doubled."""

from datetime import UTC, datetime, timedelta
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


def test_workers_killed_at_random_moments_leave_a_sync_that_goes_on(acme: Tenant, ana: Member, settings: Any) -> None:
    with server.start() as running:
        settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = running.url, [running.url]
        world = LinkedInWorld(acme, ana, running)
        now = datetime.now(UTC)
        begin, end = (now - timedelta(days=300)).isoformat(), now.isoformat()
        world.seed(generate=[{"form": 9, "count": LEADS, "from": begin, "to": end, "campaign": 5}])
        world.connect(reads_a_year=True)

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


def is_over(acme: Tenant) -> bool:
    with tenant_scope(acme):
        return SyncRun.objects.filter(state="done").exists()
