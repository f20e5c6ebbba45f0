"""Connections: their states, their tokens, their runs, and what the owners are told."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from integrations.client import NeedsAuthorisation
from integrations.connections import expiring, runs, tokens, verbs
from integrations.connections.tokens import Granted, Tokens
from integrations.models import Connection, SyncRun
from integrations.systems import System, systems
from tenants.models import Member, Notification, Tenant
from tenants.scope import tenant_scope

SECRET = "s3cret-of-the-app"


@pytest.fixture(autouse=True)
def system() -> Iterator[None]:
    before = dict(systems._systems)
    systems.add(System("test", "Test system", "plug", "For tests.", "integrations:index", "tenants:job", "timeline"))
    yield
    systems._systems = before


def connect(acme: Tenant, ana: Member, **values: Any) -> Connection:
    with tenant_scope(acme):
        row = verbs.add("test", "Our account", by=ana, credentials={"id": "7", "secret": SECRET})
        Connection.objects.filter(pk=row.pk).update(**values)
        row.refresh_from_db()
    return row


def told(acme: Tenant) -> list[str]:
    with tenant_scope(acme):
        return list(Notification.objects.filter(kind="connection").values_list("title", flat=True))


def state(acme: Tenant, row: Connection) -> str:
    with tenant_scope(acme):
        return Connection.objects.get(pk=row.pk).state


@pytest.mark.django_db
def test_secrets_are_readable_to_nobody_but_the_caller(acme: Tenant, ana: Member) -> None:
    row = connect(acme, ana)
    with tenant_scope(acme), database.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM integrations_connection c")
        assert SECRET not in cursor.fetchone()[0]
    assert SECRET not in repr(row.__dict__)
    assert verbs.secrets_of(row)["secret"] == SECRET


@pytest.mark.django_db
def test_a_connection_that_is_refused_stops_and_its_owners_are_told_once(acme: Tenant, ana: Member) -> None:
    row = connect(acme, ana, state="active", next_sync_at=timezone.now())
    with tenant_scope(acme):
        verbs.need_authorisation(row, "401: revoked")
        verbs.need_authorisation(row, "401: revoked")
    with tenant_scope(acme):
        row.refresh_from_db()
    assert (row.state, row.reason, row.next_sync_at) == ("needs_authorisation", "401: revoked", None)
    assert told(acme) == ["Our account needs to be authorised again"]


@pytest.mark.django_db
def test_a_draft_that_is_refused_stays_one_and_nobody_is_told(acme: Tenant, ana: Member) -> None:
    """Whoever sets it up sees the error on the page; there is nothing to be authorised again."""
    row = connect(acme, ana)
    with tenant_scope(acme):
        verbs.need_authorisation(row, "401: wrong secret")
        verbs.stop(row, "426: the version has ended")
    assert state(acme, row) == "draft"
    assert told(acme) == []


@pytest.mark.django_db
def test_owners_are_warned_once_before_an_authorisation_ends(acme: Tenant, ana: Member) -> None:
    soon = timezone.now() + timedelta(days=13)
    connect(acme, ana, state="active", authorisation_ends_at=soon)
    connect(acme, ana, state="active", authorisation_ends_at=soon + timedelta(days=2))
    connect(acme, ana, state="active")
    expiring.warn_all()
    expiring.warn_all()
    assert told(acme) == ["Our account has to be authorised again soon"]


@pytest.mark.django_db(transaction=True)
def test_eight_workers_with_a_refused_token_fetch_one_new_one(acme: Tenant, ana: Member) -> None:
    row = connect(acme, ana, state="active")
    with tenant_scope(acme):
        tokens.keep(row, Granted("old", timezone.now() + timedelta(hours=1)))
    fetched: list[int] = []

    def fetch(_connection: Connection) -> Granted:
        assert not database.in_atomic_block
        fetched.append(1)
        return Granted(f"new-{len(fetched)}", timezone.now() + timedelta(hours=1))

    def renew(_n: int) -> str:
        try:
            return Tokens(row, fetch).renew("old")
        finally:
            database.close()

    with ThreadPoolExecutor(8) as workers:
        assert set(workers.map(renew, range(8))) == {"new-1"}
    assert fetched == [1]


@pytest.mark.django_db(transaction=True)
def test_a_token_is_fetched_before_it_ends_and_a_refusal_is_noted(acme: Tenant, ana: Member) -> None:
    row = connect(acme, ana, state="active")
    with tenant_scope(acme):
        tokens.keep(row, Granted("old", timezone.now() + timedelta(seconds=30), "again"))
    new = Granted("new", timezone.now() + timedelta(hours=1))
    assert Tokens(row, lambda c: new).token() == "new"
    assert Tokens(row, lambda c: pytest.fail("it is fresh")).token() == "new"

    def refuse(connection: Connection) -> Granted:
        assert connection.refresh_token.reveal() == "again"
        raise NeedsAuthorisation("The grant has been revoked.")

    with pytest.raises(NeedsAuthorisation):
        Tokens(row, refuse).renew("new")
    assert state(acme, row) == "needs_authorisation"


@pytest.mark.django_db
def test_a_token_is_looked_up_once_for_many_calls_until_it_is_refused(
    acme: Tenant, ana: Member, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(tokens, "HELD", math.inf)
    row = connect(acme, ana, state="active")
    authoriser = Tokens(row, lambda c: pytest.fail("another worker has fetched one"))
    for token in ("old", "new"):
        with tenant_scope(acme):
            tokens.keep(row, Granted(token, timezone.now() + timedelta(hours=1)))
        if token == "old":
            assert authoriser.token() == "old"
    with django_assert_num_queries(0):
        assert authoriser.token() == "old"
    assert authoriser.renew("old") == "new"
    assert authoriser.token() == "new"


@pytest.mark.django_db
def test_a_run_that_was_killed_is_taken_up_by_the_next(acme: Tenant, ana: Member) -> None:
    row = connect(acme, ana)
    with tenant_scope(acme):
        first = runs.begin(row, "pull", by=ana)
        runs.count(first, {"new": 2})
        again = runs.begin(row, "pull")
        runs.count(again, {"new": 1, "changed": 4})
        runs.finish(again)
        runs.fail(runs.begin(row, "pull"), "503")
        found = [(run.state, run.counts, run.error) for run in runs.of(row)]
    assert found == [("failed", {}, "503"), ("done", {"new": 3, "changed": 4}, "")]


@pytest.mark.django_db
def test_the_other_side_is_told_of_a_removal_and_its_refusal_holds_nothing_up(acme: Tenant, ana: Member) -> None:
    row = connect(acme, ana, state="active")

    def part(connection: Connection) -> None:
        with tenant_scope(acme):
            verbs.need_authorisation(connection, "401: revoked")
        raise NeedsAuthorisation("401: revoked")

    systems.add(replace(systems.of("test"), part=part))
    verbs.remove(row, by=ana)
    with tenant_scope(acme):
        assert not Connection.objects.exists()
    assert told(acme) == []


@pytest.mark.django_db
def test_the_page_lists_systems_and_connections(acme: Tenant, ana: Member, client: Client) -> None:
    row = connect(acme, ana, state="stopped", reason="426: the version has ended")
    client.force_login(ana.user)
    page = client.get("/t/acme/integrations/").content.decode()
    assert "Our account" in page
    assert "426: the version has ended" in page
    assert "Connect Test system" in page
    client.post(f"/t/acme/integrations/connections/{row.pk}/resume/")
    assert state(acme, row) == "active"
    client.post(f"/t/acme/integrations/connections/{row.pk}/pause/")
    assert state(acme, row) == "paused"
    client.post(f"/t/acme/integrations/connections/{row.pk}/remove/")
    with tenant_scope(acme):
        assert not Connection.objects.exists()
        assert not SyncRun.objects.exists()
