import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, models

from tenants import isolation
from tenants.postgres.base import is_tenants
from tenants.unscoped import UNSCOPED

pytestmark = pytest.mark.django_db


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
