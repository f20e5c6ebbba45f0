"""Doing something to many leads at once, and taking it back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from leads.models import Lead, Stage, StageChange
from messaging.models import Message
from tenants.models import Member, Notification, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
MakeLead = Callable[..., Lead]
Clients = Callable[..., Client]
BULK = "/sales/leads/bulk/"


def ids(*leads: Lead) -> list[int]:
    return [lead.pk for lead in leads]


def states(tenant: Tenant) -> dict[str, Any]:
    with tenant_scope(tenant):
        return {topic: (stage, owner) for topic, stage, owner in Lead.objects.values_list("topic", "stage", "owner")}


def undo_path(answer: Any) -> str:
    """Where the toast of the page that an answer leads to takes it back."""
    form = answer.content.decode().partition("data-undo-form")[0].rpartition('action="')[2]
    return form.partition('"')[0].removeprefix("/t/acme")


def test_what_would_happen_is_counted_before_anything_does(
    acme: Tenant, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    good, won = make_lead("Good", stage=Stage.ENGAGED), make_lead("Won", stage=Stage.WON)
    page = client_of(sam).get(BULK, {"action": "disqualify", "ids": ids(good, won)})
    assert [lead.topic for lead in page.context["review"].leads] == ["Good"]
    assert page.context["review"].left_out == [("Won", 1)]
    assert states(acme)["Good"][0] == Stage.ENGAGED, "looking changes nothing"


def test_many_are_disqualified_with_a_reason_and_put_back_as_they_were(
    acme: Tenant, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    now = timezone.now()
    waiting = make_lead("Waiting", stage=Stage.HANDED_OFF, owner=sam, respond_by=now, handed_off_at=now)
    nurtured = make_lead("Nurtured", stage=Stage.INQUIRY)
    client, before = client_of(sam), states(acme)
    form = {"action": "disqualify", "ids": ids(waiting, nurtured)}
    assert client.post(BULK, form).status_code == 422, "it asks why"
    answer = client.post(BULK, {**form, "why": "budget"}, follow=True)
    assert "Disqualified: 2 leads." in answer.content.decode()
    assert {stage for stage, _owner in states(acme).values()} == {Stage.DISQUALIFIED}
    answer = client.post(undo_path(answer), follow=True)
    assert "2 leads are back where they were." in answer.content.decode()
    assert states(acme) == before
    with tenant_scope(acme):
        assert Lead.objects.get(topic="Waiting").respond_by == now
        last = StageChange.objects.order_by("-pk")[0]
        assert (last.from_stage, last.reason) == (Stage.DISQUALIFIED, "Taken back.")


def test_an_undo_leaves_what_moved_meanwhile_and_works_once(
    acme: Tenant, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    first, second = make_lead("First"), make_lead("Second")
    client = client_of(sam)
    form = {"action": "recycle", "ids": ids(first, second), "why": "timing"}
    path = undo_path(client.post(BULK, form, follow=True))
    client.post(f"/sales/leads/{second.pk}/accept/")
    answer = client.post(path, follow=True)
    assert "1 lead is back where it was. 1 moved meanwhile and stay." in answer.content.decode()
    now = states(acme)
    assert (now["First"][0], now["Second"][0]) == (Stage.INQUIRY, Stage.SAL)
    assert "taken back already" in client.post(path, follow=True).content.decode()


def test_whoever_gets_many_leads_is_told_once(
    acme: Tenant, max_: Member, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    leads = [make_lead(f"Lead {n}", stage=Stage.MQL) for n in range(3)]
    client = client_of(max_)
    answer = client.post(BULK, {"action": "assign", "ids": ids(*leads), "member": sam.pk}, follow=True)
    assert set(states(acme).values()) == {(Stage.HANDED_OFF, sam.pk)}
    with tenant_scope(acme):
        told = Notification.objects.get(member=sam)
        assert (told.title, told.path) == ("3 new leads", "/t/acme/sales/my-day/")
        assert Message.objects.filter(address=sam.user.email).count() == 1
    client.post(undo_path(answer))
    assert set(states(acme).values()) == {(Stage.MQL, None)}


def test_all_of_a_view_are_meant_when_that_is_ticked(
    acme: Tenant, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    for n in range(60):
        make_lead(f"Lead {n}", stage=Stage.ENGAGED if n % 2 else Stage.INQUIRY)
    page = client_of(sam).get(BULK, {"action": "mql", "every": "1", "view": "stage=engaged", "ids": "1"})
    assert len(page.context["review"].leads) == 30


def test_nobody_undoes_what_somebody_else_did(
    acme: Tenant, max_: Member, sam: Member, make_lead: MakeLead, client_of: Clients
) -> None:
    form = {"action": "recycle", "ids": ids(make_lead()), "why": "timing"}
    path = undo_path(client_of(sam).post(BULK, form, follow=True))
    assert client_of(max_).post(path).status_code == 404


def test_nothing_ticked_and_nonsense_are_answered(sam: Member, ava: Member, mql: Lead, client_of: Clients) -> None:
    client = client_of(sam)
    assert "Tick at least one" in client.get(BULK, {"action": "assign"}, follow=True).content.decode()
    assert client.get(BULK, {"action": "explode", "ids": ids(mql)}).status_code == 404
    assert client.get(BULK, {"action": "mql", "ids": "x"}, follow=True).status_code == 200
    outside = client.get(BULK, {"action": "assign", "ids": ids(mql), "back": "https://evil.example/"})
    assert outside.context["back"] == "/t/acme/sales/leads/"
    assert client_of(ava).get(BULK, {"action": "assign", "ids": ids(mql)}).status_code == 403
