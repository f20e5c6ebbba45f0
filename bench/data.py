"""The data set: one large tenant over a year, beside a thousand small ones. Written by the database itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from contacts.models import Purpose
from tenants.models import Tenant
from tenants.postgres import partitions
from tenants.scope import tenant_scope

CONTACTS, INTERACTIONS, LEADS, SMALL_TENANTS = 1_000_000, 10_000_000, 200_000, 1_000
# Rows per transaction: the product's own limit on a transaction is 60 s, also on a busy machine.
CHUNK = 100_000
KINDS = ("email.sent", "email.opened", "email.clicked", "page.visited", "form.submitted")


@dataclass(frozen=True)
class Company:
    """The large tenant, and how many rows it has."""

    tenant: Tenant
    contacts: int
    interactions: int
    leads: int
    purpose_id: int


def load(share: float) -> Company:
    """Load the data set at a share of its full size; rows are back-dated over a year, so that 13 partitions fill."""
    contacts, interactions, leads = (max(1_000, int(n * share)) for n in (CONTACTS, INTERACTIONS, LEADS))
    partitions.ensure_back_to(datetime.now(UTC) - timedelta(days=366))
    for number in range(max(10, int(SMALL_TENANTS * share))):
        Tenant.objects.create(slug=f"small-{number}", name=f"Small {number}")
    tenant = Tenant.objects.create(slug="large", name="Large")
    with tenant_scope(tenant):
        purpose = Purpose.objects.create(key="news", name="News", is_default=True)
    company = Company(tenant, contacts, interactions, leads, purpose.pk)
    _people(company)
    _timeline(company)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return company


def _people(company: Company) -> None:
    with tenant_scope(company.tenant), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO contacts_account (name, name_key, domain, country, city, industry, phone, custom, is_active)
               SELECT 'Company ' || n, 'company ' || n, 'c' || n || '.example.com', 'DE', '', '', '', '{}', true
               FROM generate_series(1, %s) n""",
            [max(100, company.contacts // 10)],
        )
    _in_chunks(
        company,
        company.contacts,
        """INSERT INTO contacts_contact (email, first_name, last_name, sort_key, job_title, phone, country, city,
               time_zone, language, linkedin_url, external_id, source, consent_level, do_not_email, do_not_bulk_email,
               do_not_phone, do_not_track, custom, is_active)
           SELECT 'p' || n || '@c' || n %% 1000 || '.example.com', 'First' || n %% 500, 'Last' || n,
               'last' || n || ' first',
               (ARRAY['Head of IT', 'Buyer', 'CEO', 'Engineer', 'Head of Operations'])[1 + n %% 5], '',
               (ARRAY['DE', 'GB', 'US', 'FR'])[1 + n %% 4], '', '', '', '', '', 'bench', 4, false, false, false, false,
               '{}', true
           FROM generate_series(%(first)s, %(last)s) n""",
    )
    _in_chunks(
        company,
        company.contacts,
        """INSERT INTO contacts_consent
               (contact_id, purpose_id, channel, address, state, level, basis, source, text_shown)
           SELECT id, %(purpose)s, 'email', email, 'granted', 4, 'bench', 'bench', ''
           FROM (SELECT id, email, row_number() OVER (ORDER BY id) AS n FROM contacts_contact) c
           WHERE n BETWEEN %(first)s AND %(last)s""",
    )
    _in_chunks(
        company,
        company.leads,
        """INSERT INTO leads_lead (topic, contact_id, first_name, last_name, email, phone, job_title, company, country,
               description, source, stage, stage_reason, grade, custom)
           SELECT 'Lead', id, '', '', '', '', job_title, '', '', '', 'bench', 'inquiry', '', '', '{}'
           FROM (SELECT id, job_title, row_number() OVER (ORDER BY id) AS n FROM contacts_contact) c
           WHERE n BETWEEN %(first)s AND %(last)s""",
    )


def _timeline(company: Company) -> None:
    """Interactions at pseudo-random moments of the last year; a contact gets about ten."""
    with tenant_scope(company.tenant), connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM contacts_contact")
        first_contact = cursor.fetchone()[0]
    _in_chunks(
        company,
        company.interactions,
        """INSERT INTO contacts_interaction (contact_id, as_contact_id, kind, object_id, lane, occurred_at, recorded_at)
           SELECT contact, contact, (%(kinds)s::text[])[1 + (hashint8(n) & 1023) %% 5], 1 + n %% 20, 'bulk', at, at
           FROM (SELECT n, %(first_contact)s + (hashint8(n * 7) & 2147483647)::bigint %% %(contacts)s AS contact,
                        now() - make_interval(secs => (hashint8(n * 13) & 2147483647)::bigint %% 31536000) AS at
                 FROM generate_series(%(first)s::bigint, %(last)s::bigint) n) made""",
        {"kinds": list(KINDS), "first_contact": first_contact, "contacts": company.contacts},
    )


def _in_chunks(company: Company, count: int, statement: str, params: dict[str, object] | None = None) -> None:
    for first in range(1, count + 1, CHUNK):
        with tenant_scope(company.tenant), connection.cursor() as cursor:
            last = min(count, first + CHUNK - 1)
            cursor.execute(statement, {**(params or {}), "purpose": company.purpose_id, "first": first, "last": last})


def read_all(company: Company) -> None:
    """Put every reader's cursor at the end: the loaded history counts as read."""
    from contacts.models.timeline import Lane
    from contacts.reactor import readers

    with tenant_scope(company.tenant), connection.cursor() as cursor:
        for reader in readers():
            cursor.execute(
                """INSERT INTO contacts_readercursor (reader, lane, xid, last_id, recorded_at)
                   SELECT %s, lane, pg_snapshot_xmin(pg_current_snapshot()), 0, now() FROM unnest(%s::text[]) lane
                   ON CONFLICT (tenant_id, reader, lane) DO UPDATE
                   SET xid = excluded.xid, last_id = 0, recorded_at = excluded.recorded_at""",
                [reader.name, list(Lane.values)],
            )
