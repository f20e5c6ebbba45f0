"""Two who score the same leads at once write the ledger once."""

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError
from django.db.models import Sum

from contacts import reactor
from scoring import rescore as rescoring
from scoring.models import Score, ScoreEntry, ScoringModel
from scoring.rescore import rescore
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.concurrency.processes import PATIENCE
from tests.concurrency.threads import at_once
from tests.scoring.world import CLICKED, IS_HEAD, happened, lead, live_model, row

pytestmark = pytest.mark.django_db(transaction=True)


def failures(*acts: Callable[[], object]) -> list[Exception]:
    """What they raised who did this at once."""
    return [result for result in at_once(*acts) if isinstance(result, Exception)]


def prepare(acme: Tenant) -> None:
    with tenant_scope(acme):
        for name in ("amara", "bo", "cem"):
            happened("scoring.clicked", lead(name, job_title="Head of IT").contact)
        live_model(row(IS_HEAD, 20), row(CLICKED, 10, "each"))


def test_two_workers_of_the_reactor_do_not_double_entries(acme: Tenant) -> None:
    prepare(acme)

    def work() -> None:
        reactor.react(acme.pk, float("inf"))

    assert failures(work, work) == []
    assert_each_once(acme)


def test_a_full_rescoring_beside_the_reactor_does_not_double_entries(acme: Tenant) -> None:
    prepare(acme)

    def everybody() -> None:
        with tenant_scope(acme):
            rescore()

    for _ in range(3):
        assert failures(everybody, everybody, lambda: reactor.react(acme.pk, float("inf"))) == []
    assert_each_once(acme)


def test_without_the_lock_of_the_model_they_collide(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(acme)
    both_computed = threading.Barrier(2)
    monkeypatch.setattr(rescoring, "lock", lambda ids=None: list(ScoringModel.objects.filter(state="live")))
    monkeypatch.setattr(rescoring.retiring, "carry_over", lambda *args: both_computed.wait(PATIENCE))

    def everybody() -> None:
        with tenant_scope(acme):
            rescore()

    (collision,) = failures(everybody, everybody)
    assert isinstance(collision, DatabaseError)


def assert_each_once(acme: Tenant) -> None:
    with tenant_scope(acme):
        assert ScoreEntry.objects.filter(lead__isnull=False).count() == 6
        for score in Score.objects.all():
            total = ScoreEntry.objects.filter(lead=score.lead_id).aggregate(total=Sum("points"))["total"]
            assert score.score == total == 30
