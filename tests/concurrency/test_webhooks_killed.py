"""Senders of webhooks are killed while they call: everything arrives, in order, and a receiver can tell repeats."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from contacts import timeline
from contacts.models import Contact
from integrations.models import Delivery
from integrations.webhooks import endpoints
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.concurrency import callers, processes
from tests.standins.receiver import Call, Receiver, Say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
CONTACTS, FACTS_EACH = 60, 25
SENDERS = 2
# A sender is killed after so many more calls, at a random moment.
CALLS_BETWEEN = 25
State = Delivery.State


@pytest.fixture
def receiver(acme: Tenant, ana: Member) -> Iterator[Receiver]:
    """A receiver of Acme's that is slow, and now and then fails or hangs up after it has taken the message."""
    rng = random.Random(7)
    with Receiver() as receiver:
        with tenant_scope(acme):
            _endpoint, secret = endpoints.add(f"{receiver.url}/in", ["email.clicked"], by=ana)
        receiver.secrets = [secret]
        receiver.delay = 0.02
        receiver.decide = lambda body: rng.choices([None, Say(503), Say(then="reset")], [96, 2, 2])[0]
        yield receiver


class Sender:
    """A worker process, which says when it has begun."""

    def __init__(self, receiver: Receiver, folder: Path, guard: str) -> None:
        self._ready = folder / uuid4().hex
        self._process = processes.start(callers.work, receiver.url, self._ready, guard)

    def kill(self) -> None:
        processes.kill(self._process)

    def is_ready(self) -> bool:
        return self._ready.exists()


def fire(
    acme: Tenant,
    receiver: Receiver,
    folder: Path,
    rounds: int,
    guard: str = "",
    is_enough: Callable[[], bool] = lambda: False,
) -> list[int]:
    """Record facts, kill senders `rounds` times at work, let the others finish, or go on until it `is_enough`; the ids
    of the facts in order."""
    with tenant_scope(acme):
        people = Contact.objects.bulk_create(Contact(email=f"p{n}@lead.example") for n in range(CONTACTS))
        rows = [{"contact_id": one.pk} for _turn in range(FACTS_EACH) for one in people]
        facts = timeline.record_many("email.clicked", rows)
    rng = random.Random(11)
    senders = [Sender(receiver, folder, guard) for _ in range(SENDERS)]
    try:
        for round_ in range(rounds):
            place, count = round_ % SENDERS, len(receiver.calls) + CALLS_BETWEEN
            processes.until(
                lambda: senders[place].is_ready() and len(receiver.calls) >= count,  # noqa: B023
                "a sender has begun and some calls were made",
            )
            time.sleep(rng.uniform(0, 0.1))
            senders[place].kill()
            senders[place] = Sender(receiver, folder, guard)
        _wait(lambda: _finished(acme) == len(facts) or is_enough())
    finally:
        for sender in senders:
            sender.kill()
    return facts


def _wait(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + processes.PATIENCE
    while not is_done() and time.monotonic() < deadline:
        time.sleep(0.02)


def _finished(tenant: Tenant) -> int:
    with tenant_scope(tenant):
        return Delivery.objects.filter(state__in=(State.DELIVERED, State.FAILED)).count()


class Stuck:
    """Whether nothing goes on any more: for a second nobody has called, and what is left is leased, or behind that."""

    def __init__(self, tenant: Tenant, receiver: Receiver) -> None:
        self._tenant, self._receiver = tenant, receiver
        self._count, self._since = -1, 0.0

    def __call__(self) -> bool:
        if len(self._receiver.calls) != self._count:
            self._count, self._since = len(self._receiver.calls), time.monotonic()
        return time.monotonic() > self._since + 1 and not self._has_free()

    def _has_free(self) -> bool:
        leased = Delivery.objects.filter(state=State.SENDING).values("contact")
        with tenant_scope(self._tenant):
            return Delivery.objects.filter(state=State.QUEUED).exclude(contact__in=leased).exists()


def out_of_order(calls: list[Call]) -> list[int]:
    """The facts that were told before an earlier one of the same contact had been taken for the first time."""
    taken: dict[int, list[int]] = defaultdict(list)
    early, latest = [], defaultdict(int)
    for call in calls:
        contact, fact = call.json["data"]["contact"]["id"], call.json["data"]["id"]
        if call.status == 200 and fact not in taken[contact]:
            taken[contact].append(fact)
            if fact < latest[contact]:
                early.append(fact)
            latest[contact] = max(latest[contact], fact)
    return early


def test_every_delivery_arrives_in_its_contacts_order_however_often_senders_are_killed(
    acme: Tenant, receiver: Receiver, tmp_path: Path
) -> None:
    facts = fire(acme, receiver, tmp_path, rounds=20)
    with tenant_scope(acme):
        assert set(Delivery.objects.values_list("state", flat=True)) == {State.DELIVERED}
        assert Delivery.objects.count() == len(facts)
    names = {call.json["data"]["id"]: call.id for call in receiver.taken()}
    assert set(names) == set(facts), "none is lost"
    assert len({call.id for call in receiver.calls}) == len(facts), "a fact has one id, at each attempt"
    assert len(receiver.calls) > len(facts), "some were sent again"
    assert out_of_order(receiver.calls) == []


def test_control_without_the_rule_of_order_contacts_are_told_about_later_things_first(
    acme: Tenant, receiver: Receiver, tmp_path: Path
) -> None:
    fire(acme, receiver, tmp_path, 2, "without-order")
    assert out_of_order(receiver.calls) != []


def test_control_without_an_end_of_leases_what_dead_senders_held_is_lost(
    acme: Tenant, receiver: Receiver, tmp_path: Path
) -> None:
    facts = fire(acme, receiver, tmp_path, 6, "without-end-of-lease", Stuck(acme, receiver))
    assert {call.json["data"]["id"] for call in receiver.taken()} < set(facts)
