"""The mail catcher: mails come in by SMTP and are seen by the companies they belong to, by nobody else."""

import asyncio
import smtplib
import threading
from email.message import EmailMessage

import pytest

from messaging import catcher
from messaging.models import CaughtMail
from tenants.scope import tenant_scope


def mail(to: str, subject: str, tenant: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "news@acme.example", to, subject
    message["Message-ID"] = "<visit-7@acme.example>"
    if tenant:
        message[catcher.TENANT_HEADER] = tenant
    message.set_content("Grüße aus Köln\n")
    return message


def caught(tenant) -> list[tuple[str, str]]:
    with tenant_scope(tenant):
        return list(CaughtMail.objects.order_by("pk").values_list("recipient", "subject"))


@pytest.fixture
def port():
    """A catcher that listens on a free port."""
    loop = asyncio.new_event_loop()
    handler = catcher.Catcher()
    server = loop.run_until_complete(loop.create_server(lambda: catcher.protocol(handler), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    from django.db import connections

    handler.writer.submit(connections.close_all).result()
    handler.writer.shutdown()
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.django_db(transaction=True)
def test_a_mail_of_a_company_is_kept_for_it_alone(port, acme, rival):
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.send_message(mail("eva@kunde.example", "Grüße", tenant="acme"))
        assert smtp.has_extn("pipelining")
    assert caught(acme) == [("eva@kunde.example", "Grüße")]
    assert caught(rival) == []
    with tenant_scope(acme):
        kept = CaughtMail.objects.get()
    assert kept.message_id == "<visit-7@acme.example>"
    assert kept.sender == "news@acme.example"
    assert "Subject:" in kept.raw


@pytest.mark.django_db(transaction=True)
def test_account_mail_is_kept_where_its_recipient_is_a_member(acme, rival, ana, rob):
    assert catcher.keep("onward@localhost", ["Ana@Acme.example"], mail("ana@acme.example", "Reset").as_bytes()) == 1
    assert caught(acme) == [("Ana@Acme.example", "Reset")]
    assert caught(rival) == []


@pytest.mark.django_db(transaction=True)
def test_mail_of_nobody_is_not_kept(acme, ana):
    assert catcher.keep("x@y.example", ["stranger@elsewhere.example"], mail("s@e.example", "Hi").as_bytes()) == 0
    assert catcher.keep("x@y.example", [ana.user.email], mail("a@b.example", "Hi", tenant="gone").as_bytes()) == 0
    assert caught(acme) == []


@pytest.mark.django_db(transaction=True)
def test_bytes_that_postgres_cannot_keep_do_not_lose_the_mail(acme):
    content = b"Subject: odd\r\nX-Onward-Tenant: acme\r\n\r\nnul \x00 and latin \xe4\r\n"
    assert catcher.keep("a@b.example", ["c@d.example"], content) == 1
    assert caught(acme) == [("c@d.example", "odd")]


@pytest.mark.django_db
def test_a_database_that_is_away_makes_the_sender_try_again(port, monkeypatch, acme):
    from django.db import OperationalError

    def fail(*arguments):
        raise OperationalError

    monkeypatch.setattr(catcher, "keep", fail)
    with smtplib.SMTP("127.0.0.1", port) as smtp, pytest.raises(smtplib.SMTPDataError) as refused:
        smtp.send_message(mail("eva@kunde.example", "Later", tenant="acme"))
    assert refused.value.smtp_code == 451
