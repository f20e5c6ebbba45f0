"""Who gets a lead, and what happens when nobody answers."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Account
from leads import assignment, lifecycle
from leads.clock import look_after
from leads.lifecycle import NotPossible
from leads.models import Lead, Stage
from messaging.models import Message
from tenants.models import Member, Notification, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
MakeLead = Callable[..., Lead]
FAR = float("inf")


def test_the_account_s_owner_comes_before_the_turn(acme: Tenant, sam: Member, kim: Member, mql: Lead) -> None:
    with tenant_scope(acme):
        Account.objects.update(owner=kim)
        mql.account.refresh_from_db()
        given = assignment.assign(mql)
        assert given is not None
        assert (given.member, given.method, given.why) == (kim, "account_owner", "Kim Acme looks after Initech.")


def test_the_turn_goes_round_the_reps_who_are_present(acme: Tenant, sam: Member, kim: Member, max_: Member) -> None:
    with tenant_scope(acme):
        leads = [lifecycle.create_lead(str(n), source="manual") for n in range(5)]
        takers = [assignment.assign(lead) for lead in leads[:3]]
        assert [given.member for given in takers if given] == [sam, kim, sam]
        Member.objects.filter(pk=kim.pk).update(is_away=True)
        takers = [assignment.assign(lead) for lead in leads[3:]]
        assert [given.member for given in takers if given] == [sam, sam]


def test_an_owner_who_is_away_keeps_nothing_new(acme: Tenant, sam: Member, kim: Member, make_lead: MakeLead) -> None:
    lead = make_lead(owner=kim)
    Member.objects.filter(pk=kim.pk).update(is_away=True)
    with tenant_scope(acme):
        given = assignment.assign(lead)
        assert given is not None
        assert given.member == sam


def test_somebody_who_has_left_or_is_a_stranger_gets_no_lead(
    acme: Tenant, sam: Member, rob: Member, make_lead: MakeLead
) -> None:
    lead = make_lead()
    Member.objects.filter(pk=sam.pk).update(is_active=False)
    sam.refresh_from_db()
    with tenant_scope(acme):
        for member in (sam, rob):
            with pytest.raises(NotPossible):
                assignment.assign(lead, member=member)


def test_a_reassigned_lead_gives_the_new_rep_the_whole_time(
    acme: Tenant, sam: Member, kim: Member, max_: Member, mql: Lead
) -> None:
    with tenant_scope(acme):
        lifecycle.hand_off(mql, member=sam, by=max_)
        Lead.objects.filter(pk=mql.pk).update(respond_by=timezone.now() - timedelta(hours=1))
        lifecycle.hand_off(mql, member=kim, by=max_)
        lead = Lead.objects.get(pk=mql.pk)
        assert lead.owner == kim
        assert lead.respond_by is not None
        assert lead.respond_by > timezone.now()
        assert lead.assignments.order_by("-pk")[0].why == "Chosen by Max Acme."


def test_an_mql_waits_for_a_rep_and_goes_to_the_first_who_is_back(acme: Tenant, sam: Member, mql: Lead) -> None:
    Member.objects.filter(pk=sam.pk).update(is_away=True)
    outcome = look_after(acme.pk, FAR)
    assert outcome.next_due is not None, "it looks again while an MQL waits"
    Member.objects.filter(pk=sam.pk).update(is_away=False)
    outcome = look_after(acme.pk, FAR)
    assert outcome.next_due is None
    with tenant_scope(acme):
        assert Lead.objects.get(pk=mql.pk).owner == sam


def test_the_manager_is_told_once_when_the_time_is_over(acme: Tenant, ana: Member, sam: Member, mql: Lead) -> None:
    with tenant_scope(acme):
        lifecycle.hand_off(mql)
    look_after(acme.pk, FAR)
    with tenant_scope(acme):
        assert not Notification.objects.filter(kind="lead.overdue").exists(), "there is time left"
        Lead.objects.filter(pk=mql.pk).update(respond_by=timezone.now() - timedelta(minutes=1))
    look_after(acme.pk, FAR)
    look_after(acme.pk, FAR)
    with tenant_scope(acme):
        told = Notification.objects.get(kind="lead.overdue")
        assert told.member == ana, "Sam has no manager, so the owner is told"
        assert "Sam Acme has neither accepted nor rejected" in told.body
        assert Message.objects.filter(address=ana.user.email).count() == 1


def test_the_rep_s_own_manager_is_told_if_there_is_one(
    acme: Tenant, ana: Member, max_: Member, sam: Member, mql: Lead
) -> None:
    Member.objects.filter(pk=sam.pk).update(manager=max_)
    with tenant_scope(acme):
        lifecycle.hand_off(mql)
        Lead.objects.filter(pk=mql.pk).update(respond_by=timezone.now() - timedelta(minutes=1))
    look_after(acme.pk, FAR)
    with tenant_scope(acme):
        assert Notification.objects.get(kind="lead.overdue").member == max_


def test_an_answered_lead_troubles_no_manager(acme: Tenant, ana: Member, sam: Member, mql: Lead) -> None:
    with tenant_scope(acme):
        lifecycle.hand_off(mql)
        Lead.objects.filter(pk=mql.pk).update(respond_by=timezone.now() - timedelta(minutes=1))
        lifecycle.accept(Lead.objects.get(pk=mql.pk), sam)
        assert Lead.objects.get(pk=mql.pk).stage == Stage.SAL
    look_after(acme.pk, FAR)
    with tenant_scope(acme):
        assert not Notification.objects.filter(kind="lead.overdue").exists()
