"""The pages of messaging, as marketers use them."""

import re
from typing import Any

import pytest

from messaging import outbox, publishing
from messaging.designs import blocks
from messaging.models import CaughtMail, ContentSettings, Email, EmailVersion, Link, LinkClick, Message, Suppression
from tenants.scope import tenant_scope


def design(tenant, email) -> list[dict]:
    with tenant_scope(tenant):
        return publishing.latest_of(email).blocks


@pytest.fixture
def draft(acme, email) -> Email:
    """The e-mail with a complete draft."""
    with tenant_scope(acme):
        publishing.save_draft(
            email,
            subject="Hello {{ contact.first_name }}",
            preheader="News",
            blocks=[
                blocks.new("heading", text="Dear {{ contact.first_name | default('friend') }}"),
                blocks.new("button", label="Read on", url="https://acme.example/a"),
            ],
        )
    return email


def test_an_email_is_made_designed_and_goes_live(acme, sender, newsletter, max_, client_of) -> None:
    client = client_of(max_)
    assert "Write the first one" in client.get("/emails/").content.decode()
    answer = client.post("/emails/new/", {"name": "Spring", "designation": "commercial", "purpose": newsletter.pk})
    with tenant_scope(acme):
        email = Email.objects.get(name="Spring")
    assert answer["Location"] == f"/t/acme/emails/{email.pk}/edit/"
    page = client.get(f"/emails/{email.pk}/edit/").content.decode()
    assert "The subject is missing." in page
    client.post(f"/emails/{email.pk}/head/", {"subject": "News", "preheader": "From us"})
    _heading, text, button = design(acme, email)
    saved = {f"{button['id']}-{name}": value for name, value in button["props"].items()}
    saved |= {f"{button['id']}-label": "Go", f"{button['id']}-url": "https://acme.example/"}
    client.post(f"/emails/{email.pk}/blocks/{button['id']}/", saved)
    client.post(f"/emails/{email.pk}/blocks/{text['id']}/remove/")
    client.post(f"/emails/{email.pk}/blocks/", {"kind": "divider", "after": button["id"]})
    client.post(f"/emails/{email.pk}/blocks/{design(acme, email)[-1]['id']}/move/", {"to": "up"})
    assert [block["kind"] for block in design(acme, email)] == ["heading", "divider", "button"]
    answer = client.post(f"/emails/{email.pk}/go-live/", follow=True)
    assert "Version 1 is live" in answer.content.decode()
    with tenant_scope(acme):
        assert EmailVersion.objects.get().state == "live"
        assert Link.objects.get().key == "go"
    assert "Live v1" in client.get("/emails/").content.decode()


def test_a_faulty_draft_does_not_go_live(acme, email, max_, client_of) -> None:
    with tenant_scope(acme):
        publishing.save_draft(email, blocks=[blocks.new("text", html="{{ contact.shoe_size }}")])
    answer = client_of(max_).post(f"/emails/{email.pk}/go-live/", follow=True)
    assert "Unknown name: contact.shoe_size" in answer.content.decode()
    with tenant_scope(acme):
        assert not EmailVersion.objects.filter(state="live").exists()


def test_a_draft_stands_beside_the_live_version_and_can_be_thrown_away(acme, draft, max_, client_of) -> None:
    client = client_of(max_)
    client.post(f"/emails/{draft.pk}/go-live/")
    client.post(f"/emails/{draft.pk}/head/", {"subject": "Changed"})
    page = client.get(f"/emails/{draft.pk}/").content.decode()
    assert "Draft of v2" in page
    assert "live v1" in page
    with tenant_scope(acme):
        assert publishing.live_of(draft).subject == "Hello {{ contact.first_name }}"
    client.post(f"/emails/{draft.pk}/discard/")
    assert "Draft of" not in client.get(f"/emails/{draft.pk}/").content.decode()


