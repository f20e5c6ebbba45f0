"""What visitors do: look at a page, send its form, confirm."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contacts.models import Consent, Contact, Interaction, Purpose
from messaging.models import Message
from messaging.tokens import visitor_token
from pages import submissions, tokens
from pages.models import Form, Page, Submission, Visitor
from tenants.models import Tenant
from tenants.scope import tenant_scope

ADDRESS = "/p/acme/guide/"


@pytest.fixture
def guide(acme: Tenant) -> Page:
    with tenant_scope(acme):
        purpose = Purpose.objects.create(key="news", name="Newsletter", is_default=True)
        form = Form.objects.create(
            name="Guide",
            fields=[
                {"key": "email", "label": "Work e-mail", "is_required": True},
                {"key": "first_name", "label": "First name", "is_required": False},
                {"key": "company", "label": "Company", "is_required": False},
            ],
            consent=Form.Consent.OPTIONAL,
            purpose=purpose,
            consent_text="Yes, send me news.",
            success_text="It is on its way.",
        )
        content = {"title": "The guide", "lead": "All about it", "sections": [{"heading": "One", "text": "Text"}]}
        return Page.objects.create(
            name="Guide", slug="guide", state="live", content=content, live_content=content, form=form
        )


@pytest.fixture
def visitor() -> Client:
    return Client()


def token_of(client: Client) -> str:
    return re.search(r'name="token" value="([^"]+)"', client.get(ADDRESS).content.decode())[1]  # type: ignore[index]


def send(client: Client, **values: Any) -> Any:
    entered = {"email": "eva@firma.example", "first_name": "Eva", "company": "Firma GmbH", "consent": "on", **values}
    return client.post(ADDRESS, {"token": token_of(client), **{k: v for k, v in entered.items() if v is not None}})


def test_a_live_page_is_shown_without_any_session_under_its_own_policy(guide: Page, visitor: Client) -> None:
    response = visitor.get(ADDRESS)
    assert b"The guide" in response.content
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert not visitor.cookies


@pytest.mark.parametrize("address", ["/p/acme/draft/", "/p/nobody/guide/", "/p/rival/guide/"])
def test_pages_that_are_not_live_or_not_theirs_are_not_found(
    guide: Page, rival: Tenant, acme: Tenant, visitor: Client, address: str
) -> None:
    with tenant_scope(acme):
        Page.objects.create(name="Draft", slug="draft")
    assert visitor.get(address).status_code == 404


def test_a_submission_makes_contact_account_consent_with_proof_and_a_fact(
    guide: Page, acme: Tenant, visitor: Client
) -> None:
    response = send(visitor)
    assert response.status_code == 302
    assert b"It is on its way." in visitor.get(response["Location"]).content
    with tenant_scope(acme):
        contact = Contact.objects.select_related("account").get()
        assert (contact.email, contact.first_name, contact.consent_level) == ("eva@firma.example", "Eva", 4)
        assert contact.account is not None
        assert contact.account.name == "Firma GmbH"
        assert Consent.objects.get().text_shown == "Yes, send me news."
        fact = Interaction.objects.get(kind="form.submitted")
        assert (fact.contact_id, fact.object_id) == (contact.pk, guide.form_id)
        assert fact.detail["submission"] == Submission.objects.get().pk


def test_without_the_tick_no_consent_is_written(guide: Page, acme: Tenant, visitor: Client) -> None:
    send(visitor, consent=None)
    with tenant_scope(acme):
        assert not Consent.objects.exists()


def test_the_same_form_sent_twice_is_one_submission(guide: Page, acme: Tenant, visitor: Client) -> None:
    token = token_of(visitor)
    for _ in range(3):
        assert visitor.post(ADDRESS, {"token": token, "email": "eva@firma.example"}).status_code == 302
    with tenant_scope(acme):
        assert Submission.objects.count() == 1
        assert Interaction.objects.filter(kind="form.submitted").count() == 1


def test_a_missing_field_is_named_and_the_input_stays(guide: Page, acme: Tenant, visitor: Client) -> None:
    response = send(visitor, email="", first_name="Eva-Maria")
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    assert "Eva-Maria" in response.content.decode()
    with tenant_scope(acme):
        assert not Submission.objects.exists()


def test_unknown_fields_are_kept_but_not_used(guide: Page, acme: Tenant, visitor: Client) -> None:
    send(visitor, owner="1", is_staff="1", budget="9,000", tenant="2")
    with tenant_scope(acme):
        submission = Submission.objects.get()
        assert submission.unknown_values == {"owner": "1", "is_staff": "1", "budget": "9,000", "tenant": "2"}
        assert Contact.objects.get().owner_id is None


def test_a_value_of_a_megabyte_is_refused_by_name(guide: Page, acme: Tenant, visitor: Client) -> None:
    response = send(visitor, first_name="x" * 1_000_000)
    assert response.status_code == 422
    assert "at most 100 characters" in response.content.decode()
    with tenant_scope(acme):
        assert not Contact.objects.exists()


@pytest.mark.parametrize("token", ["", "nonsense", "1.abc:1tXYZ:forged"])
def test_a_forged_token_is_answered_clearly_and_nothing_is_lost(guide: Page, visitor: Client, token: str) -> None:
    response = visitor.post(ADDRESS, {"token": token, "email": "eva@firma.example", "first_name": "Eva"})
    assert response.status_code == 422
    assert "send it once more" in response.content.decode()
    assert 'value="Eva"' in response.content.decode()


def test_a_token_of_another_form_is_not_taken(guide: Page, acme: Tenant, visitor: Client) -> None:
    response = visitor.post(ADDRESS, {"token": tokens.form_token(guide.form_id + 1), "email": "eva@firma.example"})
    assert response.status_code == 422


def test_a_page_that_was_open_for_too_long_can_be_sent_once_more(
    guide: Page, visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "FORM_AGE", -1)
    response = send(visitor)
    assert response.status_code == 422
    assert "open for long" in response.content.decode()
    monkeypatch.undo()
    fresh = re.search(r'name="token" value="([^"]+)"', response.content.decode())[1]  # type: ignore[index]
    assert visitor.post(ADDRESS, {"token": fresh, "email": "eva@firma.example"}).status_code == 302


def test_what_a_script_fills_in_is_thanked_and_dropped(guide: Page, acme: Tenant, visitor: Client) -> None:
    assert send(visitor, website="https://spam.example").status_code == 302
    with tenant_scope(acme):
        assert not Submission.objects.exists()


def test_one_address_cannot_be_flooded(guide: Page, acme: Tenant, visitor: Client) -> None:
    statuses = [send(visitor).status_code for _ in range(7)]
    assert statuses == [302] * 5 + [429] * 2


def test_names_from_outside_are_shown_as_text(
    guide: Page, acme: Tenant, visitor: Client, max_: Any, client_of: Callable[..., Client]
) -> None:
    send(visitor, first_name="<script>alert(1)</script>", company='"><img src=x onerror=alert(1)>')
    with tenant_scope(acme):
        submission = Submission.objects.get()
    body = client_of(max_).get(f"/pages/submissions/{submission.pk}/").content.decode()
    assert "<script>alert(1)" not in body
    assert "<img src=x" not in body
    assert "&lt;script&gt;alert(1)" in body


class TestDoubleOptIn:
    @pytest.fixture(autouse=True)
    def _double(self, guide: Page, acme: Tenant) -> None:
        with tenant_scope(acme):
            Form.objects.update(has_double_opt_in=True)

    def link(self, acme: Tenant) -> str:
        with tenant_scope(acme):
            message = Message.objects.get()
            assert message.address == "eva@firma.example"
            return re.search(r"/p/confirm/\S+", message.content["text"])[0]  # type: ignore[index]

    def test_nothing_about_the_person_is_used_until_she_confirms_by_post(self, acme: Tenant, visitor: Client) -> None:
        send(visitor)
        link = self.link(acme)
        assert b"Was it you?" in visitor.get(link).content
        with tenant_scope(acme):
            assert not Contact.objects.exists(), "a scanner follows links"
        assert b"Confirmed" in visitor.post(link).content
        with tenant_scope(acme):
            assert Consent.objects.get().basis == "double opt-in"
            assert Submission.objects.get().state == "done"

    def test_confirming_twice_is_confirming_once(self, acme: Tenant, visitor: Client) -> None:
        send(visitor)
        link = self.link(acme)
        for _ in range(2):
            assert visitor.post(link).status_code == 200
        with tenant_scope(acme):
            assert Interaction.objects.filter(kind="form.submitted").count() == 1

    def test_a_link_that_is_too_old_says_so_and_a_forged_one_is_not_found(
        self, acme: Tenant, visitor: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send(visitor)
        link = self.link(acme)
        assert visitor.get(link[:-3] + "x/").status_code == 404
        monkeypatch.setattr(tokens, "CONFIRMATION_AGE", -1)
        response = visitor.get(link)
        assert (response.status_code, b"too old" in response.content) == (410, True)

    @pytest.mark.parametrize(("days", "state"), [(29, "unconfirmed"), (31, "expired")])
    def test_what_was_never_confirmed_is_forgotten_after_thirty_days(
        self, acme: Tenant, visitor: Client, days: int, state: str
    ) -> None:
        send(visitor)
        with tenant_scope(acme):
            Submission.objects.update(at=timezone.now() - timedelta(days=days))
        submissions.expire()
        with tenant_scope(acme):
            submission = Submission.objects.get()
            assert (submission.state, bool(submission.values)) == (state, state == "unconfirmed")

    def test_what_was_confirmed_is_not_forgotten(self, acme: Tenant, visitor: Client) -> None:
        send(visitor)
        visitor.post(self.link(acme))
        with tenant_scope(acme):
            Submission.objects.update(at=timezone.now() - timedelta(days=99))
        submissions.expire()
        with tenant_scope(acme):
            assert Submission.objects.get().values["email"] == "eva@firma.example"

    def test_a_form_token_does_not_confirm(self, acme: Tenant, guide: Page, visitor: Client) -> None:
        assert visitor.get(f"/p/confirm/{tokens.form_token(guide.form_id)}/").status_code == 404


class TestVisits:
    def test_a_visit_by_a_link_of_an_e_mail_is_the_contacts(self, guide: Page, acme: Tenant, visitor: Client) -> None:
        with tenant_scope(acme):
            contact = Contact.objects.create(email="eva@firma.example")
            token = visitor_token(contact)
        visitor.post(ADDRESS + "visit/", {"o": token, "url": "https://x.example/p"})
        with tenant_scope(acme):
            visit = Interaction.objects.get(kind="page.visited")
            assert (visit.contact_id, visit.object_id) == (contact.pk, guide.pk)

    def test_looking_at_a_page_records_nothing_about_somebody_unknown(
        self, guide: Page, acme: Tenant, visitor: Client
    ) -> None:
        visitor.get(ADDRESS)
        visitor.post(ADDRESS + "visit/", {"o": "forged"})
        with tenant_scope(acme):
            assert not Interaction.objects.exists()

    def test_a_contact_who_must_not_be_tracked_is_not(self, guide: Page, acme: Tenant, visitor: Client) -> None:
        with tenant_scope(acme):
            token = visitor_token(Contact.objects.create(email="eva@firma.example", do_not_track=True))
        visitor.post(ADDRESS + "visit/", {"o": token})
        with tenant_scope(acme):
            assert not Interaction.objects.exists()

    def test_earlier_visits_of_a_browser_that_agreed_become_hers_once_she_is_known(
        self, guide: Page, acme: Tenant, visitor: Client
    ) -> None:
        visitor.post(ADDRESS + "recognise/")
        visitor.post(ADDRESS + "visit/")
        visitor.post(ADDRESS + "visit/")
        send(visitor)
        with tenant_scope(acme):
            contact = Contact.objects.get()
            assert Visitor.objects.get().contact_id == contact.pk
            assert Interaction.objects.filter(kind="page.visited", contact_id=contact.pk).count() == 2
