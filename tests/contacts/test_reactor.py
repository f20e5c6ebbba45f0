import threading
from collections.abc import Iterator

import pytest
from django.db import connection

from contacts import reactor, timeline
from contacts.models import Contact, Interaction, ReaderCursor
from contacts.reactor import Batch, Reader
from contacts.timeline import Kind
from tenants import wakeups
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
timeline.register(Kind("test.happened", title="Happened", icon="bolt", sentence="saw {what}"))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Two readers that note what they read, alone in the reactor."""
    seen: list[tuple[str, str]] = []

    def note(name: str) -> Reader:
        return Reader(name, run=lambda batch: seen.extend((name, row.detail.get("what", "")) for row in batch.rows))

    monkeypatch.setattr(reactor, "_readers", {name: note(name) for name in ("segments", "scores")})
    return seen


def record(tenant: Tenant, what: str) -> None:
    with tenant_scope(tenant):
        timeline.record("test.happened", detail={"what": what})


def test_readers_read_in_their_order_and_once(acme: Tenant, seen: list) -> None:
    record(acme, "a")
    record(acme, "b")
    wakeups.run_due()
    wakeups.run_due()
    assert seen == [("segments", "a"), ("segments", "b"), ("scores", "a"), ("scores", "b")]
    assert not Wakeup.objects.exists()


def test_a_transaction_that_commits_late_is_not_skipped(acme: Tenant, seen: list) -> None:
    has_begun, may_commit = threading.Event(), threading.Event()

    def late() -> None:
        with tenant_scope(acme):
            timeline.record("test.happened", detail={"what": "late"})
            has_begun.set()
            may_commit.wait(10)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    has_begun.wait(10)
    record(acme, "early")
    wakeups.run_due()
    assert seen == [], "what may still be preceded is not read"
    may_commit.set()
    thread.join()
    wakeups.run_due()
    assert [what for reader, what in seen if reader == "scores"] == ["late", "early"]


def test_a_failing_reader_keeps_its_cursor_and_is_tried_again(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def fail_once(batch: Batch) -> None:
        calls.append(len(batch.rows))
        if len(calls) == 1:
            raise ValueError

    monkeypatch.setattr(reactor, "_readers", {"segments": Reader("segments", run=fail_once)})
    record(acme, "a")
    with pytest.raises(ValueError):
        wakeups.work(acme.pk, timeline.REACTOR)
    assert Wakeup.objects.count() == 1, "the announcement stays"
    wakeups.work(acme.pk, timeline.REACTOR)
    assert calls == [1, 1]


def test_a_row_takes_its_contacts_account_and_clamps_the_future(acme: Tenant) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from contacts.models import Account

    with tenant_scope(acme):
        account = Account.objects.create(name="A", name_key="a")
        contact = Contact.objects.create(first_name="Amara", account=account)
        timeline.record("test.happened", contact=contact, occurred_at=timezone.now() + timedelta(days=1))
        row = Interaction.objects.get()
        assert (row.account_id, row.as_contact_id) == (account.pk, contact.pk)
        assert row.occurred_at <= row.recorded_at


def test_an_undeclared_kind_is_refused(acme: Tenant) -> None:
    with tenant_scope(acme), pytest.raises(KeyError, match="not declared"):
        timeline.record("test.unknown")


def test_after_a_restore_into_a_younger_cluster_readers_stop_loudly_and_go_on_once_rebased(
    acme: Tenant, seen: list
) -> None:
    record(acme, "read")
    wakeups.run_due()
    record(acme, "unread")
    beyond = 10**12
    with tenant_scope(acme), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {timeline.TABLE} SET recorded_xid = (recorded_xid::text::bigint + %s)::text::xid8", [beyond]
        )
        cursor.execute("UPDATE contacts_readercursor SET xid = (xid::text::bigint + %s)::text::xid8", [beyond])
    with pytest.raises(reactor.RestoredIntoYoungerCluster):
        wakeups.work(acme.pk, timeline.REACTOR)
    assert timeline.rebase_timeline() > 0
    seen.clear()
    record(acme, "new")
    wakeups.run_due()
    assert [what for reader, what in seen if reader == "scores"] == ["unread", "new"]
    with tenant_scope(acme):
        assert ReaderCursor.objects.filter(reader="scores", lane="live").get().xid > 0
