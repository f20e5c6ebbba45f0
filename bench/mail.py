"""P6: personalised mail out of the outbox, to a local sink; the floor pipelines ready bytes over one connection."""

import itertools
import socket
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test.utils import override_settings

from bench import sink
from bench.data import Company
from bench.harness import Result, interleaved, rounds, timed
from contacts.models import Purpose
from messaging import outbox, publishing
from messaging.designs.blocks import new
from messaging.models import ContentSettings, Email, EmailVersion, Message
from tenants import wakeups
from tenants.scope import tenant_scope

COUNT = 50_000
LINKS = 15


def measure(company: Company, folder: Path) -> list[Result]:
    """Send one personalised e-mail with fifteen links to many contacts."""
    parts = rounds(company.contacts)
    count = min(COUNT, company.contacts) // parts
    email = live_email(company)
    with tenant_scope(company.tenant):
        Message.objects.filter(state="queued").update(state="cancelled")
    with sink.running() as (port, (taken, volume)), _mail_server(port):
        numbers = itertools.count()

        def product() -> float:
            _order(company, email, next(numbers), count)
            before = taken.value
            seconds = timed(lambda: _drain(company))
            assert taken.value - before == count, f"{taken.value - before} of {count} arrived"
            return seconds

        def floor() -> float:
            return timed(lambda: _raw(port, ready, count))

        product()  # the first part says how long a message is
        ready = _ready_bytes(volume.value // count)
        seconds, raw = interleaved(floor, product, parts)
        with tenant_scope(company.tenant):
            assert Message.objects.filter(state="sent").count() == count * (parts + 1)
    return [
        Result("P6", "personalised mail to a local sink", count, seconds, raw, "messages/s", wanted="ratio 2, 7,100/s")
    ]


def _mail_server(port: int) -> override_settings:
    """EMAIL_URL leads to the sink."""
    return override_settings(EMAIL_CONFIG={**settings.EMAIL_CONFIG, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port})


def live_email(company: Company) -> Email:
    """The tenant's live commercial e-mail with a greeting and fifteen links, made at the first call."""
    with tenant_scope(company.tenant):
        if found := Email.objects.first():
            return found
    blocks = [new("text", html="<p>Hello {{ contact.first_name | default('there') }}</p>")]
    blocks += [new("button", label=f"Product {n}", url=f"https://www.example.com/p/{n}") for n in range(LINKS)]
    with tenant_scope(company.tenant):
        ContentSettings.objects.create(
            name="Default",
            is_default=True,
            from_name="Large",
            from_email="news@large.example",
            postal_address="Street 1",
        )
        email = Email.objects.create(name="Bench", purpose=Purpose.objects.get(pk=company.purpose_id))
        EmailVersion.objects.create(email=email, subject="News for {{ contact.first_name }}", blocks=blocks)
        publishing.go_live(email, by=None)
    return email


def _order(company: Company, email: Email, part: int, count: int) -> None:
    with tenant_scope(company.tenant):
        outbox.order_select(
            """SELECT 'bench:' || %(part)s || ':' || id AS key, id AS contact_id, email AS address,
                      %(email)s::bigint AS email_id, 3 AS priority, NULL::bigint AS journey_id, '' AS tile,
                      NULL::bigint AS participant_id, NULL::timestamptz AS expires_at
               FROM contacts_contact ORDER BY id LIMIT %(count)s""",
            {"email": email.pk, "count": count, "part": part},
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message")


def _drain(company: Company) -> None:
    while wakeups.work(company.tenant.pk, "mail", budget=600):
        pass


def _ready_bytes(size: int) -> bytes:
    """A message of the size that the product's have on average."""
    head = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n"
    lines = -(-max(size - len(head), 0) // 76)
    return head + (b"x" * 74 + b"\r\n") * lines + b".\r\n"


def _raw(port: int, message: bytes, count: int) -> None:
    """MAIL, RCPT and DATA in one packet, the message in the next (RFC 2920), and read what comes back."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    replies = connection.makefile("rb")
    replies.readline()
    connection.sendall(b"EHLO bench\r\n")
    while replies.readline()[3:4] == b"-":
        pass
    envelope = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
    connection.sendall(envelope)
    for left in range(count - 1, -1, -1):
        for _ in range(3):
            replies.readline()
        connection.sendall(message + envelope if left else message)
        replies.readline()
    connection.sendall(b"QUIT\r\n")
    connection.close()
