"""Two who score the same leads at once write the ledger once."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import Sum

from contacts import reactor
from scoring import rescore as rescoring
from scoring.models import Score, ScoreEntry, ScoringModel
from scoring.rescore import rescore
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.scoring.world import CLICKED, IS_HEAD, happened, lead, live_model, row

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*work: Callable[[], object]) -> list[Exception]:
    """Run the functions in threads that start together; returns what they raised."""
    barrier, errors = threading.Barrier(len(work)), []

    def run(function: Callable[[], object]) -> None:
        barrier.wait(10)
        try:
            function()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(function,)) for function in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return errors


def prepare(acme: Tenant) -> None:
    with tenant_scope(acme):
        for name in ("amara", "bo", "cem"):
            happened("scoring.clicked", lead(name, job_title="Head of IT").contact)
        live_model(row(IS_HEAD, 20), row(CLICKED, 10, "each"))


def test_two_workers_of_the_reactor_do_not_double_entries(acme: Tenant) -> None:
    prepare(acme)

    def work() -> None:
        reactor.react(acme.pk, float("inf"))

    assert at_once(work, work) == []
    assert_each_once(acme)


def test_a_full_rescoring_beside_the_reactor_does_not_double_entries(acme: Tenant) -> None:
    prepare(acme)

    def everybody() -> None:
        with tenant_scope(acme):
            rescore()

    for _ in range(3):
        assert at_once(everybody, everybody, lambda: reactor.react(acme.pk, float("inf"))) == []
    assert_each_once(acme)


def test_without_the_lock_of_the_model_they_collide(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(acme)
    both_computed = threading.Barrier(2)
    monkeypatch.setattr(rescoring, "lock", lambda ids=None: list(ScoringModel.objects.filter(state="live")))
    monkeypatch.setattr(rescoring.retiring, "carry_over", lambda *args: both_computed.wait(10))

    def everybody() -> None:
        with tenant_scope(acme):
            rescore()

    assert len(at_once(everybody, everybody)) == 1


def assert_each_once(acme: Tenant) -> None:
    with tenant_scope(acme):
        assert ScoreEntry.objects.filter(lead__isnull=False).count() == 6
        for score in Score.objects.all():
            total = ScoreEntry.objects.filter(lead=score.lead_id).aggregate(total=Sum("points"))["total"]
            assert score.score == total == 30
