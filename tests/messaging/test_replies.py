"""What a mail server's replies lead to: sent again, given up, suppressed, left uncertain."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from messaging import outbox
from messaging.models import Message, Suppression
from tenants import wakeups
from tenants.scope import tenant_scope
from tests.messaging.outgoing import kinds, order, send, state_of

State = Message.State
pytestmark = pytest.mark.django_db(transaction=True)


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
