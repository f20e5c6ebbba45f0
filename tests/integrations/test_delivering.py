import logging
import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from contacts import erasure, merging
from contacts.models import Contact, ReaderCursor
from integrations.models import Attempt, Delivery, Endpoint
from integrations.webhooks import claiming, endpoints, outbox, sending
from tenants import housekeeping
from tenants.models import Audit, Heartbeat, Notification, Tenant
from tenants.scope import tenant_scope
from tests.integrations.world import World
from tests.standins.receiver import Say

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State


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


def test_a_receiver_that_asks_for_time_gets_it_from_everybody(world: World) -> None:
    amara, jonas = world.contacts(2)
    world.happen(amara)
    world.receiver.script = [Say(429, headers={"Retry-After": "120"})]
    world.run()
    world.happen(jonas)
    world.run()
    assert world.receiver.taken() == []
    world.pass_time(seconds=60)
    assert world.receiver.taken() == []
    world.pass_time(seconds=61)
    assert len(world.receiver.taken()) == 2


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


def test_an_endpoint_that_wants_no_more_is_disabled_at_once_and_the_owners_are_told(world: World) -> None:
    (amara,) = world.contacts(1)
    world.happen(amara)
    world.receiver.script = [Say(410)]
    world.run()
    assert world.refresh().state == Endpoint.State.DISABLED
    with tenant_scope(world.tenant):
        (notice,) = Notification.objects.filter(member=world.owner)
        assert notice.path == f"/t/acme/integrations/webhooks/{world.endpoint.pk}/"
    world.happen(amara)
    world.run()
    assert len(world.receiver.calls) == 1
    with tenant_scope(world.tenant):
        assert Delivery.objects.count() == 1, "nothing is collected for it"


def test_after_five_days_of_failures_only_the_endpoint_is_disabled(world: World) -> None:
    people = world.contacts(10)
    world.receiver.decide = lambda body: Say(500)
    for contact in people[:9]:
        world.happen(contact)
        world.pass_time(minutes=11)
    assert world.refresh().failure_count >= 9
    assert world.endpoint.state == Endpoint.State.ACTIVE
    world.pass_time(days=5, minutes=1)
    assert world.refresh().state == Endpoint.State.DISABLED
    assert "5 days" in world.endpoint.reason


def test_one_success_and_the_count_begins_anew(world: World) -> None:
    amara, jonas = world.contacts(2)
    world.happen(amara)
    world.receiver.script = [Say(500)]
    world.run()
    assert world.refresh().failure_count == 1
    world.happen(jonas)
    world.run()
    assert (world.refresh().failure_count, world.endpoint.failing_since) == (0, None)


def test_an_endpoint_that_fails_again_and_again_is_tried_with_one_delivery_at_a_time(world: World) -> None:
    for contact in world.contacts(12):
        world.happen(contact)
    world.receiver.decide = lambda body: Say(500)
    world.run()
    before = len(world.receiver.calls)
    assert before < 12, "after some failures it is held"
    world.pass_time(minutes=11)
    assert len(world.receiver.calls) == before + 1
    world.receiver.decide = lambda body: None
    world.pass_time(minutes=11)
    assert world.states() == [State.DELIVERED] * 12


def test_a_paused_endpoint_collects_and_catches_up(world: World) -> None:
    (amara,) = world.contacts(1)
    with tenant_scope(world.tenant):
        assert endpoints.pause(world.endpoint, world.owner)
        assert not endpoints.pause(world.endpoint, world.owner)
    facts = [world.happen(amara) for _ in range(3)]
    world.run()
    assert world.receiver.calls == []
    with tenant_scope(world.tenant):
        assert endpoints.resume(world.endpoint, world.owner)
    world.run()
    assert world.told() == facts


def test_a_disabled_endpoint_that_is_resumed_hears_what_happens_from_then_on(world: World) -> None:
    (amara,) = world.contacts(1)
    with tenant_scope(world.tenant):
        endpoints.disable(world.endpoint, "broken")
    world.happen(amara)
    with tenant_scope(world.tenant):
        assert endpoints.resume(world.endpoint, world.owner)
    later = world.happen(amara)
    world.run()
    assert world.told() == [later]


def test_during_the_overlap_either_secret_verifies_and_afterwards_only_the_new_one(world: World) -> None:
    (amara,) = world.contacts(1)
    with tenant_scope(world.tenant):
        new = endpoints.rotate(world.endpoint, world.owner)
    for accepted in ([world.secret], [new]):
        world.receiver.secrets = accepted
        world.happen(amara)
        world.run()
    assert [call.status for call in world.receiver.calls] == [200, 200]
    world.pass_time(hours=25)
    world.receiver.secrets = [world.secret]
    world.happen(amara)
    world.run()
    assert world.receiver.calls[-1].status == 401


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
    Heartbeat.objects.filter(name="chore:webhooks").delete()
    housekeeping.run()
    assert world.states() == [State.QUEUED], "what is under way stays"
    assert len(world.attempts()) == 1


def test_no_secret_shows_itself_anywhere(world: World, caplog: pytest.LogCaptureFixture, client_of: Any) -> None:
    caplog.set_level(logging.DEBUG)
    (amara,) = world.contacts(1)
    with tenant_scope(world.tenant):
        new = endpoints.rotate(world.endpoint, world.owner)
    world.happen(amara)
    world.receiver.script = [Say(500), Say(then="close")]
    world.run()
    world.pass_time(seconds=10)
    world.owner.user.is_staff = world.owner.user.is_superuser = True
    world.owner.user.save()
    client = client_of(world.owner)
    (delivery,) = world.deliveries()
    pages = [
        *("/integrations/webhooks/", f"/integrations/webhooks/{world.endpoint.pk}/"),
        *(f"/integrations/webhooks/{world.endpoint.pk}/edit/", f"/integrations/webhooks/deliveries/{delivery.pk}/"),
    ]
    said = [client.get(page).content.decode() for page in pages]
    admin = Client()
    admin.force_login(world.owner.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = admin.get(f"/admin/t/acme/integrations/endpoint/{world.endpoint.pk}/change/")
    assert answer.status_code == 200
    with tenant_scope(world.tenant):
        said += [str(list(Audit.objects.values())), repr(world.refresh()), repr(vars(world.endpoint))]
        said += [str(list(Delivery.objects.values())), str(list(Attempt.objects.values()))]
    said += [caplog.text, answer.content.decode()]
    for secret in (world.secret, new):
        core = secret.removeprefix("whsec_")
        assert [text for text in said if core in text or core[:12] in text] == []
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(world.tenant.pk)])
        cursor.execute("SELECT row_to_json(e)::text FROM integrations_endpoint e")
        assert world.secret[6:] not in str(cursor.fetchall())
