"""A mail server on its bad days, twenty rounds of each: who gets the mail gets it once, or is listed as uncertain."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from messaging import couriers, journal, outbox, outcomes, sending, smtp
from messaging.models import Message
from messaging.outcomes import Outcome
from tenants import wakeups
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.concurrency import processes
from tests.concurrency.threads import beside
from tests.standins.smtp import MailServer

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS, EACH = 20, 4
State = Message.State


class Post:
    """Acme's outbox and the server that it leaves by."""

    def __init__(self, tenant: Tenant, settings: Any, server: MailServer) -> None:
        self.tenant, self.settings, self.server = tenant, settings, server
        self.count = 0

    def order(self, count: int = EACH) -> list[str]:
        """So many more mails; their addresses."""
        numbers = range(self.count, self.count + count)
        self.count += count
        with tenant_scope(self.tenant):
            for number in numbers:
                outbox.order_notice(f"n:{number}", f"p{number}@lead.example", "Hello", "Text")
        return [f"p{number}@lead.example" for number in numbers]

    def send(self) -> None:
        """A worker's look at the queue, when every wait is over."""
        cache.clear()
        with tenant_scope(self.tenant):
            Message.objects.filter(state=State.QUEUED).update(next_attempt_at=timezone.now())
            wakeups.announce("mail")
        wakeups.work(self.tenant.pk, "mail")

    def lead_to(self, port: int) -> None:
        self.settings.EMAIL_CONFIG = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port, "EMAIL_HOST_USER": ""}
        self.settings.EMAIL_CONFIG |= {"EMAIL_HOST_PASSWORD": ""}

    def states(self) -> dict[str, str]:
        with tenant_scope(self.tenant):
            return dict(Message.objects.values_list("address", "state"))


@pytest.fixture
def post(acme: Tenant, settings: Any, tmp_path: Path) -> Iterator[Post]:
    settings.VAR_DIR = tmp_path
    settings.EMAIL_CONNECTIONS = 1
    with MailServer() as server:
        post = Post(acme, settings, server)
        post.lead_to(server.port)
        yield post


def everybody_once(post: Post) -> None:
    assert set(post.states().values()) == {State.SENT}
    assert post.server.received() == dict.fromkeys(post.states(), 1)


def test_down_it_keeps_everybody_waiting(post: Post) -> None:
    down(post)
    everybody_once(post)


def test_control_without_giving_back_what_was_claimed_nobody_gets_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "give_back", lambda lease, ids: None)
    down(post)
    assert post.server.mails == []


def down(post: Post) -> None:
    with MailServer() as gone:
        pass
    for _ in range(ROUNDS):
        post.order()
        post.lead_to(gone.port)
        post.send()
        post.lead_to(post.server.port)
        post.send()


def test_hanging_up_before_the_final_dot_it_leaves_nobody_in_doubt(post: Post) -> None:
    for _ in range(ROUNDS):
        post.order()
        post.server.hang_up = 1
        post.send()
        post.send()
    everybody_once(post)


def test_refusing_one_recipient_it_serves_the_others(post: Post) -> None:
    assert refusing_one(post) == Counter({State.SENT: ROUNDS * (EACH - 1), State.FAILED: ROUNDS})
    assert set(post.server.received().values()) == {1}


def test_control_without_a_reset_after_a_refusal_others_do_not_get_theirs(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp.Connection, "_reset", lambda connection, is_open: None)
    assert refusing_one(post)[State.SENT] < ROUNDS * (EACH - 1)


def refusing_one(post: Post) -> Counter[str]:
    """How many messages are in each state after one of each round's recipients was refused."""
    rng = random.Random(5)
    for _ in range(ROUNDS):
        addresses = post.order()
        post.server.refuse = {rng.choice(addresses[:-1]): "554 5.7.1 Policy"}
        post.send()
    return Counter(post.states().values())


def test_greylisting_it_gets_the_mail_once_more(post: Post) -> None:
    greylisting(post)
    everybody_once(post)
    assert post.server.commands["RCPT"] == 2 * ROUNDS * EACH


def test_control_taken_for_a_refusal_a_greylisting_costs_everybody_the_mail(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "classify", lambda reply: Outcome.SENT if reply.is_positive else Outcome.REFUSED)
    greylisting(post)
    assert set(post.states().values()) == {State.FAILED}


def greylisting(post: Post) -> None:
    for _ in range(ROUNDS):
        post.server.put_off = set(post.order())
        post.send()
        post.send()


def test_dying_after_the_final_dot_it_leaves_one_uncertain_each_time(post: Post) -> None:
    dying_after_the_dot(post)
    assert Counter(post.states().values()) == {State.SENT: ROUNDS * (EACH - 1), State.UNCERTAIN: ROUNDS}
    assert post.server.received() == dict.fromkeys(post.states(), 1)


def test_control_taken_for_lost_the_mail_at_hand_arrives_twice(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def put_back(courier: couriers.Courier) -> None:
        for message in courier._in_hand.values():
            courier._desk.put_back(message)

    monkeypatch.setattr(couriers.Courier, "_let_go", put_back)
    dying_after_the_dot(post)
    assert Counter(post.server.received().values())[2] == ROUNDS


def dying_after_the_dot(post: Post) -> None:
    for _ in range(ROUNDS):
        post.order()
        post.server.vanish = 1
        post.send()
        post.send()


def test_slow_it_is_not_sent_the_same_by_a_second_sender(post: Post) -> None:
    for _ in range(ROUNDS):
        slow(post)
    everybody_once(post)


def test_control_a_second_sender_that_takes_a_slow_one_for_dead_sends_its_mails_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal.fcntl, "flock", lambda descriptor, how: None)
    slow(post)
    assert Counter(post.server.received().values())[2] == EACH - 1, "all but the one that was at the server"


def slow(post: Post) -> None:
    """A second sender comes while the first one waits for the server's answer to the first of its mails."""
    server, before = post.server, len(post.server.mails)
    server.hold = threading.Event()
    post.order()
    with beside(work(post)):
        processes.until(lambda: len(server.mails) > before, "the first mail")
        hold, server.hold = server.hold, None
        work(post)()
        hold.set()


def work(post: Post) -> Callable[[], object]:
    """A sender's look, whoever else is at it."""
    return lambda: sending.work(post.tenant.pk, time.monotonic() + 60)
