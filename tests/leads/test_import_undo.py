"""Taking an import back: the database is as it was, but for what somebody has changed since, which is listed."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from contacts import consent, people
from contacts.models import Account, Contact, Purpose
from leads import lifecycle
from leads.importing import undoing
from leads.models import Lead
from leads.models.imports import Import, ImportPiece
from tenants import jobs, wakeups
from tenants.models import Job, Tenant
from tenants.postgres.base import is_tenants
from tenants.scope import tenant_scope
from tests.leads.files import PEOPLE, as_csv, begin, go

pytestmark = pytest.mark.django_db(transaction=True)
# What tells of the import and of its undoing, and what readers compute.
ASIDE = {
    "leads_import", "leads_importpiece", "leads_importmapping", "tenants_job", "tenants_file", "tenants_filepiece",
    "tenants_audit", "tenants_notification", "contacts_readercursor", "contacts_interaction", "contacts_contactfacts",
}  # fmt: skip
HEAD = [*PEOPLE[0], "subject"]
ROWS = [
    HEAD,
    ["amara@contoso.example", "Amara", "Okafor", "Contoso GmbH", "CIO", "Pumps"],
    ["jonas@contoso.example", "Jonas", "Lindqvist", "Contoso", "CEO", "Valves"],
    ["wei@fabrikam.example", "Wei", "Chen", "Fabrikam", "Buyer", "Pipes"],
    ["wei@fabrikam.example", "Wei", "Chen", "Fabrikam", "CFO", "Pipes again"],
]


def everything(tenant: Tenant) -> dict[str, list[str]]:
    """Every row of every table of the tenant, as text, but for what is aside; and the timeline as far as it tells."""
    found = {}
    with tenant_scope(tenant), connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            if is_tenants(model) and table not in ASIDE:
                cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t ORDER BY 1')
                found[table] = [without_id(row) for (row,) in cursor.fetchall()]
        cursor.execute(
            "SELECT kind, contact_id::text FROM contacts_interaction WHERE kind <> 'contact.changed' ORDER BY id"
        )
        found["timeline"] = [f"{kind} {contact_id}" for kind, contact_id in cursor.fetchall()]
    return found


def without_id(row: str) -> str:
    """The words of an index have ids of their own that mean nothing."""
    values = json.loads(row)
    if "term" in values:
        del values["id"]
    return json.dumps(values, sort_keys=True)


@pytest.fixture
def known(acme: Tenant) -> Contact:
    """Amara, known before, and a purpose."""
    with tenant_scope(acme):
        Purpose.objects.create(key="news", name="News", is_default=True)
        account = people.create_account({"name": "Contoso", "domain": "contoso.example"})
        return people.create_contact({"email": "amara@contoso.example", "job_title": "Buyer"}, account=account)


def answers(tenant: Tenant) -> dict[str, Any]:
    with tenant_scope(tenant):
        return {"purpose_id": Purpose.objects.get().pk, "basis": "fair"}


def undo(tenant: Tenant, batch: Import) -> list[list[Any]]:
    """Take an import back; what was left."""
    with tenant_scope(tenant):
        assert batch.job
        job = undoing.order(batch.job, None)
    assert undoing.run(tenant.pk, job.pk, None)
    with tenant_scope(tenant):
        return [row for piece in ImportPiece.objects.filter(is_trial=False).order_by("position") for row in piece.kept]


@pytest.mark.parametrize("size", [2, 5_000])
def test_the_database_is_as_before(acme: Tenant, known: Contact, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("leads.importing.pieces.SIZE", size)
    before = everything(acme)
    batch = begin(acme, as_csv(ROWS), **answers(acme))
    go(acme, batch)
    wakeups.run_due(20)
    assert everything(acme) != before
    assert undo(acme, batch) == []
    wakeups.run_due(20)
    after = everything(acme)
    assert {table: rows for table, rows in after.items() if rows != before[table]} == {}
    with tenant_scope(acme):
        batch.refresh_from_db()
        assert batch.state == Import.State.UNDONE


def test_what_was_changed_since_stays_and_is_listed(acme: Tenant, known: Contact) -> None:
    batch = begin(acme, as_csv(ROWS), **answers(acme))
    go(acme, batch)
    with tenant_scope(acme):
        people.update_contact(known, {"job_title": "Board"})
        jonas = Contact.objects.get(email="jonas@contoso.example")
        people.update_contact(jonas, {"city": "Bonn"})
    kept = undo(acme, batch)
    assert {(entity, pk) for entity, pk, _name, _why in kept} == {("contact", known.pk), ("contact", jonas.pk)}
    with tenant_scope(acme):
        job = Job.objects.get(kind=undoing.KIND)
        [download] = jobs.kinds.of(job).downloads(job)
    lines = list(download.lines(job))
    assert len(lines) == 3
    assert "Contact,Jonas Lindqvist,it was changed" in lines[2]
    with tenant_scope(acme):
        assert set(Contact.objects.values_list("email", "job_title")) == {
            ("amara@contoso.example", "Board"), ("jonas@contoso.example", "CEO"),
        }  # fmt: skip
        assert not Lead.objects.exists()
        assert not Account.objects.filter(name="Fabrikam").exists()


def test_a_lead_that_somebody_works_on_stays_with_its_contact(acme: Tenant, known: Contact, sam: Any) -> None:
    batch = begin(acme, as_csv(ROWS))
    go(acme, batch)
    with tenant_scope(acme):
        lead = Lead.objects.select_related("contact").get(topic="Pipes")
        lifecycle.hand_off(lead, member=sam, by=sam)
    kept = {(entity, pk) for entity, pk, _name, _why in undo(acme, batch)}
    with tenant_scope(acme):
        account = Account.objects.get(name="Fabrikam")
        assert kept == {("lead", lead.pk), ("contact", lead.contact_id), ("account", account.pk)}
        assert Lead.objects.get() == lead


def test_a_consent_on_whose_strength_mail_was_sent_stays(acme: Tenant, known: Contact) -> None:
    from contacts import timeline

    batch = begin(acme, as_csv(ROWS), **answers(acme))
    go(acme, batch)
    with tenant_scope(acme):
        timeline.record("email.sent", contact=known, object_id=1, detail={"email": "News"})
    undo(acme, batch)
    with tenant_scope(acme):
        assert [state.may_mail for state in consent.state_of(known)] == [True]


def test_an_undo_that_was_cancelled_can_be_gone_on_with(
    acme: Tenant, known: Contact, sam: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leads.importing.pieces.SIZE", 1)
    before = everything(acme)
    batch = begin(acme, as_csv(ROWS))
    go(acme, batch)
    with tenant_scope(acme):
        assert batch.job
        job = undoing.order(batch.job, sam)
    assert not undoing.run(acme.pk, job.pk, 0), "one piece is taken back, then the deadline has come"
    with tenant_scope(acme):
        assert jobs.cancel(job, by=sam)
    assert undo(acme, batch) == []
    assert everything(acme) == before
