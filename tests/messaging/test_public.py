"""Recipients' own pages: a token opens them, GET changes nothing, POST does what was asked."""

import pytest
from django.test import Client

from contacts.models import Consent, Contact, Purpose
from messaging import outbox, publishing, tokens
from messaging.designs import blocks
from messaging.models import Message
from tenants.scope import tenant_scope


@pytest.fixture
def message(acme, email, person, max_) -> Message:
    """A sent message to Amara."""
    amara = person("amara")
    with tenant_scope(acme):
        publishing.save_draft(email, subject="Hi", blocks=[blocks.new("heading", text="Dear {{ contact.first_name }}")])
        version = publishing.go_live(email, max_)
        message = outbox.order("v:1", contact=amara, email=email)
        Message.objects.update(state="sent", version_id=version.pk)
    return message


@pytest.fixture
def place(acme, message, newsletter) -> str:
    own = tokens.Own(acme.pk, message.pk, message.contact_id, newsletter.pk)
    return f"/m/{tokens.pages_token(own)}/"


def ledger(tenant) -> list[tuple[str, str]]:
    with tenant_scope(tenant):
        return list(Consent.objects.order_by("pk").values_list("purpose__key", "state"))


def test_get_asks_and_post_unsubscribes(acme, place) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.get(place)
    assert "Unsubscribe?" in answer.content.decode()
    assert ledger(acme) == [("newsletter", "granted")]
    assert "You are unsubscribed" in client.post(place).content.decode()
    assert "You are unsubscribed" in client.post(place).content.decode()
    assert ledger(acme) == [("newsletter", "granted"), ("newsletter", "refused")]


def test_public_pages_set_no_cookie_and_run_under_their_own_policy(place) -> None:
    answer = Client().get(place)
    assert not answer.cookies
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("page", ["", "preferences/", "view/"])
def test_a_token_of_another_purpose_opens_nothing(acme, message, page) -> None:
    own = tokens.Own(acme.pk, message.pk, message.contact_id, 1)
    for token in (tokens.one_click_token(own), tokens.open_token(acme.pk, message.pk), "nonsense"):
        assert Client().get(f"/m/{token}/{page}").status_code == 404
        assert Client().post(f"/m/{token}/{page}").status_code == 404


def test_who_is_erased_is_told_so_and_nothing_breaks(acme, message, place) -> None:
    with tenant_scope(acme):
        Message.objects.all().delete()
        Consent.objects.all().delete()
        Contact.objects.all().delete()
    for method in ("get", "post"):
        for page in ("", "preferences/"):
            assert getattr(Client(), method)(place + page).status_code == 200
    assert Client().get(f"{place}view/").status_code == 404


def test_the_subscription_center_grants_and_refuses_what_changed(acme, place, newsletter) -> None:
    with tenant_scope(acme):
        events = Purpose.objects.create(key="events", name="Events")
    client = Client()
    page = client.get(f"{place}preferences/").content.decode()
    assert page.count(" checked") == 1
    client.post(f"{place}preferences/", {"purpose": [events.pk, "9999999999999999999999", "x"]})
    assert set(ledger(acme)[1:]) == {("events", "granted"), ("newsletter", "refused")}
    client.post(f"{place}preferences/", {"purpose": [events.pk]})
    assert len(ledger(acme)) == 3, "what stays as it is writes nothing"


def test_nothing_at_all_stops_every_purpose_and_bulk_mail(acme, place, message) -> None:
    client = Client()
    client.post(f"{place}preferences/", {"none": "on"})
    with tenant_scope(acme):
        assert Contact.objects.get().do_not_bulk_email
    assert ledger(acme)[-1] == ("newsletter", "refused")
    assert "checked" in client.get(f"{place}preferences/").content.decode()


def test_another_contact_with_the_address_is_unsubscribed_too(acme, place, message, newsletter) -> None:
    with tenant_scope(acme):
        Contact.objects.filter(pk=message.contact_id).update(email="moved@lead.example")
        other = Contact.objects.create(email="amara@lead.example")
    Client().post(place)
    with tenant_scope(acme):
        refused = set(Consent.objects.filter(state="refused").values_list("contact_id", flat=True))
    assert refused == {message.contact_id, other.pk}


def test_the_mail_can_be_read_in_the_browser(place) -> None:
    answer = Client().get(f"{place}view/")
    assert "Dear Amara" in answer.content.decode()
    assert f'href="{place}"' in answer.content.decode()
    assert "sandbox" in answer["Content-Security-Policy"]
