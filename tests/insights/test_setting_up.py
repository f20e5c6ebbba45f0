"""The first steps of a new company, on its home page."""

from collections.abc import Callable

import pytest
from django.test import Client

from contacts import people
from insights import figures, setting_up
from messaging.models import ContentSettings
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

Clients = Callable[..., Client]
pytestmark = pytest.mark.django_db


SENDER = 'href="/t/acme/emails/senders/new/"'


def test_a_new_company_is_told_what_to_do_first(ana: Member, client_of: Clients) -> None:
    body = client_of(ana).get("/insights/").content.decode()
    assert "Set up your company" in body
    assert SENDER in body


def test_a_step_that_another_has_to_take_is_no_link(max_: Member, client_of: Clients) -> None:
    body = client_of(max_).get("/insights/").content.decode()
    assert "Say who sends" in body
    assert SENDER not in body


def test_what_has_been_done_is_marked_and_no_longer_a_link(acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        people.create_contact({"email": "a@b.example"})
        done = {step.url_name for step in setting_up.steps(max_) if step.is_done}
        assert done == {"contacts:new"}
    main = client_of(max_).get("/insights/").content.decode().partition("<main")[2]
    assert 'href="/t/acme/audience/contacts/new/"' not in main
    assert "Have people to talk to" in main


def test_a_sender_without_a_postal_address_is_not_enough(acme: Tenant, ana: Member) -> None:
    with tenant_scope(acme):
        sender = ContentSettings.objects.create(name="A", from_email="a@acme.example", postal_address="")
        assert not setting_up.steps(ana)[0].is_done
        sender.postal_address = "Köln"
        sender.save()
        assert setting_up.steps(ana)[0].is_done


def test_who_may_not_take_the_steps_is_not_told(ava: Member, client_of: Clients) -> None:
    assert "Set up your company" not in client_of(ava).get("/insights/").content.decode()


@pytest.mark.parametrize("key", ["", "opened", "opened-", "opened-x", "opened-9", "eaten-1", f"opened-{'9' * 30}"])
def test_a_key_that_names_no_figure_names_nobody(key: str, acme: Tenant) -> None:
    with tenant_scope(acme):
        assert figures.people_of_email(key) is None
