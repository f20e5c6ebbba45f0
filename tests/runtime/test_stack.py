"""`./onward run` with real processes, some killed on purpose."""

import os
import signal
import smtplib
from collections.abc import Iterator
from contextlib import suppress
from urllib.request import urlopen

import psutil
import psycopg
import pytest

from tests.runtime.stack import Installation, alive, checkout, installation, until

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    """One installation for all tests that need no other."""
    with installation() as made:
        yield made


@pytest.fixture
def running(installed: Installation) -> Installation:
    """The installation at work: started anew if the test before has ended it."""
    if installed.process is None or installed.has_ended():
        installed.forget_words()
        installed.start().wait_until_up()
    return installed


def test_the_sign_in_page_answers_and_every_part_is_well(running):
    status, page = running.get("/accounts/login/")
    assert status == 200
    assert "<form" in page
    until(running.is_well)


def test_the_mail_catcher_takes_mail(running):
    def takes_mail() -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", running.port + 25) as smtp:
                return smtp.noop()[0] == 250
        except OSError:
            return False

    until(takes_mail)


def test_the_sandbox_plays_the_partners(running):
    def answers() -> bool:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{running.port + 26}/dynamics/newcomer/", timeout=5) as page:
            return b"Sales side" in page.read()
        return False

    until(answers)


def test_secrets_and_sockets_are_for_the_owner_alone(running):
    var = running.folder / "var"
    assert (var / "env").stat().st_mode & 0o077 == 0
    assert (var / "run").stat().st_mode & 0o077 == 0


def test_a_second_start_of_the_same_checkout_is_refused(running):
    second = Installation(running.folder, running.port, {})
    words = len(running.said())
    second.start()
    assert second.process.wait(300) == 1
    assert running.said()[words:] == f"Onward is already being served from here, at http://127.0.0.1:{running.port}.\n"
    assert running.get("/healthz")[0] == 200


def test_a_port_in_use_is_named_with_a_start_that_works(running):
    with checkout() as folder:
        other = Installation(folder, running.port, {}).start()
        assert other.process.wait(300) == 1
        assert len(other.said().splitlines()) == 1
        assert f"Port {running.port} is in use: PORT=" in other.said()
        assert not (folder / "var" / "pg").exists()


@pytest.mark.parametrize(
    "words",
    [
        *(
            ("granian", "config.wsgi"),
            ("celery", "worker", "--concurrency"),
            ("celery", "caller@%h"),
            ("celery", "beat"),
        ),
        *(("catch_mail",), ("integrations.sandbox",), ("redis-server",)),
    ],
)
def test_a_killed_part_comes_back(running, words):
    victim = until(lambda: running.child(*words))
    victim.kill()
    back = until(lambda: (found := running.child(*words)) and found.pid != victim.pid and found)
    assert back.is_running()
    until(lambda: running.get("/healthz")[0] == 200)
    until(running.is_well)


def test_a_killed_database_comes_back(running):
    victim = running.child("postgres", "-D")
    victim.kill()
    until(lambda: (found := running.child("postgres", "-D")) and found.pid != victim.pid)
    until(running.is_well)


def test_what_waits_for_others_servers_is_worked_off_by_processes_of_its_own(running):
    with running.database() as database:
        tenant = add_company(database, "caller")
        database.execute("insert into tenants_wakeup (tenant_id, queue) values (%s, 'webhooks')", [tenant])
        until(
            lambda: database.execute("select count(*) from tenants_wakeup where queue = 'webhooks'").fetchone() == (0,)
        )


def test_it_can_be_stopped_while_it_starts():
    with installation() as made:
        made.start()
        until(lambda: (made.folder / "var" / "log" / "redis.log").exists())
        family = made.family()
        assert made.interrupt() == 0
        # What was being forked at that moment is killed by the kernel.
        until(lambda: not alive(family))


def test_without_redis_one_process_does_the_work_beside_another_checkout(running):
    with installation(ONWARD_NO_REDIS="1") as made:
        made.start().wait_until_up()
        assert "one process" in made.said()
        assert made.child("redis-server") is None
        assert made.child("celery") is None
        until(made.is_well)
        assert made.health()["broker"]["detail"].startswith("none")
        with made.database() as database:
            tenant = add_company(database, "acme")
            database.execute("insert into tenants_wakeup (tenant_id, queue) values (%s, 'reactor')", [tenant])
            until(lambda: database.execute("select count(*) from tenants_wakeup").fetchone() == (0,))
        assert running.get("/healthz")[0] == 200
        assert_stops_without_a_trace(made, signal.SIGTERM)


def test_children_do_not_outlive_a_killed_supervisor(running):
    family = running.family()
    running.process.kill()
    running.process.wait()
    until(lambda: not alive(family))


def test_everything_killed_at_once_starts_again_with_its_data_and_ctrl_c_leaves_no_process(running):
    with running.database() as database:
        add_company(database, "kept")
    secrets = (running.folder / "var" / "env").read_text()
    family = running.family()
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    running.process.wait()
    until(lambda: not alive(family))

    running.forget_words()
    running.start().wait_until_up()
    assert running.get("/healthz")[0] == 200
    with running.database() as database:
        assert ("kept",) in database.execute("select slug from tenants_tenant").fetchall()
    assert (running.folder / "var" / "env").read_text() == secrets
    until(running.is_well)
    assert_stops_without_a_trace(running, signal.SIGINT)


def add_company(database: psycopg.Connection, slug: str) -> int:
    return database.execute(
        "insert into tenants_tenant (slug, name, time_zone, country, currency, is_sample)"
        " values (%s, 'Kept', 'UTC', '', 'EUR', false) returning id",
        [slug],
    ).fetchone()[0]


def assert_stops_without_a_trace(made: Installation, signum: signal.Signals) -> None:
    family = made.family()
    assert len(family) > 8
    assert made.interrupt(signum) == 0
    # What was killed last may still be on its way out; nothing that goes on by itself would ever be gone.
    until(lambda: not alive(family))


def test_the_environment_may_name_other_servers():
    given = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    with installation(**given) as made:
        assert made.start().process.wait(300) == 1
        assert "Cannot connect to DATABASE_URL" in made.said()
        assert not (made.folder / "var" / "pg").exists()


def test_a_superuser_is_refused_with_the_statements_that_help():
    url = os.environ.get("TEST_SUPERUSER_URL")
    if not url:
        pytest.skip("needs the embedded PostgreSQL")
    with installation(DATABASE_URL=url) as made:
        assert made.start().process.wait(300) == 1
        assert "postgres, which is a superuser" in made.said()
        assert "CREATE ROLE onward LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS" in made.said()
        assert "OWNER TO onward" in made.said()
        assert len(made.said().splitlines()) == 1
