"""What webhooks tell, in which order, how often, and for how long it is remembered."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from contacts import erasure, merging
from contacts.models import Contact, ReaderCursor
from integrations.models import Attempt, Delivery
from integrations.webhooks import claiming, endpoints, outbox, sending
from tenants import housekeeping
from tenants.models import Heartbeat, Tenant
from tenants.scope import tenant_scope
from tests.integrations.world import World
from tests.standins.receiver import Say

State = Delivery.State
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_fact_of_a_chosen_kind_is_told_with_ids_and_declared_fields_only(world: World) -> None:
    (amara,) = world.contacts(1)
    detail = {"email": "Hello", "link": "Prices", "url": "https://example.org/", "reason": "x", "name": "Amara"}
    fact = world.happen(amara, object_id=7, detail=detail)
    world.happen(amara, "email.opened")
    world.run()
    (call,) = world.receiver.taken()
    assert call.path == "/in"
    assert call.json["type"] == "email.clicked"
    assert call.json["data"] == {
        "version": 1,
        "id": fact,
        "contact": {"id": amara},
        "account": None,
        "lead": None,
        "object": {"kind": "email", "id": 7},
        "fields": {"email": "Hello", "link": "Prices", "url": "https://example.org/"},
    }
    assert world.states() == [State.DELIVERED]
    (attempt,) = world.attempts()
    assert (attempt.number, attempt.status, attempt.response) == (1, 200, "thanks")


def test_what_a_kind_declares_personal_is_never_sent(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara, "form.submitted", detail={"form": "Demo", "values": {"email": "amara@firma.example"}})
    world.happen(amara, "lead.stage_changed", detail={"to": "mql", "reason": "Amara Okafor asked", "because": "Amara"})
    world.run()
    sent = b"".join(call.body for call in world.receiver.taken()).decode()
    assert "Demo" in sent
    assert "mara" not in sent


def test_a_fact_is_ordered_once_however_often_it_is_read(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    world.run()
    with tenant_scope(world.tenant):
        ReaderCursor.objects.filter(reader="out").delete()
    world.happen(amara)
    world.run()
    assert len(world.receiver.calls) == 2
    with tenant_scope(world.tenant), pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(endpoint=world.endpoint, key=world.deliveries()[0].key, uid=uuid4(), kind="x")


def test_an_endpoint_hears_only_its_kinds_and_only_what_comes_after_it(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara, "email.opened")
    with tenant_scope(world.tenant):
        ReaderCursor.objects.filter(reader="out").delete()
    _other, secret = world.add("/opens", "email.opened")
    world.receiver.secrets = [world.secret, secret]
    opened = world.happen(amara, "email.opened")
    world.run()
    assert [(call.path, call.json["data"]["id"]) for call in world.receiver.calls] == [("/opens", opened)]


def test_the_companies_hear_nothing_of_each_other(world: World, rival: Tenant) -> None:
    with tenant_scope(rival):
        contact = Contact.objects.create(email="r@rival.example").pk
    mine = World.__new__(World)
    mine.tenant = rival
    mine.happen(contact)
    world.run()
    assert world.receiver.calls == []


@pytest.mark.parametrize(
    "trouble", [Say(500), Say(503), Say(429), Say(then="close"), Say(then="reset"), Say(then="garbage")]
)
def test_a_busy_or_broken_receiver_is_tried_again_under_the_same_id(world: World, trouble: Say) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    world.receiver.script = [trouble]
    world.run()
    assert world.states() == [State.QUEUED]
    world.pass_time(seconds=10)
    assert world.states() == [State.DELIVERED]
    assert [attempt.number for attempt in world.attempts()] == [1, 2]
    assert len({call.id for call in world.receiver.calls if call.id}) == 1


def test_while_one_contacts_delivery_waits_hers_behind_it_wait_and_others_go(world: World) -> None:
    amara, jonas = world.contacts(2)
    first, second = world.happen(amara), world.happen(amara)
    third = world.happen(jonas)
    world.receiver.decide = lambda body: Say(500) if body["data"]["id"] == first else None
    world.run()
    assert world.told() == [third]
    world.receiver.decide = lambda body: None
    world.pass_time(seconds=10)
    assert world.told() == [third, first, second]


def test_what_the_receiver_will_never_take_fails_at_once_and_lets_the_next_go(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    second = world.happen(amara)
    world.receiver.script = [Say(422, b"unknown field")]
    world.run()
    assert world.states() == [State.FAILED, State.DELIVERED]
    assert world.told() == [second]
    assert world.attempts()[0].response == "unknown field"


def test_a_redirect_fails_and_is_not_followed(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    world.receiver.script = [Say(302, headers={"Location": "http://169.254.169.254/"})]
    world.run()
    assert world.states() == [State.QUEUED]
    assert world.attempts()[0].status == 302


def test_a_delivery_is_given_up_after_the_last_attempt_of_the_schedule(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    world.receiver.decide = lambda body: Say(500)
    world.run()
    for _ in range(9):
        world.pass_time(days=2)
    assert world.states() == [State.FAILED]
    assert len(world.attempts()) == 10
    assert world.deliveries()[0].reason == "exhausted"


def test_a_finished_delivery_can_be_sent_again_under_its_id(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    world.receiver.script = [Say(400)]
    world.run()
    (delivery,) = world.deliveries()
    with tenant_scope(world.tenant):
        assert outbox.replay(delivery, world.owner)
        assert not outbox.replay(delivery, world.owner), "it is on its way"
    world.run()
    assert world.states() == [State.DELIVERED]
    assert [call.id for call in world.receiver.calls] == [delivery.message_id] * 2


def test_everything_that_failed_is_sent_again_oldest_first(world: World) -> None:
    (amara,) = world.contacts(1)
    facts = [world.happen(amara) for _ in range(3)]
    world.receiver.decide = lambda body: Say(400)
    world.run()
    world.receiver.decide = lambda body: None
    with tenant_scope(world.tenant):
        assert outbox.replay_failed(world.endpoint, world.owner) == 3
    world.run()
    assert world.told() == facts


def test_a_test_message_says_that_it_arrives(world: World) -> None:
    with tenant_scope(world.tenant):
        outbox.send_test(world.endpoint, world.owner)
    world.run()
    assert [call.json["type"] for call in world.receiver.taken()] == ["webhook.test"]


def test_of_an_answer_two_kilobytes_are_kept(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    world.receiver.script = [Say(200, "é".encode() * 500_000 + b"\x00")]
    world.run()
    assert world.states() == [State.DELIVERED]
    assert len(world.attempts()[0].response) == 1_024


def test_an_address_that_is_no_longer_open_is_not_called(world: World, settings: Any) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    settings.SANDBOX_ORIGINS = []
    world.run()
    assert (world.receiver.connections, world.deliveries()[0].reason) == (0, "refused")


def test_what_a_dead_sender_held_is_sent_when_its_lease_has_ended(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    with tenant_scope(world.tenant):
        endpoints.pause(world.endpoint, world.owner)
    world.run()
    with tenant_scope(world.tenant):
        endpoints.resume(world.endpoint, world.owner)
        assert len(claiming.claim(uuid4(), 10, {}, 4)) == 1
    world.run()
    assert world.receiver.calls == []
    world.pass_time(seconds=claiming.LEASE_SECONDS + 1)
    assert world.states() == [State.DELIVERED]


def test_two_senders_never_hold_one_delivery(world: World) -> None:
    for contact in world.contacts(60):
        world.happen(contact)
    with tenant_scope(world.tenant):
        endpoints.pause(world.endpoint, world.owner)
    world.run()
    with tenant_scope(world.tenant):
        endpoints.resume(world.endpoint, world.owner)
    world.receiver.delay = 0.01

    def send() -> None:
        sending.Run(world.tenant.pk, float("inf")).go()
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(world.receiver.calls) == len({call.id for call in world.receiver.calls}) == 60


def test_a_slow_endpoint_does_not_take_all_lines(world: World) -> None:
    _other, secret = world.add("/fast", "email.opened")
    world.receiver.secrets = [world.secret, secret]
    for contact in world.contacts(20):
        world.happen(contact)
    world.happen(None, "email.opened")
    seen: list[int] = []
    world.receiver.decide = lambda body: seen.append(len(seen)) if body["type"] == "email.opened" else None  # type: ignore[func-returns-value]
    world.receiver.delay = 0.05
    world.run()
    place = [call.path for call in world.receiver.calls].index("/fast")
    assert place < 20, "it does not wait for all of the others"


def test_a_merged_contacts_deliveries_are_the_survivors(world: World) -> None:
    amara, double = world.contacts(2)
    world.happen(double)
    world.run()
    with tenant_scope(world.tenant):
        merging.merge(Contact.objects.get(pk=amara), Contact.objects.get(pk=double), by=world.owner)
    assert [row.contact_id for row in world.deliveries()] == [amara]


def test_of_an_erased_contact_nothing_sent_or_answered_is_kept_and_nothing_more_goes_out(world: World) -> None:
    amara, jonas = world.contacts(2)
    world.happen(amara, detail={"link": "canary-link"})
    world.receiver.script = [Say(200, b"canary-answer")]
    world.run()
    world.receiver.decide = lambda body: Say(500, b"canary-later")
    world.happen(amara, detail={"link": "canary-later"})
    world.happen(jonas)
    world.run()
    with tenant_scope(world.tenant):
        erasure.erase([amara], by=world.owner)
    world.receiver.decide = lambda body: None
    world.pass_time(hours=1)
    rows = world.deliveries()
    assert [row.state for row in rows] == [State.DELIVERED, State.CANCELLED, State.DELIVERED]
    with tenant_scope(world.tenant):
        assert not outbox.replay(rows[0], world.owner)
        kept = str(list(Delivery.objects.values())) + str(list(Attempt.objects.filter(delivery__in=rows[:2]).values()))
    assert "canary" not in kept


def test_after_thirty_days_finished_deliveries_are_forgotten(world: World) -> None:
    amara, jonas = world.contacts(2)
    world.happen(amara)
    world.run()
    world.receiver.decide = lambda body: Say(500)
    world.happen(jonas)
    world.run()
    with tenant_scope(world.tenant):
        Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))

    def clean_up() -> None:
        Heartbeat.objects.filter(name="chore:webhooks").delete()
        housekeeping.run()

    clean_up()
    assert world.states() == [State.QUEUED], "what is under way stays"
    assert len(world.attempts()) == 1
    with tenant_scope(world.tenant):
        endpoints.disable(world.endpoint, "broken")
    clean_up()
    assert world.states() == [], "what waits for a webhook that is disabled does not stay for ever"
