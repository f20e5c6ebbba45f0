"""`/healthz` and `/healthz/all`: green when all is well, and each check can turn red."""

import os
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from config import health
from contacts.models import Contact
from messaging.tracking import store
from segments import following
from segments.models import Segment
from tenants import housekeeping, wakeups
from tenants.models import Heartbeat, Wakeup
from tenants.postgres import partitions
from tenants.scope import tenant_scope
from tenants.tasks import beat
from tests import server


@pytest.fixture
def well(db):
    partitions.ensure()
    beat("beat", "worker", "caller")


def findings(client, expected_status):
    answer = client.get("/healthz/all")
    assert answer.status_code == expected_status
    return {name: finding["ok"] for name, finding in answer.json()["checks"].items()}


@pytest.mark.django_db
def test_a_process_with_a_database_is_alive(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_a_process_without_its_database_says_503_and_no_more(client, monkeypatch, django_db_blocker):
    monkeypatch.setitem(connection.settings_dict, "NAME", "no_such_database")
    with django_db_blocker.unblock():
        connection.close()
        answer = client.get("/healthz")
        everything = client.get("/healthz/all")
        connection.close()
    assert (answer.status_code, answer.content) == (503, b"the database does not answer")
    assert everything.status_code == 503
    assert "no_such_database" not in everything.content.decode()


def test_all_is_well(client, well):
    assert all(findings(client, 200).values())


@pytest.mark.parametrize("name", ["worker", "caller", "beat"])
def test_a_silent_process_is_noticed(client, well, name):
    Heartbeat.objects.filter(pk=name).update(at=timezone.now() - timedelta(minutes=5))
    assert not findings(client, 503)[name]
    Heartbeat.objects.filter(pk=name).delete()
    assert not findings(client, 503)[name]


def test_work_that_waits_is_noticed(client, well, acme):
    Wakeup.objects.create(tenant=acme, queue="mail", due_at=timezone.now() + timedelta(hours=1))
    assert findings(client, 200)["queues"]
    Wakeup.objects.create(tenant=acme, queue="mail", due_at=timezone.now() - timedelta(minutes=5))
    assert not findings(client, 503)["queues"]


def test_missing_partitions_are_noticed(client, well, monkeypatch):
    monkeypatch.setattr(partitions, "MONTHS_AHEAD_MINIMUM", 12)
    assert not findings(client, 503)["partitions"]


def test_a_broker_that_is_away_is_noticed(client, well, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert not findings(client, 503)["broker"]


def test_a_broker_that_answers_is_well(client, well, settings, redis_server):
    settings.REDIS_URL = redis_server.url
    assert findings(client, 200)["broker"]


def others_session(whose):
    if whose == "the product's":
        return psycopg.connect(**store.connection_values())
    if server.SUPERUSER_URL not in os.environ:
        pytest.skip("the tests' server is somebody else's")
    return psycopg.connect(os.environ[server.SUPERUSER_URL])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whose", ["the product's", "a superuser's"])
def test_a_transaction_that_holds_the_readers_back_is_named(client, well, monkeypatch, whose):
    with others_session(whose) as other:
        other.execute("SELECT pg_current_xact_id()")
        assert findings(client, 200)["oldest_transaction"]
        monkeypatch.setattr(health, "OLDEST_TRANSACTION", timedelta(0))
        assert not findings(client, 503)["oldest_transaction"]
        detail = client.get("/healthz/all").json()["checks"]["oldest_transaction"]["detail"]
        assert f"process {other.info.backend_pid}" in detail
        other.rollback()


def test_fewer_than_two_months_of_partitions_ahead_are_noticed(client, well):
    assert findings(client, 200)["partitions"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'contacts_interaction'::regclass"
            " ORDER BY 1 DESC LIMIT 2"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {table}")
    assert not findings(client, 503)["partitions"]


@pytest.mark.django_db(transaction=True)
def test_a_queue_whose_work_fails_again_and_again_is_noticed_although_it_never_waits_long(client, well, acme):
    Wakeup.objects.create(tenant=acme, queue="reactor", due_at=timezone.now() - timedelta(seconds=1))
    for _ in range(3):
        try:
            raise RuntimeError("restored into a younger cluster")
        except RuntimeError:
            wakeups.set_back(acme.pk, "reactor")
        Wakeup.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    found = findings(client, 200)
    assert (found["queues"], found["failures"]) == (True, True)
    Wakeup.objects.update(failed_since=timezone.now() - timedelta(minutes=3))
    wakeups.set_back(acme.pk, "reactor")
    found = findings(client, 503)
    assert (found["queues"], found["failures"]) == (True, False)
    Wakeup.objects.all().delete()
    assert findings(client, 200)["failures"]


@pytest.mark.parametrize(
    ("checked", "drifted", "is_well"),
    [(None, None, True), (1, None, True), (1, 25, True), (25, 24, False), (72, None, False)],
)
def test_what_the_nightly_check_of_segments_corrects_is_an_error_until_a_check_finds_nothing(
    client, well, checked, drifted, is_well
):
    for name, hours in ((health.SEGMENTS_CHECK, checked), (following.DRIFT, drifted)):
        if hours is not None:
            Heartbeat.objects.create(name=name, at=timezone.now() - timedelta(hours=hours))
    assert findings(client, 200 if is_well else 503)["segments"] is is_well


@pytest.mark.django_db(transaction=True)
def test_drift_that_a_real_check_finds_shows(client, well, acme):
    with tenant_scope(acme):
        Segment.objects.create(name="Everybody", state="live", rule={})
        Contact.objects.create(first_name="Behind the product's back")
    housekeeping.run()
    wakeups.run_due()
    assert not findings(client, 503)["segments"]
