import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import Delivery, Endpoint
from integrations.webhooks import endpoints
from tenants.models import Audit, Member, Tenant
from tenants.scope import tenant_scope
from tests.integrations.world import World
from tests.standins.receiver import Say

pytestmark = pytest.mark.django_db(transaction=True)
ClientOf = Callable[..., Any]
FORM = {"url": "https://hooks.example.com/in", "description": "CRM", "kinds": ["email.clicked", "form.submitted"]}


def page(client: Any, path: str, status: int = 200) -> str:
    response = client.get(f"/integrations/webhooks/{path}")
    assert response.status_code == status
    return response.content.decode()


def test_the_empty_list_teaches_what_a_webhook_is_for(ana: Member, client_of: ClientOf) -> None:
    assert "No webhook yet" in page(client_of(ana), "")


def test_a_new_webhook_shows_its_secret_once(ana: Member, client_of: ClientOf) -> None:
    client = client_of(ana)
    response = client.post("/integrations/webhooks/new/", FORM)
    (secret,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", response.content.decode()))
    assert response["Cache-Control"] == "no-store"
    with tenant_scope(ana.tenant):
        endpoint = Endpoint.objects.get()
        assert (endpoint.url, endpoint.kinds) == (FORM["url"], FORM["kinds"])
        assert endpoints.secrets_of(endpoint)[0].reveal() == secret
        assert Audit.objects.filter(action="webhook.added").exists()
    for path in ("", f"{endpoint.pk}/", f"{endpoint.pk}/edit/"):
        assert "whsec_" not in page(client, path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://hooks.example.com/"}, {"url": "https://127.1/"}, {"url": "https://10.0.0.1/"}, {"url": ""},
        {"kinds": []}, {"kinds": ["no.such_kind"]}, {"url": "https://user:pass@hooks.example.com/"},
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_webhook_is_said_and_what_was_entered_stays(
    wrong: dict[str, Any], ana: Member, client_of: ClientOf
) -> None:
    response = client_of(ana).post("/integrations/webhooks/new/", {**FORM, **wrong})
    assert response.status_code == 422
    assert 'value="CRM"' in response.content.decode()
    with tenant_scope(ana.tenant):
        assert not Endpoint.objects.exists()


def test_a_webhook_can_be_changed_paused_resumed_rotated_and_deleted(world: World, client_of: ClientOf) -> None:
    client, at = client_of(world.owner), f"/integrations/webhooks/{world.endpoint.pk}/"
    assert client.post(f"{at}edit/", {**FORM, "description": "Other"}).status_code == 302
    assert (world.refresh().description, world.endpoint.url) == ("Other", FORM["url"])
    client.post(f"{at}pause/")
    assert "Paused" in client.get(at).content.decode()
    assert world.refresh().state == Endpoint.State.PAUSED
    client.post(f"{at}resume/")
    assert world.refresh().state == Endpoint.State.ACTIVE
    assert "faster" in client.post(f"{at}resume/", follow=True).content.decode()
    rotated = client.post(f"{at}rotate/").content.decode()
    assert world.secret not in rotated
    assert "whsec_" in rotated
    client.post(f"{at}remove/")
    with tenant_scope(world.tenant):
        assert not Endpoint.objects.exists()


def test_deliveries_are_filtered_by_state_and_event_and_sent_again(world: World, client_of: ClientOf) -> None:
    amara, jonas = world.contacts(2)
    client, at = client_of(world.owner), f"/integrations/webhooks/{world.endpoint.pk}/"
    world.receiver.script = [Say(400, b"<b>no</b>")]
    world.happen(amara)
    world.run()
    world.happen(jonas, "form.submitted")
    world.run()
    failed, delivered = world.deliveries()
    assert "P0" in client.get(f"{at}?state=failed").content.decode()
    assert "P1" not in client.get(f"{at}?state=failed").content.decode()
    assert "P1" in client.get(f"{at}?kind=form.submitted").content.decode()
    assert "P0" not in client.get(f"{at}?kind=form.submitted").content.decode()
    shown = page(client, f"deliveries/{failed.pk}/")
    assert "&lt;b&gt;no&lt;/b&gt;" in shown
    assert failed.message_id in shown
    client.post(f"{at}replay-failed/")
    client.post(f"/integrations/webhooks/deliveries/{delivered.pk}/replay/")
    world.run()
    assert world.states() == [Delivery.State.DELIVERED] * 2
    assert len(world.receiver.calls) == 4


def test_a_test_is_sent_from_the_page(world: World, client_of: ClientOf) -> None:
    client, at = client_of(world.owner), f"/integrations/webhooks/{world.endpoint.pk}/"
    client.post(f"{at}test/")
    world.run()
    assert [call.json["type"] for call in world.receiver.calls] == ["webhook.test"]
    client.post(f"{at}pause/")
    assert "resume it first" in client.post(f"{at}test/", follow=True).content.decode()
    assert "Send test" not in client.get(at).content.decode()
    assert len(world.deliveries()) == 1


def test_a_delivery_that_is_held_says_by_what(world: World, client_of: ClientOf) -> None:
    (amara,) = world.contacts(1)
    world.receiver.decide = lambda body: Say(500)
    world.happen(amara)
    world.happen(amara)
    world.run()
    assert "after the delivery before it" in page(client_of(world.owner), f"deliveries/{world.deliveries()[1].pk}/")


def test_another_companys_webhooks_are_not_there(world: World, rob: Member, client_of: ClientOf) -> None:
    client = client_of(rob)
    page(client, f"{world.endpoint.pk}/", 404)
    assert client.post(f"/integrations/webhooks/{world.endpoint.pk}/rotate/").status_code == 404
    assert world.endpoint.url not in page(client, "")


def test_only_owners_see_webhooks(acme: Tenant, max_: Member, client_of: ClientOf) -> None:
    client = client_of(max_)
    page(client, "", 403)
    assert "Webhooks" not in client.get("/").content.decode()


def test_the_page_of_an_endpoint_asks_the_database_as_often_for_many_deliveries(
    world: World, client_of: ClientOf
) -> None:
    client, at = client_of(world.owner), f"/integrations/webhooks/{world.endpoint.pk}/"
    counts = []
    for count in (1, 49):
        for contact in world.contacts(count):
            world.happen(contact)
        world.run()
        with CaptureQueriesContext(connection) as queries:
            client.get(at)
        counts.append(len(queries))
    assert counts[0] == counts[1]
