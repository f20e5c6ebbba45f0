import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from contacts.models import Account, Contact
from tenants.models import Tenant
from tenants.scope import OutsideTenantScope, current_tenant_id, tenant_scope


def test_a_scope_shows_one_tenants_rows(acme: Tenant, rival: Tenant) -> None:
    with tenant_scope(acme):
        Account.objects.create(name="Ours", name_key="ours")
    with tenant_scope(rival):
        assert Account.objects.count() == 0


def test_raw_sql_sees_one_tenant(acme: Tenant, rival: Tenant) -> None:
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            Account.objects.create(name=tenant.name, name_key=tenant.slug)
    with tenant_scope(rival), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM contacts_account")
        assert cursor.fetchall() == [("Rival",)]


@pytest.mark.django_db(transaction=True)
def test_outside_a_scope_a_query_raises_on_a_fresh_and_on_a_used_connection(acme: Tenant) -> None:
    connection.close()
    with pytest.raises(OutsideTenantScope):
        Account.objects.count()
    with tenant_scope(acme):
        assert Account.objects.count() == 0
    with pytest.raises(OutsideTenantScope):
        Account.objects.count()


def test_nested_scopes_restore_the_outer_tenant_also_after_an_error(acme: Tenant, rival: Tenant) -> None:
    with tenant_scope(acme):
        with tenant_scope(rival):
            assert current_tenant_id() == rival.pk
        assert current_tenant_id() == acme.pk
        with pytest.raises(ZeroDivisionError), tenant_scope(rival):
            _ = 1 / 0
        assert current_tenant_id() == acme.pk


def test_a_row_of_another_tenant_cannot_be_written(acme: Tenant, rival: Tenant) -> None:
    with tenant_scope(acme), pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        Account.objects.create(name="x", name_key="x", tenant_id=rival.pk)


@pytest.mark.django_db(transaction=True)
def test_a_reference_across_tenants_is_refused_by_the_database(acme: Tenant, rival: Tenant) -> None:
    with tenant_scope(rival):
        stolen = Account.objects.create(name="Theirs", name_key="theirs")
    with pytest.raises(IntegrityError, match="foreign key"), tenant_scope(acme):
        Contact.objects.create(first_name="Eve", account_id=stolen.pk)


@pytest.mark.django_db(transaction=True)
def test_a_read_only_scope_refuses_writes(acme: Tenant) -> None:
    with pytest.raises(DatabaseError, match="read-only"), tenant_scope(acme, read_only=True):
        Account.objects.create(name="x", name_key="x")
