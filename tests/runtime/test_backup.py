"""Backup and restore: everything comes back, also into a cluster that has seen fewer transactions."""

import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config import embedded
from contacts import reactor, timeline
from contacts.management.commands import restore
from contacts.models import Contact
from contacts.reactor import Reader
from contacts.timeline import Kind
from tenants import wakeups
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests import server

# More transactions than a new cluster has seen.
TRANSACTIONS = 1_500

timeline.register(Kind("backup.noted", title="Noted", icon="bolt", sentence="noted {what}"))


@pytest.fixture
def read(monkeypatch):
    """What a reader has read, in order."""
    seen: list[str] = []
    reader = Reader("scores", run=lambda batch: seen.extend(fact.detail["what"] for fact in batch.rows))
    monkeypatch.setattr(reactor, "_readers", {"scores": reader})
    return seen


def note(tenant, what: str) -> None:
    with tenant_scope(tenant):
        timeline.record("backup.noted", detail={"what": what})


def of_tests(url: str) -> str:
    """The tests' database at another role's address."""
    return make_conninfo(url, dbname=connection.settings_dict["NAME"])


@pytest.fixture
def superuser_url(transactional_db) -> str:
    """The tests' database, for a role that may see all of it."""
    if server.SUPERUSER_URL not in os.environ:
        pytest.skip("needs the embedded PostgreSQL")
    return of_tests(os.environ[server.SUPERUSER_URL])


@pytest.fixture
def younger(transactional_db, monkeypatch, settings):
    """Call it to have Django talk to a new, empty cluster."""
    with embedded.throwaway_postgres() as postgres:

        def move() -> None:
            connection.close()
            options = conninfo_to_dict(postgres.url())
            monkeypatch.setitem(connection.settings_dict, "NAME", options["dbname"])
            monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"host": options["host"], "port": options["port"]})
            settings.BACKUP_DATABASE_URL = postgres.url(embedded.SUPERUSER)

        yield move
        connection.close()
        monkeypatch.undo()


def test_what_was_unread_is_read_once_after_a_restore_into_a_younger_cluster(
    acme, rival, read, younger, superuser_url, settings, tmp_path: Path
):
    settings.BACKUP_DATABASE_URL = superuser_url
    with tenant_scope(acme):
        Contact.objects.create(first_name="Eva")
    note(acme, "read before")
    wakeups.run_due()
    for number in range(TRANSACTIONS):
        note(acme, str(number))
    note(rival, "of the other")
    call_command("backup", str(tmp_path / "dump"))
    assert (tmp_path / "dump").stat().st_mode & 0o077 == 0
    read.clear()

    younger()
    call_command("restore", str(tmp_path / "dump"))
    with tenant_scope(Tenant.objects.get(slug="acme")):
        assert [contact.first_name for contact in Contact.objects.all()] == ["Eva"]
    note(Tenant.objects.get(slug="acme"), "after")
    wakeups.run_due()
    mine = [what for what in read if what != "of the other"]
    assert mine == [*map(str, range(TRANSACTIONS)), "after"]
    assert read.count("of the other") == 1
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_class where relforcerowsecurity and relname = 'contacts_interaction'")
        assert cursor.fetchone() == (1,)


def test_control_without_renumbering_readers_stop_and_say_why(
    acme, read, younger, superuser_url, settings, tmp_path: Path, monkeypatch
):
    settings.BACKUP_DATABASE_URL = superuser_url
    for number in range(TRANSACTIONS):
        note(acme, str(number))
    wakeups.run_due()
    note(acme, "unread")
    call_command("backup", str(tmp_path / "dump"))
    read.clear()

    younger()
    monkeypatch.setattr(restore, "rebase_timeline", lambda: False)
    call_command("restore", str(tmp_path / "dump"))
    again = Tenant.objects.get(slug="acme")
    note(again, "after")
    assert wakeups.due() == [(again.pk, "reactor")], "the announcement of this cluster's own fact"
    with pytest.raises(reactor.RestoredIntoYoungerCluster, match=r"run manage\.py restore"):
        reactor.react(again.pk, float("inf"))
    assert read == []


def test_a_restore_does_not_replace_companies_unless_told(acme, superuser_url, settings, tmp_path: Path):
    settings.BACKUP_DATABASE_URL = superuser_url
    call_command("backup", str(tmp_path / "dump"))
    Tenant.objects.create(slug="later", name="Later")
    with pytest.raises(CommandError, match="--replace"):
        call_command("restore", str(tmp_path / "dump"))
    call_command("restore", str(tmp_path / "dump"), replace=True)
    assert list(Tenant.objects.values_list("slug", flat=True)) == ["acme"]


def test_a_broken_file_changes_nothing(acme, superuser_url, settings, tmp_path: Path):
    settings.BACKUP_DATABASE_URL = superuser_url
    call_command("backup", str(tmp_path / "dump"))
    whole = (tmp_path / "dump").read_bytes()
    (tmp_path / "half").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", str(tmp_path / "half"), replace=True)
    assert Tenant.objects.get().slug == "acme"


def test_a_role_that_sees_one_company_at_most_makes_no_backup(transactional_db, settings, tmp_path: Path):
    with pytest.raises(CommandError, match="BACKUP_DATABASE_URL"):
        call_command("backup", str(tmp_path / "dump"))
    settings.BACKUP_DATABASE_URL = of_tests(os.environ["DATABASE_URL"])
    with pytest.raises(CommandError, match="row-level security"):
        call_command("backup", str(tmp_path / "dump"))
    assert list(tmp_path.iterdir()) == []
