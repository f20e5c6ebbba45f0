"""P5: import people from a CSV file by the product's own command path; the floor is a COPY of the same rows and one
upsert."""

import csv
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil
from django.db import connection

from bench.data import Company
from bench.harness import Result, interleaved, rounds, timed
from contacts import findable, people
from leads.importing import running, starting
from tenants.models import Job, Tenant
from tenants.scope import tenant_scope

HEAD = ["E-Mail", "First name", "Last name", "Job title", "Company", "Country", "City", "Customer number"]
# Share of the rows that are about known contacts.
KNOWN = 5


def measure(company: Company, folder: Path) -> list[Result]:
    """A fifth of the rows is about known contacts; companies, consent, timeline and undo are written with all."""
    count, file, tenant = max(10_000, company.contacts), folder / "people.csv", company.tenant
    watch = _Watch(Tenant.objects.exclude(pk=tenant.pk).order_by("pk").first())
    costs: dict[str, list[float]] = {"floor": [], "product": []}
    jobs: list[Job] = []

    def floor() -> float:
        _write(file, count, f"floor{len(costs['floor'])}")
        with _Cost(costs["floor"]):
            return timed(lambda: _floor(tenant, file))

    def product() -> float:
        _write(file, count, f"import{len(costs['product'])}")
        jobs.append(_order(company, file))
        with watch, _Cost(costs["product"]):
            return timed(lambda: running.write(tenant.pk, jobs[-1]))

    product_s, floor_s = interleaved(floor, product, rounds(count))
    findable_s = timed(lambda: findable.catch_up(tenant.pk))
    return [
        Result("P5", "import of CSV rows", count, product_s, floor_s, "rows/s", wanted="ratio 4, 10,000/s"),
        Result("P5", "the same in processor time", count, median(costs["product"]), median(costs["floor"]), "rows/s",
               wanted="–"),
        Result("P5", "made findable afterwards", count * len(jobs), findable_s, None, "rows/s", wanted="–"),
        Result("P5", "memory at its peak", count, product_s, None, "MiB", rate=watch.peak, wanted="300 MiB"),
        Result("P5", "another company's write until readable, p95", len(watch.waits), product_s, None, "s",
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


class _Cost:
    """Adds the processor time that the work took of what cannot be done at once: the database's, and this thread's.

    What others do on the machine makes the work last longer, but does not change this.
    """

    def __init__(self, costs: list[float]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self._database = psutil.Process(cursor.fetchone()[0])
        self._costs, self._before = costs, 0.0

    def __enter__(self) -> None:
        self._before = self._now()

    def __exit__(self, *exception: object) -> None:
        self._costs.append(self._now() - self._before)

    def _now(self) -> float:
        times = self._database.cpu_times()
        return times.user + times.system + time.thread_time()


class _Watch:
    """Beside the import: the memory of this process, and how long another company waits until its row is readable."""

    def __init__(self, other: Tenant) -> None:
        self.peak, self.waits, self._other = 0.0, [], other
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "_Watch":
        self._is_over.clear()
        self._threads = [threading.Thread(target=work) for work in (self._remember, self._write)]
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
