"""What a public form makes of input that no form of ours sends: a clear word or a recorded reason, and nothing lost."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test import Client

from contacts.models import Contact, Field, Interaction
from pages import submissions, tokens
from pages.models import Form, Page, Submission
from tenants.models import Tenant
from tenants.scope import tenant_scope

ADDRESS = "/p/acme/guide/"
MEGABYTE = "x" * 1_000_000
ASKED = ("email", "first_name", "phone", "country", "custom.tier", "custom.size", "message")


@pytest.fixture
def form(acme: Tenant) -> Form:
    """A form that asks for everything, on a live page; its token is `tokens.form_token(form.pk)`."""
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="tier", label="Tier", type="choice", options=["gold", "silver"])
        Field.objects.create(entity="contact", key="size", label="Size", type="number")
        fields = [{"key": key, "label": key.title(), "is_required": key == "email"} for key in ASKED]
        made = Form.objects.create(name="Guide", fields=fields, consent="none")
        Page.objects.create(name="Guide", slug="guide", state="live", form=made)
        return made


@pytest.fixture
def visitor() -> Client:
    client = Client()
    client.raise_request_exception = False
    return client


def send(client: Client, form: Form, **values: Any) -> Any:
    entered = {"token": tokens.form_token(form.pk), "email": "eva@firma.example", **values}
    body = urlencode(entered, errors="surrogatepass")
    return client.post(ADDRESS, body, content_type="application/x-www-form-urlencoded")


def test_an_empty_request_names_what_is_missing(form: Form, visitor: Client) -> None:
    assert visitor.post(ADDRESS, {}).status_code == 422
    answer = visitor.post(ADDRESS, {"token": tokens.form_token(form.pk)})
    assert answer.status_code == 422
    assert "required" in answer.content.decode()


@pytest.mark.parametrize("key", [*ASKED, "token", "o", "consent", "unknown"])
@pytest.mark.parametrize("value", [MEGABYTE, "a\x00b", "\udcff", "💥" * 300, "' OR 1=1 --"], ids=str.__len__)
def test_no_value_of_any_field_is_a_crash(form: Form, acme: Tenant, visitor: Client, key: str, value: str) -> None:
    answer = send(visitor, form, **{key: value})
    assert answer.status_code in (302, 422)
    with tenant_scope(acme):
        assert Submission.objects.count() == (answer.status_code == 302)


def test_a_field_of_a_strange_name_is_kept_and_harms_nothing(form: Form, acme: Tenant, visitor: Client) -> None:
    assert send(visitor, form, **{"a\x00b": "c\x00d", "tenant_id": "2", "__class__": "x"}).status_code == 302
    with tenant_scope(acme):
        assert Submission.objects.get().unknown_values == {"ab": "cd", "tenant_id": "2", "__class__": "x"}


def test_a_body_beyond_all_bounds_is_refused_without_a_crash(form: Form, visitor: Client) -> None:
    assert send(visitor, form, message="x" * 3_000_000).status_code == 400
    assert send(visitor, form, **{f"field{n}": "x" for n in range(1_100)}).status_code == 400


def test_the_same_sent_again_is_the_same_and_a_correction_is_not_lost(
    form: Form, acme: Tenant, visitor: Client
) -> None:
    token = tokens.form_token(form.pk)
    for email in ("eva@firma.exampel", "eva@firma.exampel", "eva@firma.example"):
        assert visitor.post(ADDRESS, {"token": token, "email": email}).status_code == 302
    with tenant_scope(acme):
        sent = Submission.objects.order_by("pk").values_list("values__email", flat=True)
        assert list(sent) == ["eva@firma.exampel", "eva@firma.example"]


@pytest.mark.django_db(transaction=True)
def test_a_double_click_is_one_submission(form: Form, acme: Tenant) -> None:
    entered = {"token": tokens.form_token(form.pk), "email": "eva@firma.example", "first_name": "Eva"}

    def click(_n: int) -> int:
        try:
            return Client().post(ADDRESS, entered).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as hands:
        assert list(hands.map(click, range(4))) == [302] * 4
    with tenant_scope(acme):
        assert Submission.objects.count() == Contact.objects.count() == 1
        assert Interaction.objects.filter(kind="form.submitted").count() == 1


@pytest.mark.parametrize("phone", ["ask my boss", "12"])
def test_what_cannot_be_used_is_kept_with_the_reason_and_tried_again(
    form: Form, acme: Tenant, visitor: Client, phone: str
) -> None:
    answer = send(visitor, form, phone=phone, first_name="Eva")
    assert answer.status_code == 302
    with tenant_scope(acme):
        submission = Submission.objects.get()
        assert (submission.state, submission.values["phone"]) == ("failed", phone)
        assert "cannot be read" in submission.error
        assert not Contact.objects.exists()
        assert not submissions.retry(submission)
        Submission.objects.update(values={**submission.values, "phone": "+4930901820"})
        assert submissions.retry(Submission.objects.get())
        assert (Submission.objects.get().state, Submission.objects.get().error) == ("done", "")
        assert Contact.objects.get().phone == "+4930901820"


@pytest.mark.parametrize("how", ["retired", "deleted"])
def test_a_field_that_went_while_the_page_was_open_loses_nothing(
    form: Form, acme: Tenant, visitor: Client, how: str
) -> None:
    with tenant_scope(acme):
        tier = Field.objects.filter(key="tier")
        tier.update(retired_at="2026-01-01T00:00Z") if how == "retired" else tier.delete()
    assert send(visitor, form, **{"custom.tier": "gold"}).status_code == 302
    with tenant_scope(acme):
        assert Submission.objects.get().unknown_values == {"custom.tier": "gold"}
        assert "tier" not in Contact.objects.get().custom


def test_a_form_sent_from_a_page_that_was_archived_meanwhile_arrives(form: Form, acme: Tenant, visitor: Client) -> None:
    with tenant_scope(acme):
        Page.objects.update(state="archived")
    answer = send(visitor, form)
    assert (answer.status_code, visitor.get(answer["Location"]).status_code) == (302, 200)
    assert visitor.get(ADDRESS).status_code == 404
    with tenant_scope(acme):
        assert Submission.objects.get().state == "done"


@pytest.mark.parametrize("token", [MEGABYTE, "\x00", "1:1:1", "é.1", "9" * 400])
def test_a_confirmation_that_is_no_token_of_ours_is_not_found(acme: Tenant, visitor: Client, token: str) -> None:
    for method in (visitor.get, visitor.post):
        assert method(f"/p/confirm/{quote(token[:5000])}/").status_code == 404


def test_a_beacon_says_whatever_it_likes_and_crashes_nothing(form: Form, visitor: Client) -> None:
    visitor.post(ADDRESS + "recognise/")
    for key in ("url", "referrer", "o"):
        for value in (MEGABYTE, "a\x00b", "💥" * 600):
            assert visitor.post(ADDRESS + "visit/", {key: value}).status_code == 204
