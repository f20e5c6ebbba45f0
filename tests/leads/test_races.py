"""Two at once, with real commits: one wins, nothing is done twice, nobody is skipped."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from leads import assignment, lifecycle, opportunities
from leads.lifecycle import NotPossible
from leads.models import Assignment, Lead, Opportunity, Stage, StageChange
from tenants.models import Member, Setting, Tenant
from tenants.scope import tenant_scope
from tests.concurrency import threads
from tests.concurrency.processes import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(tenant: Tenant, acts: list[Callable[[], Any]]) -> list[Any]:
    """Let each act happen in a thread and transaction of its own, all of them having begun before any acts."""
    ready = threading.Barrier(len(acts))

    def begun(act: Callable[[], Any]) -> Callable[[], Any]:
        def do() -> Any:
            with tenant_scope(tenant):
                ready.wait(PATIENCE)
                return act()

        return do

    results = threads.at_once(*map(begun, acts))
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, NotPossible):
            raise result
    return results


def test_of_two_reps_who_accept_at_once_one_gets_the_lead(acme: Tenant, sam: Member, kim: Member, mql: Lead) -> None:
    seen = [Lead(**{field.attname: getattr(mql, field.attname) for field in Lead._meta.concrete_fields}) for _ in "ab"]
    results = at_once(acme, [lambda: lifecycle.accept(seen[0], sam), lambda: lifecycle.accept(seen[1], kim)])
    refused = [result for result in results if isinstance(result, NotPossible)]
    assert len(refused) == 1
    winner = kim if results[0] is refused[0] else sam
    assert str(refused[0]) == f"{winner} was faster: this lead is “Sales-accepted” now."
    with tenant_scope(acme):
        assert Lead.objects.get(pk=mql.pk).owner == winner
        assert StageChange.objects.filter(lead=mql, to_stage=Stage.SAL).count() == 1


def test_two_who_assign_at_once_never_take_the_same_turn(acme: Tenant, sam: Member, kim: Member) -> None:
    with tenant_scope(acme):
        leads = [lifecycle.create_lead(str(n), source="manual") for n in range(8)]
    for pair in zip(leads[::2], leads[1::2], strict=True):
        at_once(acme, [lambda lead=lead: assignment.assign(lead) for lead in pair])
    with tenant_scope(acme):
        takers = list(Assignment.objects.order_by("pk").values_list("member_id", flat=True))
    assert takers.count(sam.pk) == takers.count(kim.pk) == 4


def test_without_the_lock_two_would_take_the_same_turn(
    acme: Tenant, sam: Member, kim: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both read whose turn it is before either moves it on."""
    with tenant_scope(acme):
        Setting.objects.create(key=assignment.LAST_TURN, value=0)
        leads = [lifecycle.create_lead(str(n), source="manual") for n in range(2)]
    both_have_read = threading.Barrier(2)
    reps = assignment.present_reps
    monkeypatch.setattr(type(Setting.objects), "select_for_update", lambda manager: manager.get_queryset())
    monkeypatch.setattr(assignment, "present_reps", lambda: (both_have_read.wait(PATIENCE), reps())[1])
    at_once(acme, [lambda lead=lead: assignment.assign(lead) for lead in leads])
    with tenant_scope(acme):
        assert Assignment.objects.values("member").distinct().count() == 1


def test_one_cause_that_comes_twice_at_once_makes_one_lead(acme: Tenant) -> None:
    results = at_once(
        acme, [lambda: lifecycle.create_lead("Demo", source="form", origin_key="submission:1").pk for _ in "abc"]
    )
    with tenant_scope(acme):
        assert results == [Lead.objects.get().pk] * 3
        assert StageChange.objects.count() == 1


def test_won_and_lost_at_once_is_one_of_both(acme: Tenant, sam: Member, mql: Lead) -> None:
    with tenant_scope(acme):
        lifecycle.accept(mql, sam)
        pk = opportunities.qualify(mql, sam).pk
    results = at_once(
        acme,
        [
            lambda: opportunities.win(Opportunity.objects.get(pk=pk), sam),
            lambda: opportunities.lose(Opportunity.objects.get(pk=pk), "Price", sam),
        ],
    )
    assert sum(isinstance(result, NotPossible) for result in results) == 1
    with tenant_scope(acme):
        assert Lead.objects.get(pk=mql.pk).stage == Opportunity.objects.get(pk=pk).state
