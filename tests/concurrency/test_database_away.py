"""The database ends a connection in the middle of the work: what was announced is done later, once."""

import pytest
from django.db import connection

from contacts import reactor, timeline
from contacts.reactor import Batch, Reader
from contacts.timeline import Kind
from tenants import wakeups
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
timeline.register(Kind("test.happened", title="Happened", icon="bolt", sentence="saw {what}"))


def work_all() -> None:
    """As a worker does, with the waiting after a failure taken out."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_wakeup SET due_at = now()")
    wakeups.run_due(budget=5)


@pytest.mark.parametrize("ending", ["SELECT pg_sleep(5)", "SELECT pg_terminate_backend(pg_backend_pid())"])
def test_work_cut_off_by_a_time_out_or_a_lost_connection_is_done_later(
    ending: str, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def cut_off_once(batch: Batch) -> None:
        if not read:
            read.append(0)
            with connection.cursor() as cursor:
                cursor.execute(ending)
        read.append(len(batch.rows))

    monkeypatch.setattr(reactor, "_readers", {"segments": Reader("segments", run=cut_off_once)})
    with tenant_scope(acme):
        timeline.record("test.happened")
    with connection.cursor() as cursor:
        cursor.execute("SET transaction_timeout = '300ms'")
    wakeups.run_due(budget=2)
    assert read == [0], "the first attempt was cut off"
    assert Wakeup.objects.filter(tenant=acme).exists(), "and the announcement stays"
    work_all()
    assert read == [0, 1]
    assert not Wakeup.objects.filter(tenant=acme).exists()
