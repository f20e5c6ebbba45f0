"""The outbox: one message per key, held and released with its journey; the uncertain are settled by hand."""

import pytest
from django.db import connection

from messaging import outbox
from messaging.models import Message
from tenants.models import Wakeup
from tenants.scope import tenant_scope

State = Message.State


def test_a_key_is_ordered_once(acme, email, person) -> None:
    amara = person("amara")
    with tenant_scope(acme):
        first = outbox.order("visit:1", contact=amara, email=email)
        second = outbox.order("visit:1", contact=amara, email=email)
        assert (first.address, first.state, second) == ("amara@lead.example", State.QUEUED, None)
    assert Wakeup.objects.filter(tenant=acme, queue="mail").count() == 1


def test_two_tenants_may_use_the_same_key(acme, rival) -> None:
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            assert outbox.order_notice("invite:1", "Somebody@Lead.example ", "Hello", "Text")
            assert Message.objects.get().address == "somebody@lead.example"


def test_a_set_is_ordered_by_one_statement_and_passes_over_existing_keys(acme, email, person) -> None:
    people = [person(name) for name in ("amara", "bela", "cleo")]
    select = """SELECT 'participant:' || id AS key, id AS contact_id, email AS address, %(email)s AS email_id,
                       3 AS priority, 7 AS journey_id, 'mail-1' AS tile, NULL AS participant_id, NULL AS expires_at
                FROM contacts_contact WHERE id = ANY(%(ids)s)"""
    params = {"email": email.pk, "ids": [contact.pk for contact in people[:2]]}
    with tenant_scope(acme):
        assert outbox.order_select(select, params) == 2
        assert outbox.order_select(select, {**params, "ids": [contact.pk for contact in people]}) == 1
        rows = Message.objects.order_by("address").values_list("address", "priority", "journey_id", "tile")
        assert list(rows) == [(contact.email, 3, 7, "mail-1") for contact in people]


def test_a_journeys_messages_are_held_released_and_cancelled(acme, email, person) -> None:
    with tenant_scope(acme):
        for number, journey in enumerate((7, 7, 8)):
            outbox.order(
                f"v:{number}", contact=person(f"p{number}"), email=email, journey_id=journey, participant_id=number
            )
        assert outbox.hold(7) == 2
        assert Message.objects.filter(state=State.QUEUED).count() == 1
        assert outbox.release(7) == 2
        assert outbox.cancel(7, [1]) == 1
        assert outbox.cancel(7) == 1
        assert list(Message.objects.order_by("key").values_list("state", flat=True)) == [
            State.CANCELLED,
            State.CANCELLED,
            State.QUEUED,
        ]


def test_mail_that_waits_for_over_an_hour_is_a_backlog(acme) -> None:
    with tenant_scope(acme):
        outbox.order_notice("n:1", "a@b.example", "Hello", "Text")
        assert not outbox.is_backed_up()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE messaging_message SET next_attempt_at = now() - interval '61 minutes'")
        assert outbox.is_backed_up()


@pytest.mark.parametrize(("verb", "state"), [(outbox.resend, State.QUEUED), (outbox.leave, State.SENT)])
def test_an_uncertain_message_is_settled_once(acme, max_, verb, state) -> None:
    with tenant_scope(acme):
        message = outbox.order_notice("n:1", "a@b.example", "Hello", "Text")
        with pytest.raises(outbox.NotUncertain):
            verb(message, max_)
        Message.objects.update(state=State.UNCERTAIN)
        verb(message, max_)
        message.refresh_from_db()
        assert message.state == state
        with pytest.raises(outbox.NotUncertain):
            outbox.leave(message, max_)
