"""The database ends a connection in the middle of the work: what was announced is done later, once."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from contacts import reactor, timeline
from contacts.reactor import Batch, Reader
from contacts.timeline import Kind
from messaging import outbox, outcomes, sending
from messaging.models import Message
from tenants import wakeups
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope
from tests.concurrency import post_office, processes
from tests.standins.smtp import MailServer

pytestmark = pytest.mark.django_db(transaction=True)
timeline.register(Kind("test.happened", title="Happened", icon="bolt", sentence="saw {what}"))
ROUNDS = 20
State = Message.State


def cut_off(limit: str) -> None:
    """Overstep a limit of the server's in the transaction under way; "" loses the connection without one."""
    with connection.cursor() as cursor:
        if not limit:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        # A limit that is at work is taken down before it is set anew.
        cursor.execute(f"SET LOCAL {limit} = 0")
        cursor.execute(f"SET LOCAL {limit} = '5ms'")
        while True:
            time.sleep(0.03)
            cursor.execute("SELECT pg_sleep(1)")


LIMITS = ["transaction_timeout", "idle_in_transaction_session_timeout", "statement_timeout", ""]


def react_cut_off(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, limit: str, rounds: int = ROUNDS
) -> tuple[int, list[int]]:
    """(how many facts it took two attempts to read, those that were read); each first attempt is cut off."""
    read: list[int] = []
    attempts: Counter[int] = Counter()

    def cut_off_at_first(batch: Batch) -> None:
        ids = [row.id for row in batch.rows]
        attempts.update(ids)
        if attempts[ids[-1]] == 1:
            cut_off(limit)
        read.extend(ids)

    monkeypatch.setattr(reactor, "_readers", {"segments": Reader("segments", run=cut_off_at_first)})
    for _ in range(rounds):
        with tenant_scope(acme):
            timeline.record("test.happened")
        wakeups.run_due()
        with connection.cursor() as cursor:  # the waiting after a failure is over
            cursor.execute("UPDATE tenants_wakeup SET due_at = now()")
        wakeups.run_due()
    return sum(count > 1 for count in attempts.values()), read


@pytest.mark.parametrize("limit", LIMITS)
def test_work_cut_off_by_a_time_out_or_a_lost_connection_is_done_later(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    twice, read = react_cut_off(acme, monkeypatch, limit)
    assert twice == ROUNDS
    assert len(read) == len(set(read)) == ROUNDS
    assert not Wakeup.objects.filter(tenant=acme).exists()


@pytest.mark.parametrize("limit", LIMITS)
def test_control_a_wakeup_deleted_before_its_work_is_not_looked_at_again(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    react = wakeups._queues["reactor"]

    def forgetful(tenant_id: int, deadline: float) -> Any:
        Wakeup.objects.filter(tenant_id=tenant_id).delete()
        return react(tenant_id, deadline)

    monkeypatch.setitem(wakeups._queues, "reactor", forgetful)
    assert react_cut_off(acme, monkeypatch, limit, rounds=1) == (0, [])


@pytest.fixture
def notices(acme: Tenant) -> Callable[[int], None]:
    """`notices(5)`: so many mails wait in Acme's outbox."""

    def order(count: int) -> None:
        with tenant_scope(acme):
            for number in range(count):
                outbox.order_notice(f"n:{number}", f"p{number}@lead.example", "Hello", "Text")

    return order


def test_a_sender_that_cannot_record_its_results_lets_the_next_one_do_so(
    acme: Tenant, notices: Callable[[int], None], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices(3)
    with MailServer() as server:
        settings.EMAIL_CONFIG = {**settings.EMAIL_CONFIG, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": server.port}
        settings.VAR_DIR = tmp_path
        with monkeypatch.context() as away:
            away.setattr(outcomes, "record", lambda *args: cut_off(""))
            with pytest.raises(OperationalError):
                sending.work(acme.pk, time.monotonic() + 20)
        connection.close_if_unusable_or_obsolete()
        sending.work(acme.pk, time.monotonic() + 20)
        with tenant_scope(acme):
            assert set(Message.objects.values_list("state", flat=True)) == {State.SENT}
        assert server.received() == {f"p{number}@lead.example": 1 for number in range(3)}


@pytest.mark.crash
def test_senders_whose_connections_are_cut_at_random_mail_everybody_once(
    acme: Tenant, notices: Callable[[int], None], tmp_path: Path
) -> None:
    notices(700)
    with MailServer() as server:
        server.delay = 0.002
        senders = [processes.start(post_office.send, acme.pk, server.port, tmp_path) for _ in range(2)]
        with processes.running(*senders):
            for _ in range(ROUNDS):
                goal = len(server.mails) + 10
                processes.until(lambda: len(server.mails) >= goal, "progress")  # noqa: B023
                with connection.cursor() as cursor:
                    cursor.execute(
                        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE datname = current_database() AND pid <> pg_backend_pid()"""
                    )
            assert len(server.mails) < 700, "there was work left until the last cut"
            processes.until(lambda: is_settled(acme), "the end of the queue")
        with tenant_scope(acme):
            assert set(Message.objects.values_list("state", flat=True)) == {State.SENT}
        assert server.received() == {f"p{number}@lead.example": 1 for number in range(700)}


def is_settled(tenant: Tenant) -> bool:
    with tenant_scope(tenant):
        return not Message.objects.filter(state__in=(State.QUEUED, State.SENDING)).exists()
