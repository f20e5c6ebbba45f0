from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.utils import timezone

from contacts.models import Contact
from integrations.models import Connection, LeadForm, LeadSubmission
from tenants import isolation
from tenants.models import Tenant
from tenants.postgres.base import is_tenants
from tenants.scope import tenant_scope
from tenants.unscoped import UNSCOPED

pytestmark = pytest.mark.django_db

# References that the database does not check, because they stand in tables that are written by the million; what takes
# the place of the check is said at the model. `tenant` alone: another, composite reference says the same.
UNCHECKED = {
    "contacts.Consent": {"tenant"},
    "contacts.ContactFacts": {"tenant"},
    "contacts.Interaction": {"tenant"},
    "contacts.SearchTerm": {"tenant"},
    "integrations.LeadSubmission": {"account", "campaign", "company", "contact", "form", "lead", "tenant", "version"},
    "journeys.Participant": {"tenant"},
    "journeys.Visit": {"tenant"},
    "leads.StageChange": {"tenant"},
    "messaging.Message": {"tenant", "contact", "email"},
    "scoring.Score": {"tenant", "model", "lead", "contact"},
    "scoring.ScoreEntry": {"tenant", "model", "lead", "contact", "rule"},
}


def test_every_table_and_partition_is_isolated() -> None:
    assert isolation.faults() == []


def test_the_walk_finds_an_unprotected_table_and_a_single_column_reference() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE stray (id bigint PRIMARY KEY, tenant_id bigint)")
        cursor.execute("ALTER TABLE contacts_account NO FORCE ROW LEVEL SECURITY")
    found = " ".join(isolation.faults())
    assert "table stray" in found
    assert "table contacts_account" in found


def test_the_walk_finds_an_index_that_row_level_security_never_uses() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX slow ON contacts_contact (tenant_id, (custom))")
    assert any("index slow uses jsonb_ops" in fault for fault in isolation.faults())


def test_check_isolation_walks_a_live_database(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_isolation")
    assert "isolated" in capsys.readouterr().out
    with connection.cursor() as cursor:
        cursor.execute("DROP POLICY tenant_isolation ON contacts_consent")
    with pytest.raises(CommandError, match="1 faults"):
        call_command("check_isolation")


def test_every_model_is_a_tenants_or_on_the_list() -> None:
    homeless = [m._meta.label for m in apps.get_models() if not is_tenants(m) and m._meta.db_table not in UNSCOPED]
    assert homeless == []


def test_every_reference_that_the_database_does_not_check_is_on_the_list() -> None:
    unchecked: dict[str, set[str]] = {}
    for model in filter(is_tenants, apps.get_models()):
        for field in model._meta.local_fields:
            if isinstance(field, models.ForeignKey) and not field.db_constraint:
                unchecked.setdefault(model._meta.label, set()).add(field.name)
    assert unchecked == UNCHECKED


@pytest.mark.parametrize("model", [label for label, names in UNCHECKED.items() if "contact" in names])
def test_an_unchecked_reference_to_another_tenants_row_leads_nowhere(acme: Tenant, rival: Tenant, model: str) -> None:
    with tenant_scope(rival):
        theirs = Contact.objects.create(first_name="Theirs")
    values: dict[str, Any] = {"key": "x"} if model == "messaging.Message" else {"model_id": 0}
    values |= {"points": 1} if model == "scoring.ScoreEntry" else {}
    with tenant_scope(acme):
        if model == "integrations.LeadSubmission":
            ours = Connection.objects.create(system="linkedin", name="L")
            values = {"connection": ours, "submitted_at": timezone.now()}
        row = apps.get_model(model).objects.create(contact_id=theirs.pk, **values)
        with pytest.raises(Contact.DoesNotExist):
            _ = row.contact
        assert not apps.get_model(model).objects.filter(contact__first_name="Theirs").exists()


def test_an_unchecked_form_of_another_tenant_leads_nowhere(acme: Tenant, rival: Tenant) -> None:
    with tenant_scope(rival):
        theirs = LeadForm.objects.create(connection=Connection.objects.create(system="linkedin", name="L"))
    with tenant_scope(acme):
        ours = Connection.objects.create(system="linkedin", name="L")
        row = LeadSubmission.objects.create(connection=ours, submitted_at=timezone.now(), form_id=theirs.pk)
        row.refresh_from_db()
        with pytest.raises(LeadForm.DoesNotExist):
            _ = row.form
        assert not LeadSubmission.objects.filter(form__connection__name="L").exists()


def test_no_many_to_many_field_of_a_tenants_model_makes_a_table_by_itself() -> None:
    automatic = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if is_tenants(model)
        for field in model._meta.local_many_to_many
        if field.remote_field.through._meta.auto_created
    ]
    assert automatic == []


def test_every_unscoped_table_exists_and_has_a_reason() -> None:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    assert set(UNSCOPED) <= tables
    assert all(UNSCOPED.values())


def test_no_index_is_expected_to_serve_a_pattern() -> None:
    """Django adds *_like indexes to indexed text columns; under row-level security they are dead weight."""
    text = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if is_tenants(model)
        for field in model._meta.local_fields
        if isinstance(field, models.CharField | models.TextField) and (field.db_index or field.unique)
    ]
    assert text == []
