"""The worker of a CRM is killed while it writes: every handoff makes one lead, whatever was on its way."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database

from contacts.models import Contact
from integrations.connections import verbs
from integrations.crm import outbox, setting_up
from integrations.models import Connection, CrmChange, Entity, RecordLink
from integrations.sandbox import server
from integrations.sandbox.dynamics.security import CLIENT_ID, CLIENT_SECRET, TENANT_ID
from leads.models import Lead
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.concurrency import processes, sellers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
State = CrmChange.State
HANDOFFS, KILLS, LEADS_EACH = 10_000, 20, 10


@pytest.fixture
def running(settings: Any) -> Iterator[server.Running]:
    with server.start() as running:
        settings.SANDBOX_ORIGINS = [running.url]
        yield running


def connect(acme: Tenant, ana: Member, running: server.Running) -> Connection:
    with tenant_scope(acme):
        made = verbs.add(
            "dynamics", "Dynamics", by=ana, is_sandbox=True,
            credentials={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
            settings={
                "environment_url": f"{running.url}/dynamics/crash", "tenant_id": TENANT_ID, "follow_up_days": None,
            },
        )  # fmt: skip
    world = running.world("dynamics", "crash")
    world.reset(7, None)
    world.limits.requests = 1_000_000
    setting_up.learn(made)
    return made


def hand_off(connection: Connection, count: int) -> None:
    """So many leads, some of each person, all of them handed to sales."""
    with database.cursor() as cursor:
        # Making ten thousand objects between two statements is idling, to the database.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL transaction_timeout = 0")
    people = Contact.objects.bulk_create(
        [Contact(email=f"p{n}@lead.example", last_name=f"P{n}") for n in range(count // LEADS_EACH)]
    )
    leads = Lead.objects.bulk_create(
        [Lead(topic=f"Pumps {n}", contact=people[n % len(people)], stage="handed_off") for n in range(count)]
    )
    outbox.order(
        CrmChange(
            connection=connection, key=f"handoff:{lead.pk}", kind=CrmChange.Kind.HANDOFF, entity=Entity.LEAD,
            object_id=lead.pk,
        )
        for lead in leads
    )  # fmt: skip


def fire(
    acme: Tenant, ana: Member, running: server.Running, folder: Path, count: int, kills: int, guard: str = ""
) -> None:
    """Hand leads over, kill the worker `kills` times at random moments of its work, and let the last one finish."""
    connection = connect(acme, ana, running)
    with tenant_scope(acme):
        hand_off(connection, count)
        verbs.activate(connection, by=ana)
    made = running.world("dynamics", "crash").organisation.rows.tables["lead"]
    rng = random.Random(11)
    worker = Worker(running, folder, guard)
    try:
        for _ in range(kills):
            goal = len(made) + rng.randint(count // (4 * kills), count // (2 * kills))
            processes.until(lambda: worker.is_ready() and len(made) >= goal, "some leads were made")  # noqa: B023
            time.sleep(rng.uniform(0, 0.02))
            worker.kill()
            worker = Worker(running, folder, guard)
        with tenant_scope(acme):
            assert CrmChange.objects.exclude(state=State.DONE).exists(), "there was work left at the last kill"
        processes.until(lambda: finished(acme, pause=0.1) == count, "all handed over")
    finally:
        worker.kill()


class Worker:
    """A worker process, which says when it has begun."""

    def __init__(self, running: server.Running, folder: Path, guard: str) -> None:
        self._ready = folder / uuid4().hex
        self._process = processes.start(sellers.work, running.url, self._ready, guard)

    def kill(self) -> None:
        processes.kill(self._process)

    def is_ready(self) -> bool:
        return self._ready.exists()


def finished(tenant: Tenant, pause: float) -> int:
    """How many handoffs are over; asked no more often than needed, the processors being the workers'."""
    time.sleep(pause)
    with tenant_scope(tenant):
        return CrmChange.objects.filter(state__in=(State.DONE, State.PARKED)).count()


def test_every_handoff_makes_one_lead_however_often_the_worker_is_killed(
    acme: Tenant, ana: Member, running: server.Running, tmp_path: Path
) -> None:
    fire(acme, ana, running, tmp_path, HANDOFFS, KILLS)
    theirs = [row.values for row in running.world("dynamics", "crash").organisation.rows.all("lead")]
    assert len(theirs) == HANDOFFS, "none is lost, none is doubled"
    with tenant_scope(acme):
        assert set(CrmChange.objects.values_list("state", flat=True)) == {State.DONE}
        links = dict(RecordLink.objects.filter(entity=Entity.LEAD).values_list("external_id", "uid"))
        assert {row["leadid"]: row["new_crmkey"] for row in theirs} == {key: str(uid) for key, uid in links.items()}
    people = running.world("dynamics", "crash").organisation.rows.all("contact")
    assert len(people) == HANDOFFS // LEADS_EACH
    assert {row["_parentcontactid_value"] for row in theirs} == {row.id for row in people}


def test_control_without_our_own_key_leads_are_doubled(
    acme: Tenant, ana: Member, running: server.Running, tmp_path: Path
) -> None:
    fire(acme, ana, running, tmp_path, 600, 2, "without-own-key")
    assert len(running.world("dynamics", "crash").organisation.rows.all("lead")) > 600
