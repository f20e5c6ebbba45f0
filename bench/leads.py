"""P13: a first sync with LinkedIn; the floor is its stand-in serving the same submissions, and one COPY of them."""

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
from django.conf import settings
from django.db import connection as database
from psycopg.types.json import Jsonb

from bench.data import Company
from bench.harness import Result, timed
from integrations.connections import verbs
from integrations.linkedin import api, oauth, restli, syncing
from integrations.linkedin.responses import milliseconds
from integrations.models import AdAccount, Connection, LeadSubmission
from tenants.models import Member, Tenant, User
from tenants.scope import tenant_scope

BACK = "http://127.0.0.1/back"
QUESTIONS = ["EMAIL", "FIRST_NAME", "LAST_NAME", "COMPANY_NAME", "JOB_TITLE", "PHONE_NUMBER"]
SEED: dict[str, Any] = {
    "app": {"asks": False},
    "accounts": [{"id": 1, "name": "Acme"}],
    "campaigns": [{"id": 5, "account": 1, "name": "Spring"}],
    "forms": [{"id": 9, "account": 1, "name": "Guide", "questions": QUESTIONS, "consents": ["Write to me"]}],
}
DAYS = 360


def measure(company: Company, folder: Path) -> list[Result]:
    """A company connects, and a year of submissions comes: each makes a contact, a lead and what is told of them."""
    count = max(5_000, company.contacts // 10)
    with _stand_in() as url:
        settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = url, [url]
        connection = _connection(company.tenant)
        world = _World(url, connection)
        end = datetime.now(UTC)
        start = end - timedelta(days=DAYS)
        generated = {"form": 9, "count": count, "from": start.isoformat(), "to": end.isoformat(), "campaign": 5}
        world.control("reset", {"seed": 1})
        world.control("seed", {**SEED, "generate": [generated]})
        _authorise(world, connection)
        floor = timed(lambda: _floor(company.tenant, world, connection, start, end))
        with _Memory() as memory:
            product = timed(lambda: syncing.sync(connection))
    with tenant_scope(company.tenant):
        found = LeadSubmission.objects.filter(connection=connection, state="lead_created").count()
    if found != count:
        raise RuntimeError(f"{found} of {count} submissions became leads")
    return [
        Result("P13", "submissions pulled, matched, made leads", count, product, floor, "rows/s", wanted="ratio 3"),
        Result("P13", "memory at its peak", count, product, None, "MiB", rate=memory.peak, wanted="300 MiB"),
    ]


@contextmanager
def _stand_in() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "integrations.sandbox", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the stand-in says nothing")
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def _connection(tenant: Tenant) -> Connection:
    user = User.objects.create_user("linkedin@bench.example", "secret")
    member = Member.objects.create(tenant=tenant, user=user, role=Member.Role.OWNER)
    app = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}
    with tenant_scope(tenant):
        connection = verbs.add("linkedin", "LinkedIn", by=member, credentials=app, is_sandbox=True)
        AdAccount.objects.create(connection=connection, external_id="1", is_chosen=True)
        verbs.activate(connection, by=member)
    return connection


def _authorise(world: "_World", connection: Connection) -> None:
    member = connection.created_by
    if member is None:
        raise RuntimeError("nobody has made the connection")
    target = urlsplit(oauth.authorise_url(connection, by=member, return_to=BACK))
    location, _body = world.ask("GET", f"{target.path}?{target.query}")
    given = parse_qs(urlsplit(location).query)
    oauth.finish(connection, by=member, return_to=BACK, code=given["code"][0], state=given["state"][0])


class _World:
    """The stand-in by one line that stays open: the fastest client there can be."""

    def __init__(self, url: str, connection: Connection) -> None:
        self.base = f"/linkedin/{connection.tenant_id}-{connection.pk}"
        place = urlsplit(url)
        self._line = http.client.HTTPConnection(place.hostname or "", place.port)

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[str, bytes]:
        self._line.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = self._line.getresponse()
        return answer.headers.get("Location", ""), answer.read()

    def control(self, verb: str, asked: Any) -> None:
        self.ask("POST", f"{self.base}/_ctl/{verb}", json.dumps(asked).encode())


def _floor(tenant: Tenant, world: _World, connection: Connection, start: datetime, end: datetime) -> None:
    """What any sync must do: have all pages served, and bring what is on them into a table."""
    with tenant_scope(tenant):
        token = Connection.objects.get(pk=connection.pk).token
    headers = {
        "Authorization": f"Bearer {token.reveal() if token else ''}",
        "LinkedIn_Version": settings.LINKEDIN_VERSION,
        "X_Restli_Protocol_Version": "2.0.0",
    }
    asked = {
        "q": "owner",
        "owner": {"sponsoredAccount": "urn:li:sponsoredAccount:1"},
        "leadType": {"leadType": "SPONSORED"},
        "submittedAtTimeRange": {"start": milliseconds(start), "end": milliseconds(end)},
        "fields": api.FIELDS,
        "count": api.PAGE,
    }
    with tenant_scope(tenant), database.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_timeout = 0")
        cursor.execute("CREATE TEMP TABLE floor (id text, element jsonb) ON COMMIT DROP")
        with cursor.copy("COPY floor FROM STDIN") as copy:
            page = 0
            while True:
                query = restli.query(**asked, start=page * api.PAGE)
                _location, body = world.ask("GET", f"{world.base}/rest/leadFormResponses?{query}", **headers)
                elements = json.loads(body)["elements"]
                if not elements:
                    break
                for element in elements:
                    copy.write_row((element["id"], Jsonb(element)))
                page += 1


class _Memory:
    """The memory of this process while something is done."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._remember)

    def __enter__(self) -> "_Memory":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _remember(self) -> None:
        process = psutil.Process()
        while not self._is_over.wait(0.1):
            self.peak = max(self.peak, process.memory_info().rss / 2**20)
