"""What an import costs a company of whose growth the statistics have not heard."""

from collections import Counter

import pytest
from django.db import connection

from contacts.models import Contact
from tenants.models import Tenant
from tenants.postgres.statistics import MANY
from tenants.scope import tenant_scope
from tests.leads.files import as_csv, imported

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = ("contacts_contact", "contacts_account", "contacts_consent")


def rows_read() -> Counter[str]:
    """How many rows of each table this connection has read lately, by whatever plan."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"
            " WHERE relname = ANY(%s)",
            [list(TABLES)],
        )
        return Counter(dict(cursor.fetchall()))


def fill(tenant: Tenant, count: int) -> None:
    """So many contacts, of a company each."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO contacts_account (name, name_key, domain, country, city, industry, phone, custom, is_active)
               SELECT 'c' || n, 'c' || n, 'c' || n || '.example', '', '', '', '', '{}', true
               FROM generate_series(1, %s) n""",
            [count],
        )
        Contact.objects.bulk_create(Contact(email=f"known{n}@c{n}.example") for n in range(count))


def test_a_company_that_the_statistics_do_not_know_is_not_read_once_per_row(acme: Tenant, rival: Tenant) -> None:
    fill(rival, 4 * MANY)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact, contacts_account, contacts_consent")
    fill(acme, MANY)
    before, count = rows_read(), 300
    rows = [[f"new{n}@c{n}.example", f"Company {n}"] for n in range(count)]
    assert imported(acme, as_csv([["mail", "company"], *rows]))["new"] == count
    read = rows_read() - before
    # A few looks at each person, and one at the company's rows to see that it has many.
    assert max(read.values()) <= 15 * count + 3 * MANY, read
