"""`/healthz` and `/healthz/all`: green when all is well, and each check can turn red."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tenants.models import Heartbeat, Wakeup
from tenants.postgres import partitions
from tenants.tasks import beat


@pytest.fixture
def well(db):
    partitions.ensure()
    beat("beat", "worker")


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


@pytest.mark.parametrize("name", ["worker", "beat"])
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
