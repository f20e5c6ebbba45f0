"""Webhooks that are busy, broken, paused or disabled, and the secret that each of them has."""

import logging
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from integrations.models import Attempt, Delivery, Endpoint
from integrations.webhooks import endpoints
from tenants.models import Audit, Notification
from tenants.scope import tenant_scope
from tests.integrations.world import World
from tests.standins.receiver import Say

State = Delivery.State
pytestmark = pytest.mark.django_db(transaction=True)


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


def test_another_address_is_called_at_once_whatever_the_old_one_did(world: World) -> None:
    amara, jonas = world.contacts(2)
    world.receiver.script = [Say(429, headers={"Retry-After": "3600"})]
    world.happen(amara)
    world.run()
    world.happen(jonas)
    world.endpoint.url = f"{world.receiver.url}/elsewhere"
    with tenant_scope(world.tenant):
        endpoints.change(world.endpoint, by=world.owner)
    world.run()
    assert [(call.path, call.status) for call in world.receiver.calls] == [("/in", 429), ("/elsewhere", 200)]
    assert world.refresh().failure_count == 0


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
