"""P5: import people from a CSV file by the product's own command path; the floor is a COPY of the same rows and one
upsert."""

import csv
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from django.db import connection

from bench.data import Company
from bench.harness import Result, timed
from contacts import people
from leads.importing import findable, running, starting
from tenants.models import Job, Tenant
from tenants.scope import tenant_scope

HEAD = ["E-Mail", "First name", "Last name", "Job title", "Company", "Country", "City", "Customer number"]
# Share of the rows that are about known contacts.
KNOWN = 5


def measure(company: Company, folder: Path) -> list[Result]:
    """A fifth of the rows is about known contacts; companies, consent, timeline and undo are written with all."""
    count = max(10_000, company.contacts)
    floor_file, file = folder / "floor.csv", folder / "people.csv"
    _write(floor_file, count, "floor")
    _write(file, count, "import")
    floor = timed(lambda: _floor(company.tenant, floor_file))
    job = _order(company, file)
    with _Watch(Tenant.objects.exclude(pk=company.tenant.pk).order_by("pk").first()) as watch:
        product = timed(lambda: running.write(company.tenant.pk, job))
        findable_s = timed(lambda: findable.run(company.tenant.pk, job.pk, None))
    return [
        Result("P5", "import of CSV rows", count, product, floor, "rows/s", wanted="ratio 4, 10,000/s"),
        Result("P5", "made findable afterwards", count, findable_s, None, "rows/s", wanted="–"),
        Result("P5", "memory at its peak", count, product, None, "MiB", rate=watch.peak, wanted="300 MiB"),
        Result("P5", "another company's write until readable, p95", len(watch.waits), product, None, "s",
               rate=watch.p95(), wanted="1 s"),
    ]  # fmt: skip


def _rows(count: int, tag: str) -> Iterator[list[str]]:
    for n in range(1, count + 1):
        known = n % KNOWN == 0
        address = f"p{n}@c{n % 1000}.example.com" if known else f"{tag}{n}@c{n % 5000}.example.com"
        yield [
            address, f"First{n % 500}", f"Last{n}", "Head of IT", f"Company {n % 5000}", "DE", "Berlin", f"{tag}-{n}",
        ]  # fmt: skip


def _write(path: Path, count: int, tag: str) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        writer.writerows(_rows(count, tag))


def _floor(tenant: Tenant, path: Path) -> None:
    """What any import must do: the bytes into a temporary table, and one upsert of contacts."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_timeout = 0")
        names = ("email", "first_name", "last_name", "job_title", "company", "country", "city", "external_id")
        cursor.execute(f"CREATE TEMP TABLE floor ({', '.join(f'{name} text' for name in names)}) ON COMMIT DROP")
        with cursor.copy("COPY floor FROM STDIN (FORMAT csv, HEADER)") as copy, path.open("rb") as file:
            while content := file.read(1 << 20):
                copy.write(content)
        cursor.execute(
            """INSERT INTO contacts_contact (email, first_name, last_name, sort_key, job_title, phone, country, city,
                 time_zone, language, linkedin_url, external_id, source, consent_level, do_not_email,
                 do_not_bulk_email, do_not_phone, do_not_track, custom, is_active)
               SELECT lower(email), first_name, last_name, lower(last_name || ' ' || first_name), job_title, '',
                 country, city, '', '', '', external_id, 'floor', 0, false, false, false, false, '{}', true FROM floor
               ON CONFLICT (tenant_id, email) WHERE is_active AND email <> '' DO UPDATE
               SET job_title = excluded.job_title, city = excluded.city, external_id = excluded.external_id,
                   updated_at = now()"""
        )


def _order(company: Company, path: Path) -> Job:
    """As `manage.py import_people` does."""
    tenant = company.tenant
    with tenant_scope(tenant), path.open("rb") as file:
        batch = starting.begin(file, path.name, "contact", tenant, by=None)
        starting.map_columns(batch, batch.mapping, by=None)
        starting.set_options(batch, {"purpose_id": company.purpose_id, "basis": "bench", "source": "bench"})
        return running.order(batch, running.RUN, None)


class _Watch:
    """Beside the import: the memory of this process, and how long another company waits until its row is readable."""

    def __init__(self, other: Tenant) -> None:
        self.peak, self.waits, self._other = 0.0, [], other
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._remember, self._write)]

    def __enter__(self) -> "_Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def p95(self) -> float:
        return sorted(self.waits)[int(len(self.waits) * 0.95)] if self.waits else 0.0

    def _remember(self) -> None:
        process = psutil.Process()
        while not self._is_over.wait(0.1):
            self.peak = max(self.peak, process.memory_info().rss / 2**20)

    def _write(self) -> None:
        while not self._is_over.wait(0.2):
            began = time.perf_counter()
            with tenant_scope(self._other), connection.cursor() as cursor:
                people.create_contact({"email": f"{time.time_ns()}@other.example"})
                cursor.execute("SELECT pg_current_xact_id()::text")
                xid = cursor.fetchone()[0]
            while not self._is_over.is_set():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT %s::xid8 < pg_snapshot_xmin(pg_current_snapshot())", [xid])
                    if cursor.fetchone()[0]:
                        self.waits.append(time.perf_counter() - began)
                        break
                time.sleep(0.02)
        connection.close()