def test_a_refused_block_keeps_the_input_and_says_why(acme, draft, max_, client_of) -> None:
    button = design(acme, draft)[1]
    entered = {f"{button['id']}-label": "Kept", f"{button['id']}-color": "red", f"{button['id']}-align": "left"}
    answer = client_of(max_).post(f"/emails/{draft.pk}/blocks/{button['id']}/", entered, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert 'value="Kept"' in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert design(acme, draft)[1] == button


@pytest.mark.parametrize("path", ["blocks/bffffffff/", "blocks/bffffffff/move/", "blocks/bffffffff/remove/"])
def test_a_block_that_is_gone_is_not_found(draft, max_, client_of, path) -> None:
    assert client_of(max_).post(f"/emails/{draft.pk}/{path}").status_code == 404


def test_the_preview_is_filled_as_for_a_contact_and_runs_in_nobodys_origin(draft, person, max_, client_of) -> None:
    person("amara")
    answer = client_of(max_).get(f"/emails/{draft.pk}/preview/?as=amara@lead.example")
    assert "Dear Amara" in answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert "Dear friend" in client_of(max_).get(f"/emails/{draft.pk}/preview/").content.decode()
    text = client_of(max_).get(f"/emails/{draft.pk}/preview/?part=text").content.decode()
    assert "Read on: https://acme.example/a" in text


def test_what_people_are_called_is_text_in_the_preview(draft, person, max_, client_of) -> None:
    person("amara", first_name="<script>alert(1)</script>")
    page = client_of(max_).get(f"/emails/{draft.pk}/preview/?as=amara@lead.example").content.decode()
    assert "<script" not in page


def test_a_test_is_ordered_for_a_known_contact_only(acme, draft, person, max_, client_of) -> None:
    client = client_of(max_)
    wrong = client.post(f"/emails/{draft.pk}/test/", {"address": "max@acme.example", "contact": "no@lead.example"})
    assert wrong.status_code == 422
    person("amara")
    client.post(f"/emails/{draft.pk}/test/", {"address": "max@acme.example", "contact": "amara@lead.example"})
    with tenant_scope(acme):
        message = Message.objects.get()
        assert (message.address, message.contact, message.content["subject_prefix"]) == (
            "max@acme.example",
            None,
            "[Test] ",
        )


def test_numbers_lead_to_the_people_behind_them(acme, draft, person, max_, client_of) -> None:
    client = client_of(max_)
    client.post(f"/emails/{draft.pk}/go-live/")
    with tenant_scope(acme):
        link = Link.objects.get()
        for name in ("amara", "bela"):
            contact = person(name)
            outbox.order(f"v:{name}", contact=contact, email=draft)
        Message.objects.update(state="sent", finished_at="2026-03-01T12:00Z")
        clicked = Message.objects.get(key="v:bela")
        Message.objects.filter(pk=clicked.pk).update(opened_at="2026-03-01T12:05Z", clicked_at="2026-03-01T12:05Z")
        LinkClick.objects.create(link=link, message_id=clicked.pk, at="2026-03-01T12:05Z")
    page = client.get(f"/emails/{draft.pk}/").content.decode()
    assert re.search(r"people/sent/\">2</a>", page)
    assert re.search(r"people/clicked/\">1 <small>50.0 %</small></a>", page)
    assert "1 person" in page
    sent = client.get(f"/emails/{draft.pk}/people/sent/").content.decode()
    assert "Amara" in sent
    assert "Bela" in sent
    for path in ("opened/", f"clicked/?link={link.pk}"):
        found = client.get(f"/emails/{draft.pk}/people/{path}").content.decode()
        assert "Bela" in found
        assert "Amara" not in found
    assert client.get(f"/emails/{draft.pk}/people/nonsense/").status_code == 404
    assert client.get(f"/emails/{draft.pk}/people/clicked/?link=x1").status_code == 200


@pytest.mark.parametrize("path", ["/emails/", "/emails/outbox/?state=queued", "/emails/suppressions/"])
def test_lists_cost_the_same_at_one_row_and_at_many(
    acme, draft, person, max_, client_of, path, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    def fill(count: int) -> None:
        with tenant_scope(acme):
            for _number in range(count):
                name = f"x{Email.objects.count()}"
                email = publishing.create(name, by=max_)
                outbox.order(f"v:{name}", contact=person(name), email=email)
                Suppression.objects.create(address=f"{name}@x.example", reason="manual")

    client = client_of(max_)
    fill(1)
    client.get(path)
    with django_assert_max_num_queries(20) as captured:
        client.get(path)
    fill(15)
    with django_assert_num_queries(len(captured)):
        client.get(path)


def test_the_outbox_shows_reasons_and_settles_the_uncertain(acme, draft, person, max_, client_of) -> None:
    client = client_of(max_)
    with tenant_scope(acme):
        message = outbox.order("v:1", contact=person("amara"), email=draft)
        Message.objects.update(reason="451 4.7.1 Greylisted")
    assert "451 4.7.1 Greylisted" in client.get("/emails/outbox/").content.decode()
    with tenant_scope(acme):
        Message.objects.update(state="uncertain")
    assert "Resend" in client.get("/emails/outbox/?state=uncertain").content.decode()
    client.post(f"/emails/outbox/{message.pk}/settle/", {"action": "resend"})
    answer = client.post(f"/emails/outbox/{message.pk}/settle/", {"action": "leave"}, follow=True)
    assert "settled it already" in answer.content.decode()
    with tenant_scope(acme):
        assert Message.objects.get().state == "queued"


def test_an_analyst_looks_and_touches_nothing(acme, draft, ava, client_of) -> None:
    client = client_of(ava)
    page = client.get(f"/emails/{draft.pk}/").content.decode()
    assert "Go live" not in page
    assert client.post(f"/emails/{draft.pk}/go-live/").status_code == 403
    assert client.get(f"/emails/{draft.pk}/edit/").status_code == 403


RAW = """From: news@acme.example\r\nTo: a@b.example\r\nSubject: Caught\r\nMIME-Version: 1.0
Content-Type: text/html; charset=utf-8\r\n\r\n<html><head></head><body><script>alert(1)</script><a href="http://x/c/1">go</a></body></html>"""


def test_a_caught_mail_is_shown_in_an_origin_of_its_own(acme, rival, rob, max_, client_of) -> None:
    with tenant_scope(acme):
        mail = CaughtMail.objects.create(sender="a@b.example", recipient="c@d.example", subject="Caught", raw=RAW)
    client = client_of(max_)
    assert "Caught" in client.get("/emails/caught/").content.decode()
    assert "sandbox=" in client.get(f"/emails/caught/{mail.pk}/").content.decode()
    answer = client.get(f"/emails/caught/{mail.pk}/body/")
    assert '<base target="_blank">' in answer.content.decode()
    assert "sandbox allow-popups" in answer["Content-Security-Policy"]
    assert client_of(rob).get(f"/emails/caught/{mail.pk}/body/").status_code == 404


@pytest.mark.parametrize(
    "raw", ["", "nonsense", "Content-Type: text/html; charset=no-such\r\n\r\n<b>x", "Content-Type: image/png\r\n\r\nx"]
)
def test_a_broken_mail_is_shown_as_far_as_it_goes(acme, max_, client_of, raw) -> None:
    with tenant_scope(acme):
        mail = CaughtMail.objects.create(sender="a", recipient="b", raw=raw)
    for path in ("", "body/"):
        assert client_of(max_).get(f"/emails/caught/{mail.pk}/{path}").status_code == 200


def test_the_first_sender_is_the_default_and_a_new_default_takes_its_place(acme, ana, client_of) -> None:
    client = client_of(ana)
    values = {"from_name": "News", "from_email": "news@acme.example", "postal_address": "Street 1"}
    client.post("/emails/senders/new/", {"name": "One", **values})
    client.post("/emails/senders/new/", {"name": "Two", "is_default": "on", **values})
    with tenant_scope(acme):
        assert dict(ContentSettings.objects.values_list("name", "is_default")) == {"One": False, "Two": True}
    assert client.post("/emails/senders/new/", {"name": "Three"}).status_code == 422


def test_an_address_is_suppressed_and_lifted_by_hand_but_not_a_complaint(acme, max_, client_of) -> None:
    client = client_of(max_)
    client.post("/emails/suppressions/", {"address": " Some@Lead.example", "detail": "asked by phone"})
    with tenant_scope(acme):
        manual = Suppression.objects.get(address="some@lead.example")
        complaint = Suppression.objects.create(address="angry@lead.example", reason="complaint")
    client.post(f"/emails/suppressions/{manual.pk}/lift/")
    client.post(f"/emails/suppressions/{complaint.pk}/lift/")
    with tenant_scope(acme):
        assert list(Suppression.objects.values_list("address", flat=True)) == ["angry@lead.example"]
