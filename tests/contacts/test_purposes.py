"""What a company asks consent for, and what silence means."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from contacts import consent, people, purposes
from contacts.models import Purpose
from tenants import companies
from tenants.models import Audit, Member, Tenant, User
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
Clients = Callable[..., Client]
PATH = "/audience/consent/"


@pytest.fixture
def news(acme: Tenant) -> Purpose:
    with tenant_scope(acme):
        return purposes.create("Newsletter", by=None)


def test_a_new_company_has_a_purpose_to_begin_with() -> None:
    person = User.objects.create_user("ida@new.example", "secret", name="Ida")
    tenant = companies.start(person, "New")
    with tenant_scope(tenant):
        assert [(purpose.key, purpose.is_default) for purpose in Purpose.objects.all()] == [("news", True)]


def test_the_first_purpose_is_the_default_and_another_can_take_its_place(
    acme: Tenant, ana: Member, client_of: Clients
) -> None:
    client = client_of(ana)
    for name in ("Newsletter", "Invitations to events"):
        assert client.post(f"{PATH}new/", {"name": name, "description": "By e-mail."}).status_code == 302
    with tenant_scope(acme):
        first, second = Purpose.objects.order_by("pk")
        assert (first.key, first.is_default) == ("newsletter", True)
        assert (second.key, second.is_default) == ("invitations-to-events", False)
    client.post(f"{PATH}{second.pk}/default/")
    with tenant_scope(acme):
        assert list(Purpose.objects.filter(is_default=True)) == [second]
        assert Audit.objects.filter(action="purpose.made_default").count() == 1


def test_two_defaults_are_refused_by_the_database(news: Purpose, acme: Tenant) -> None:
    with tenant_scope(acme), pytest.raises(IntegrityError), transaction.atomic():
        Purpose.objects.create(key="other", name="Other", is_default=True)


def test_a_name_is_given_once_and_the_input_stays(news: Purpose, ana: Member, client_of: Clients) -> None:
    answer = client_of(ana).post(f"{PATH}new/", {"name": "Newsletter", "description": "Kept text"})
    assert answer.status_code == 422
    assert "There is a purpose of this name already." in answer.content.decode()
    assert "Kept text" in answer.content.decode()


def test_a_changed_purpose_keeps_its_key(news: Purpose, acme: Tenant, ana: Member, client_of: Clients) -> None:
    client_of(ana).post(f"{PATH}{news.pk}/", {"name": "Letters", "description": "Monthly"})
    with tenant_scope(acme):
        changed = Purpose.objects.get()
        assert (changed.key, changed.name, changed.description) == ("newsletter", "Letters", "Monthly")


def test_a_purpose_that_somebody_answered_for_stays(
    news: Purpose, acme: Tenant, ana: Member, client_of: Clients
) -> None:
    with tenant_scope(acme):
        asked, unasked = purposes.create("Offers", by=None), purposes.create("Events", by=None)
        person = people.create_contact({"email": "ida@example.org"})
        consent.grant(person, asked, basis="consent", source="form")
    client = client_of(ana)
    for purpose in (news, asked, unasked):
        client.post(f"{PATH}{purpose.pk}/delete/")
    with tenant_scope(acme):
        assert set(Purpose.objects.values_list("key", flat=True)) == {"newsletter", "offers"}


def test_what_silence_means_is_chosen_on_the_page(news: Purpose, acme: Tenant, ana: Member, client_of: Clients) -> None:
    client = client_of(ana)
    for mode, is_opt_out in (("out", True), ("in", False)):
        assert client.post(f"{PATH}mode/", {"mode": mode}).status_code == 302
        with tenant_scope(acme):
            assert consent.is_opt_out() is is_opt_out
        assert f'value="{mode}" selected' in client.get(PATH).content.decode()
    assert client.post(f"{PATH}mode/", {"mode": "perhaps"}).status_code == 422


def test_only_an_owner_decides(news: Purpose, max_: Member, client_of: Clients) -> None:
    client = client_of(max_)
    assert client.get(PATH).status_code == 403
    assert client.post(f"{PATH}mode/", {"mode": "out"}).status_code == 403
