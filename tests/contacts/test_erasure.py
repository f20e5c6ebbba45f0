"""Erasing somebody at once, without the thirty days. (What is left of her: `tests/walk/test_erasure.py`.)"""

from collections.abc import Callable

import pytest
from django.test import Client

from contacts import merging, people
from contacts.models import Contact
from tenants.models import Audit, Member, Tenant
from tenants.scope import tenant_scope

Clients = Callable[..., Client]


@pytest.fixture
def amara(acme: Tenant) -> Contact:
    with tenant_scope(acme):
        return people.create_contact({"first_name": "Amara", "last_name": "Okafor", "email": "amara@tailspin.example"})


def test_the_owner_is_asked_by_name_before_somebody_is_erased(
    acme: Tenant, amara: Contact, ana: Member, client_of: Clients
) -> None:
    client, path = client_of(ana), f"/audience/contacts/{amara.pk}/erase/"
    page = client.get(path).content.decode()
    assert "Erase Amara Okafor" in page
    assert "Nobody can take it back" in page
    with tenant_scope(acme):
        assert Contact.objects.filter(pk=amara.pk).exists()
    told = client.post(path, follow=True).content.decode()
    assert "The contact has been erased." in told
    assert "Amara" not in told
    with tenant_scope(acme):
        assert not Contact.objects.exists()


def test_the_audit_trail_says_who_erased_and_not_whom(
    acme: Tenant, amara: Contact, ana: Member, client_of: Clients
) -> None:
    client = client_of(ana)
    client.post(f"/audience/contacts/{amara.pk}/delete/")
    client.post(f"/audience/contacts/{amara.pk}/erase/")
    with tenant_scope(acme):
        rows = list(Audit.objects.order_by("pk").values_list("action", "actor", "object_label", "detail"))
    assert rows == [
        ("contact.deleted", ana.user_id, "", {}),
        ("contacts.erased", ana.user_id, "", {"ids": [amara.pk]}),
    ]


def test_only_the_owner_may_erase_at_once(
    acme: Tenant, amara: Contact, max_: Member, sam: Member, client_of: Clients
) -> None:
    for member in (max_, sam):
        client = client_of(member)
        assert client.post(f"/audience/contacts/{amara.pk}/erase/").status_code == 403
        assert "Erase now" not in client.get(f"/audience/contacts/{amara.pk}/edit/").content.decode()


def test_the_owner_finds_the_way_from_the_contact_and_from_a_deleted_one(
    amara: Contact, ana: Member, client_of: Clients
) -> None:
    client, way = client_of(ana), f"/t/acme/audience/contacts/{amara.pk}/erase/"
    assert way in client.get(f"/audience/contacts/{amara.pk}/edit/").content.decode()
    client.post(f"/audience/contacts/{amara.pk}/delete/")
    assert way in client.get(f"/audience/contacts/{amara.pk}/").content.decode()


def test_who_was_merged_goes_with_the_survivor_and_not_alone(
    acme: Tenant, amara: Contact, ana: Member, client_of: Clients
) -> None:
    with tenant_scope(acme):
        twin = people.create_contact({"first_name": "A.", "last_name": "Okafor"})
        merging.merge(amara, twin, by=ana)
    client = client_of(ana)
    assert client.post(f"/audience/contacts/{twin.pk}/erase/").status_code == 404
    client.post(f"/audience/contacts/{amara.pk}/erase/")
    with tenant_scope(acme):
        assert not Contact.objects.exists()
