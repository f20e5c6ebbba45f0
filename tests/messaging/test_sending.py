"""From the outbox to a mail server: what is sent, to whom, once, and what its replies lead to."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from contacts import consent
from contacts.models import Contact, Field, Interaction
from messaging import outbox, publishing, sending
from messaging.designs import blocks
from messaging.models import Email, Message, Suppression
from tenants import wakeups
from tenants.scope import tenant_scope
from tests.standins.smtp import MailServer

State = Message.State
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings: Any, tmp_path: Any) -> Iterator[MailServer]:
    """The configured mail server; the sender's journals are in a folder of their own."""
    cache.clear()
    with MailServer() as server:
        settings.EMAIL_CONFIG = {**settings.EMAIL_CONFIG, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": server.port}
        settings.VAR_DIR = tmp_path
        yield server


@pytest.fixture
def live(acme, email, max_) -> Email:
    """The e-mail with a live version."""
    with tenant_scope(acme):
        publishing.save_draft(
            email,
            subject="Hello {{ contact.first_name | default('you') }}",
            preheader="News",
            blocks=[
                blocks.new("text", html="Dear {{ contact.first_name }}, <b>spring</b> is here. .\n.dots"),
                blocks.new("button", label="Read on", url="https://acme.example/spring?a=1&b=2"),
            ],
        )
        publishing.go_live(email, max_)
    return email


def order(acme, email, *contacts, **values) -> None:
    with tenant_scope(acme):
        for contact in contacts:
            outbox.order(f"visit:{contact.pk}", contact=contact, email=email, **values)


def send() -> None:
    wakeups.run_due()


def state_of(acme, contact) -> tuple[str, str]:
    with tenant_scope(acme):
        message = Message.objects.get(contact=contact)
        return message.state, message.reason


def kinds(acme, contact) -> list[str]:
    with tenant_scope(acme):
        rows = Interaction.objects.filter(contact_id=contact.pk, kind__startswith="email.")
        return list(rows.order_by("pk").values_list("kind", flat=True))


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


@pytest.mark.parametrize(
    ("reply", "state", "kind", "suppressed"),
    [
        ("550 5.1.1 No such user", State.FAILED, "email.hard_bounced", True),
        ("550 No such user", State.FAILED, "email.hard_bounced", True),
        ("552 5.2.2 Mailbox full", State.FAILED, "email.soft_bounced", False),
        ("554 5.7.1 Policy", State.FAILED, "email.failed", False),
    ],
)
def test_a_refused_recipient_fails_and_the_others_get_theirs(
    acme, live, person, server, reply, state, kind, suppressed
) -> None:
    people = [person(name) for name in ("amara", "bela", "cleo")]
    server.refuse["bela@lead.example"] = reply
    order(acme, live, *people)
    send()
    assert server.received() == {"amara@lead.example": 1, "cleo@lead.example": 1}
    assert state_of(acme, people[1]) == (state, reply)
    assert kinds(acme, people[1]) == [kind]
    with tenant_scope(acme):
        effective = Suppression.objects.exclude(reason=Suppression.Reason.SOFT_BOUNCES).exists()
    assert effective == suppressed


def test_a_put_off_mail_is_tried_again_later(acme, live, person, server) -> None:
    amara = person("amara")
    server.put_off.add(amara.email)
    order(acme, live, amara)
    before = timezone.now()
    send()
    state, reason = state_of(acme, amara)
    assert (state, reason[:3], server.mails) == (State.QUEUED, "451", [])
    with tenant_scope(acme):
        message = Message.objects.get()
        assert before <= message.next_attempt_at - timedelta(minutes=1) <= timezone.now()
        Message.objects.update(next_attempt_at=timezone.now())
        wakeups.announce("mail")
    send()
    assert state_of(acme, amara)[0] == State.SENT
    assert server.received() == {amara.email: 1}


def test_what_is_put_off_for_ever_fails_in_the_end(acme, live, person, server) -> None:
    amara = person("amara")
    server.refuse[amara.email] = "450 4.2.0 Not now"
    order(acme, live, amara)
    for _attempt in range(8):
        send()
        with tenant_scope(acme):
            Message.objects.filter(state=State.QUEUED).update(next_attempt_at=timezone.now())
            wakeups.announce("mail")
    assert state_of(acme, amara)[0] == State.FAILED
    assert kinds(acme, amara) == ["email.soft_bounced"]


def test_five_soft_bounces_in_a_row_suppress_and_a_delivery_forgives(acme, live, person, server) -> None:
    amara = person("amara")

    def attempt(key: str) -> None:
        with tenant_scope(acme):
            outbox.order(key, contact=amara, email=live)
        send()

    server.refuse[amara.email] = "552 5.2.2 Mailbox full"
    for number in range(4):
        attempt(f"full:{number}")
    server.refuse.clear()
    attempt("empty")
    with tenant_scope(acme):
        assert not Suppression.objects.exists()
    server.refuse[amara.email] = "552 5.2.2 Mailbox full"
    for number in range(6):
        attempt(f"again:{number}")
    with tenant_scope(acme):
        assert Message.objects.get(key="again:4").state == State.FAILED
        assert (Message.objects.get(key="again:5").state, Message.objects.get(key="again:5").reason) == (
            State.BLOCKED,
            "suppressed",
        )


def test_a_refused_sender_is_our_own_mistake_and_costs_nobody_a_mail(acme, live, person, server) -> None:
    amara = person("amara")
    server.refuse_sender["news@acme.example"] = "550 5.7.1 Sender not allowed"
    order(acme, live, amara)
    send()
    assert state_of(acme, amara) == (State.QUEUED, "550 5.7.1 Sender not allowed")
    with tenant_scope(acme):
        assert (Message.objects.get().attempts, Suppression.objects.exists()) == (0, False)


def test_a_lost_reply_is_uncertain_and_never_resent_by_itself(acme, live, person, server, max_) -> None:
    amara, bela = person("amara"), person("bela")
    server.vanish = 1
    order(acme, live, amara, bela)
    send()
    assert state_of(acme, amara)[0] == State.UNCERTAIN
    assert state_of(acme, bela)[0] == State.QUEUED
    cache.clear()
    with tenant_scope(acme):
        wakeups.announce("mail")
    send()
    assert server.received() == {amara.email: 1, bela.email: 1}
    with tenant_scope(acme):
        outbox.resend(Message.objects.get(contact=amara), max_)
    send()
    assert server.received() == {amara.email: 2, bela.email: 1}


def test_a_server_that_is_away_keeps_the_mail_queued_and_is_left_alone(acme, live, person, server) -> None:
    amara = person("amara")
    server.greeting = "421 4.3.2 Not today"
    order(acme, live, amara)
    send()
    assert state_of(acme, amara)[0] == State.QUEUED
    tried = server.connections
    with tenant_scope(acme):
        wakeups.announce("mail")
    send()
    assert server.connections == tried, "the breaker is open"
    cache.clear()
    server.greeting = "220 ready"
    with tenant_scope(acme):
        wakeups.announce("mail")
    send()
    assert state_of(acme, amara)[0] == State.SENT


def test_a_server_that_closes_after_some_mails_is_connected_to_again(acme, live, person, server, settings) -> None:
    settings.EMAIL_CONNECTIONS = 1
    server.mails_per_connection = 2
    people = [person(f"p{number}") for number in range(5)]
    order(acme, live, *people)
    send()
    assert server.received() == {contact.email: 1 for contact in people}
    assert server.connections == 3


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
