"""From the outbox to a mail server: what is sent, to whom, and once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts import consent
from contacts.models import Contact, Field, Interaction
from messaging import outbox, publishing, sending
from messaging.designs import blocks
from messaging.models import Message
from tenants import wakeups
from tenants.scope import tenant_scope
from tests.messaging.outgoing import kinds, order, send, state_of
from tests.standins.smtp import MailServer

State = Message.State
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_mail_is_personal_complete_and_recorded(acme, live, person, server) -> None:
    amara = person("amara")
    order(acme, live, amara, journey_id=7, tile="mail")
    send()
    (mail,) = server.mails
    assert (mail.sender, mail.recipient) == ("news@acme.example", "amara@lead.example")
    assert mail.parsed["Subject"] == "Hello Amara"
    assert mail.parsed["From"] == "Acme News <news@acme.example>"
    assert mail.parsed["Message-ID"] == f"<visit.{amara.pk}.t{acme.pk}@acme.example>"
    assert mail.parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.parsed["List-Unsubscribe"].startswith("<http://127.0.0.1:8001/u/")
    assert "X-Onward-Tenant" not in mail.parsed
    assert "Dear Amara, <b>spring</b>" in mail.body("html")
    assert "Acme GmbH, Domplatz 1, Köln" in mail.body("plain")
    assert "acme.example/spring" not in mail.body("html"), "links lead through the tracking address"
    assert mail.body("html").count("http://127.0.0.1:8001/c/") == 1
    assert "\n.dots" in mail.body("plain")
    assert state_of(acme, amara) == (State.SENT, "")
    with tenant_scope(acme):
        row = Interaction.objects.get(kind="email.sent")
        message = Message.objects.get()
    assert (row.contact_id, row.object_id, row.message_id) == (amara.pk, live.pk, message.pk)
    assert (row.journey_id, row.tile, row.detail) == (7, "mail", {"email": "Spring"})
    assert not list((sending.journal.folder()).glob("*")), "the journal is gone when everything is recorded"


def test_many_are_sent_each_once_over_few_connections(acme, live, person, server) -> None:
    people = [person(f"p{number}") for number in range(60)]
    order(acme, live, *people)
    send()
    assert server.received() == {contact.email: 1 for contact in people}
    assert server.connections <= 4


def test_a_server_without_pipelining_gets_one_command_at_a_time(acme, live, person, server) -> None:
    server.is_pipelining = False
    server.refuse["p1@lead.example"] = "550 5.1.1 No such user"
    order(acme, live, *[person(f"p{number}") for number in range(3)])
    send()
    assert server.received() == {"p0@lead.example": 1, "p2@lead.example": 1}
    assert server.commands["DATA"] == 2


def test_the_last_look_blocks_who_refused_meanwhile(acme, live, person, server, newsletter) -> None:
    amara, bela, cleo = person("amara"), person("bela"), person("cleo")
    order(acme, live, amara, bela)
    order(acme, live, cleo, expires_at=timezone.now() - timedelta(minutes=1))
    with tenant_scope(acme):
        consent.refuse(bela, newsletter, source="test")
    send()
    assert server.received() == {amara.email: 1}
    assert state_of(acme, bela) == (State.BLOCKED, "no_consent")
    assert state_of(acme, cleo) == (State.BLOCKED, "expired")
    assert kinds(acme, bela) == ["email.blocked"]


def test_a_contact_who_was_erased_while_the_mail_was_ordered_gets_none_and_leaves_no_address(
    acme, live, person, server
) -> None:
    amara, gone = person("amara"), person("gone")
    order(acme, live, amara, gone)
    with tenant_scope(acme):
        nobody = gone.pk + 1_000  # as if the eraser had looked before the message was there
        Message.objects.filter(contact=gone).update(contact_id=nobody)
    send()
    assert server.received() == {amara.email: 1}
    with tenant_scope(acme):
        message = Message.objects.get(contact_id=nobody)
        assert (message.state, message.reason, message.address) == (State.BLOCKED, "inactive", "")


def test_more_blocked_than_a_batch_holds_does_not_end_the_run(acme, live, person, server, monkeypatch) -> None:
    monkeypatch.setattr(sending, "FIRST_BATCH", 2)
    refused = [person(f"r{number}", agreed=False) for number in range(6)]
    amara = person("amara")
    order(acme, live, *refused, amara)
    send()
    assert server.received() == {amara.email: 1}


def test_one_address_gets_one_mail_per_tile_whoever_has_it(acme, live, person, server) -> None:
    amara = person("amara")
    order(acme, live, amara, journey_id=7, tile="mail")
    with tenant_scope(acme):
        Contact.objects.filter(pk=amara.pk).update(is_active=False)
    again = person("amara")
    order(acme, live, again, journey_id=7, tile="mail")
    with tenant_scope(acme):
        Contact.objects.filter(pk=again.pk).update(is_active=False)
        Contact.objects.filter(pk=amara.pk).update(is_active=True)
        outbox.order("other", contact=again, email=live, journey_id=7, tile="mail")
        Contact.objects.filter(pk=amara.pk).update(is_active=False)
        Contact.objects.filter(pk=again.pk).update(is_active=True)
        Message.objects.filter(contact=amara).update(state=State.SENT)
        wakeups.announce("mail")
    send()
    assert server.mails == []
    with tenant_scope(acme):
        reasons = set(Message.objects.filter(contact=again).values_list("reason", flat=True))
    assert reasons == {"duplicate"}


def test_the_latest_live_version_goes_to_the_present_address(acme, live, person, server, max_) -> None:
    amara = person("amara")
    order(acme, live, amara)
    with tenant_scope(acme):
        publishing.save_draft(live, subject="Second")
        publishing.go_live(live, max_)
        publishing.save_draft(live, subject="A draft that nobody gets")
        Contact.objects.filter(pk=amara.pk).update(email="new@lead.example")
    send()
    assert (server.mails[0].recipient, server.mails[0].parsed["Subject"]) == ("new@lead.example", "Second")


def test_an_email_without_live_version_is_not_sent(acme, email, person, server) -> None:
    amara = person("amara")
    order(acme, email, amara)
    send()
    assert state_of(acme, amara) == (State.BLOCKED, "not_live")


def test_a_notice_goes_out_before_bulk_mail(acme, live, person, server, settings) -> None:
    settings.EMAIL_CONNECTIONS = 1
    people = [person(f"p{number}") for number in range(3)]
    order(acme, live, *people, priority=Message.Priority.BULK)
    with tenant_scope(acme):
        outbox.order_notice(
            "n:1", "sam@acme.example", "Für dich", "A lead\n\nCall her", path_button=("Open", "http://x/")
        )
    send()
    assert server.mails[0].recipient == "sam@acme.example"
    assert server.mails[0].parsed["Subject"] == "Für dich"
    assert "Open: http://x/" in server.mails[0].body("plain")
    assert len(server.mails) == 4


def test_sample_companies_mail_goes_to_the_catcher_whatever_the_settings_say(
    acme, live, person, server, settings
) -> None:
    acme.is_sample = True
    acme.save()
    with MailServer() as catcher:
        settings.CATCHER_URL = catcher.url
        order(acme, live, person("amara"))
        send()
        assert (len(catcher.mails), server.mails) == (1, [])
        assert catcher.mails[0].parsed["X-Onward-Tenant"] == "acme"


def test_a_test_mail_goes_to_the_member_and_counts_nowhere(acme, live, person, server, max_) -> None:
    amara = person("amara", agreed=False)
    with tenant_scope(acme):
        publishing.save_draft(live, subject="Draft for {{ contact.first_name }}")
        publishing.send_test(live, "max@acme.example", as_contact=amara, by=max_)
    send()
    (mail,) = server.mails
    assert (mail.recipient, mail.parsed["Subject"]) == ("max@acme.example", "[Test] Draft for Amara")
    assert kinds(acme, amara) == []


def test_a_slow_server_gets_no_more_than_the_budget_allows(acme, live, person, server, settings) -> None:
    settings.EMAIL_CONNECTIONS = 1
    server.delay = 0.3
    people = [person(f"p{number}") for number in range(6)]
    order(acme, live, *people)
    assert wakeups.work(acme.pk, "mail", 0.7) is True
    with tenant_scope(acme):
        states = list(Message.objects.values_list("state", flat=True))
    assert set(states) <= {State.SENT, State.QUEUED}
    assert State.QUEUED in states
    assert states.count(State.SENT) == len(server.mails)


LONG = "".join("{% for " + x + " in contact.first_name %}" for x in "abc") + "x" + "{% endfor %}" * 3


def test_a_text_that_would_never_be_finished_for_somebody_fails_for_her_alone_and_says_why(
    acme, email, person, max_, server
) -> None:
    with tenant_scope(acme):
        publishing.save_draft(email, subject="Hi", blocks=[blocks.new("text", html=LONG)])
        publishing.go_live(email, max_)
    short, long = person("bo"), person("amara", first_name="A" * 100)
    order(acme, email, short, long)
    send()
    assert server.received() == {short.email: 1}
    assert state_of(acme, short) == (State.SENT, "")
    assert state_of(acme, long) == (State.FAILED, "The text does too much: it would never be finished.")
    assert kinds(acme, long) == ["email.failed"]


def test_an_email_that_names_a_field_which_was_retired_since_says_so_in_the_outbox(
    acme, email, person, max_, server
) -> None:
    with tenant_scope(acme):
        tier = Field.objects.create(entity="contact", key="tier", label="Tier", type="text")
        publishing.save_draft(email, subject="For {{ contact.custom.tier }}", blocks=[blocks.new("text", html="Hi")])
        publishing.go_live(email, max_)
        Field.objects.filter(pk=tier.pk).update(retired_at=timezone.now())
    amara = person("amara")
    order(acme, email, amara)
    send()
    assert server.received() == {}
    assert state_of(acme, amara) == (State.FAILED, "A name is unknown.")
