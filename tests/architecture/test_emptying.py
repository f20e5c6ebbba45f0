"""What a test has committed is gone before the next one, whoever wrote it last."""

import os
import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from contacts import people
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests import emptying
from tests.concurrency import processes, threads
from tests.server import SUPERUSER_URL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def superuser() -> Iterator[psycopg.Connection]:
    url = os.environ.get(SUPERUSER_URL)
    if not url:
        pytest.skip("needs the embedded PostgreSQL")
    with psycopg.connect(url, dbname=str(connection.settings_dict["NAME"])) as opened:
        yield opened


def filled(superuser: psycopg.Connection) -> list[str]:
    """The tables that have rows."""
    names = superuser.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    ).fetchall()
    return [name for (name,) in names if superuser.execute(f"SELECT EXISTS (SELECT FROM {name})").fetchone() == (True,)]


@pytest.mark.parametrize("counted", ["nothing", "contacts_contact"])
def test_no_row_of_any_company_is_left(
    acme: Tenant, rival: Tenant, superuser: psycopg.Connection, counted: str
) -> None:
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            people.create_contact({"email": "amara@contoso.example"})
    if counted != "nothing":
        superuser.execute(f"ANALYZE {counted}")
        superuser.commit()
    assert {"contacts_contact", "tenants_tenant"} < set(filled(superuser))
    emptying.empty(superuser)
    superuser.commit()
    assert set(filled(superuser)) <= set(emptying.KEPT)
    assert ContentType.objects.exists()
    known = superuser.execute("SELECT reltuples FROM pg_class WHERE relname = 'contacts_contact'").fetchone()
    assert known == (-1,), "the planner knows nothing of what a test had counted"


def test_whoever_is_still_writing_ends_first(db: None, superuser: psycopg.Connection) -> None:
    began = threading.Event()

    def empty() -> None:
        assert began.wait(processes.PATIENCE)
        emptying.empty(superuser)
        superuser.commit()

    with threads.beside(empty), transaction.atomic():
        Tenant.objects.create(slug="late", name="Late")
        began.set()
        processes.until(processes.somebody_waits, "waiting for the writer")
    assert not Tenant.objects.exists()
