"""The tracking door under granian, with many visitors at once, while the database comes and goes."""

import http.client
import itertools
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from django.db import connection
from psycopg import sql

from messaging import tokens
from messaging.models import Hit
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests import server
from tests.runtime import stack

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
VISITORS = 12
# As many hits are answered before, while and after the database is away.
STRETCH = 600
URL = "https://shop.example/a?b=1"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


class Door:
    """The tracking door as `./onward run` starts it, in a checkout of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, stack.free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
        granian = ["granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(self.port), "--no-ws"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *granian, "--workers", "1", "--log-level", "warning", "config.asgi:application"],
            cwd=self.folder,
            env={**os.environ, "DATABASE_URL": address.geturl(), "LOG_LEVEL": "ERROR"},
            process_group=0,
        )
        stack.until(self.answers)

    def answers(self) -> bool:
        try:
            return ask(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5), "/healthz")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9 of granian and its worker."""
        if self.process is not None:
            with suppress(psutil.NoSuchProcess):
                for process in psutil.Process(self.process.pid).children(recursive=True):
                    process.kill()
            self.process.kill()
            self.process.wait()

    def spooled(self) -> bool:
        return any(path.stat().st_size for path in (self.folder / "var/hits").glob("*.jsonl"))


@pytest.fixture
def door(transactional_db: None) -> Iterator[Door]:
    with stack.checkout() as folder:
        door = Door(folder)
        door.start()
        yield door
        door.kill()


def ask(line: http.client.HTTPConnection, path: str) -> tuple[int, str | None]:
    line.request("GET", path, headers={"User-Agent": BROWSER})
    answer = line.getresponse()
    answer.read()
    return answer.status, answer.getheader("Location")


class Visitors:
    """They open and click for ever, each hit in a message of its own; one in twenty comes with a forged token."""

    def __init__(self, tenant: Tenant, port: int) -> None:
        self.tenant_id, self.port = tenant.pk, port
        self.answered: dict[int, str] = {}
        self.forged = 0
        self.wrong: list[str] = []
        self._numbers = itertools.count(1)
        self._is_over = threading.Event()

    @contextmanager
    def at_it(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._visit) for _ in range(VISITORS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            for thread in threads:
                thread.join(60)

    def go_on(self) -> None:
        """Wait until another stretch of hits has been answered."""
        goal = len(self.answered) + STRETCH
        stack.until(lambda: len(self.answered) >= goal or self.wrong)
        assert not self.wrong

    def _visit(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self._is_over.is_set():
            try:
                self._hit(line, next(self._numbers))
            except (OSError, http.client.HTTPException):
                line.close()  # the door was killed
                time.sleep(0.05)

    def _hit(self, line: http.client.HTTPConnection, number: int) -> None:
        kind = "click" if number % 2 else "open"
        token = (
            tokens.click_token(self.tenant_id, number, 3, 9, URL)
            if kind == "click"
            else tokens.open_token(self.tenant_id, number)
        )
        if number % 20 == 0:
            # The last character may hold bits that nobody reads; the first ones are the signature's or the body's.
            token = ("A" if token[0] != "A" else "B") + token[1:]
        path = f"/c/{token}" if kind == "click" else f"/o/{token}.gif"
        expected = (404, None) if number % 20 == 0 else (302, URL) if kind == "click" else (200, None)
        if (said := ask(line, path)) != expected:
            self.wrong.append(f"{path}: {said}")
        elif number % 20:
            self.answered[number] = kind
        else:
            self.forged += 1


def recorded(tenant: Tenant) -> Counter[tuple[int, str]]:
    with tenant_scope(tenant, read_only=True):
        return Counter(Hit.objects.values_list("message_id", "kind"))


def everything_is_kept(tenant: Tenant, visitors: Visitors) -> None:
    """What was answered is in the database, and nothing that was forged.

    What was under way when the database went may be there twice: one group, a hit of each visitor at most.
    """
    stack.until(lambda: set(visitors.answered.items()) <= set(recorded(tenant)))
    assert visitors.forged > 0
    assert sum(count > 1 for count in recorded(tenant).values()) <= VISITORS
    assert not [number for number, _kind in recorded(tenant) if number % 20 == 0]


@contextmanager
def refusing(tenant: Tenant) -> Iterator[None]:
    """Nobody gets into the database, and who is in is thrown out."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(os.environ[server.SUPERUSER_URL], dbname="postgres", autocommit=True) as superuser:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        superuser.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        own = connection.connection.info.backend_pid
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s", [name, own]
        )
        try:
            yield
        finally:
            superuser.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


@contextmanager
def hanging(tenant: Tenant) -> Iterator[None]:
    """The database takes what it is told and does not answer."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SET LOCAL transaction_timeout = 0")
        cursor.execute("LOCK TABLE messaging_hit IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.parametrize("away", [refusing, hanging])
def test_whatever_was_answered_is_kept_while_the_database_is_away(
    acme: Tenant, door: Door, away: Callable[[Tenant], Any]
) -> None:
    if server.SUPERUSER_URL not in os.environ:
        pytest.skip("needs the embedded PostgreSQL")
    visitors = Visitors(acme, door.port)
    with visitors.at_it():
        visitors.go_on()
        with away(acme):
            time.sleep(3)  # a few seconds
            visitors.go_on()
            assert door.spooled()
        visitors.go_on()
    everything_is_kept(acme, visitors)
    stack.until(lambda: not door.spooled())


def test_what_a_killed_door_has_answered_is_brought_in_by_the_next(acme: Tenant, door: Door) -> None:
    visitors = Visitors(acme, door.port)
    with visitors.at_it():
        visitors.go_on()
        with hanging(acme):
            visitors.go_on()
            door.kill()
        assert door.spooled()
        door.start()
        visitors.go_on()
    everything_is_kept(acme, visitors)
