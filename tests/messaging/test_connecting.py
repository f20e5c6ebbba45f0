"""Encrypted connections and signing in: what works, what is refused, and how a mistake of ours is shown."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from messaging import outbox
from messaging.models import Message
from messaging.smtp import Connection, Unusable
from messaging.transports import Transport
from tenants import wakeups
from tenants.scope import tenant_scope
from tests.standins import certificates
from tests.standins.certificates import Certificate
from tests.standins.smtp import MailServer

USER, PASSWORD = "onward@acme.example", "s3cret pass"
SECURE = pytest.mark.parametrize("security", ["starttls", "tls"])


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """The certificate of 127.0.0.1, which this machine trusts for the time of the test."""
    made = certificates.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


def transport_to(server: MailServer, password: str = PASSWORD) -> Transport:
    return Transport("127.0.0.1", server.port, USER if server.users else "", password, server.security)


@SECURE
def test_mail_leaves_encrypted_and_signed_in(
    acme: Any, certificate: Certificate, settings: Any, tmp_path: Path, security: str, transactional_db: None
) -> None:
    cache.clear()
    settings.VAR_DIR = tmp_path
    with MailServer(security=security, certificate=certificate) as server:
        server.users = {USER: PASSWORD}
        use(settings, server, PASSWORD)
        with tenant_scope(acme):
            outbox.order_notice("n:1", "sam@acme.example", "Hello", "Text")
        wakeups.run_due()
        assert server.received() == {"sam@acme.example": 1}
        assert server.commands["STARTTLS"] == (security == "starttls")


@SECURE
def test_a_wrong_password_is_our_mistake_in_the_servers_words(certificate: Certificate, security: str) -> None:
    with MailServer(security=security, certificate=certificate) as server:
        server.users = {USER: "another"}
        with pytest.raises(Unusable, match=r"^535 5\.7\.8 Authentication credentials invalid$") as refused:
            Connection(transport_to(server))
        assert refused.value.is_ours


@SECURE
@pytest.mark.parametrize("name", ["127.0.0.1", "mail.elsewhere.example"])
def test_nothing_is_told_to_a_server_with_a_certificate_that_is_not_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str, name: str
) -> None:
    shown = certificates.make(tmp_path, name)
    if name != "127.0.0.1":  # trusted, but somebody else's; the other one is nobody's acquaintance
        monkeypatch.setenv("SSL_CERT_FILE", str(shown.file))
    with MailServer(security=security, certificate=shown) as server:
        server.users = {USER: PASSWORD}
        with pytest.raises(Unusable, match="CERTIFICATE_VERIFY_FAILED") as refused:
            Connection(transport_to(server))
        assert refused.value.is_ours
        assert not server.commands["AUTH"]


def test_a_server_that_does_not_offer_encryption_is_told_nothing(certificate: Certificate) -> None:
    with MailServer() as server:
        server.users = {USER: PASSWORD}
        plain = Transport("127.0.0.1", server.port, USER, PASSWORD, "starttls")
        with pytest.raises(Unusable, match="STARTTLS") as refused:
            Connection(plain)
        assert refused.value.is_ours
        assert not server.commands["AUTH"]


def test_a_server_that_knows_nobody_and_a_password_that_cannot_be_said_are_our_mistakes() -> None:
    with MailServer() as server:
        with pytest.raises(Unusable, match="AUTH") as refused:
            Connection(Transport("127.0.0.1", server.port, USER, PASSWORD))
        assert refused.value.is_ours
        server.users = {USER: PASSWORD}
        with pytest.raises(Unusable, match="ascii") as refused:
            Connection(transport_to(server, "pässwörd"))
        assert refused.value.is_ours


def test_a_server_that_is_not_there_is_not_our_mistake() -> None:
    with MailServer() as gone:
        pass
    with pytest.raises(Unusable, match="refused") as refused:
        Connection(Transport("127.0.0.1", gone.port))
    assert not refused.value.is_ours


def test_why_no_mail_leaves_is_shown_until_the_password_has_been_corrected(
    acme: Any, max_: Any, client_of: Any, settings: Any, tmp_path: Path, transactional_db: None
) -> None:
    cache.clear()
    settings.VAR_DIR = tmp_path
    page = client_of(max_)

    def send() -> str:
        with tenant_scope(acme):
            wakeups.announce("mail")
        wakeups.run_due()
        return page.get("/emails/outbox/").content.decode()

    with MailServer() as server:
        server.users = {USER: PASSWORD}
        use(settings, server, "wrong")
        with tenant_scope(acme):
            outbox.order_notice("n:1", "sam@acme.example", "Hello", "Text")
        assert "535 5.7.8 Authentication credentials invalid" in send()
        with tenant_scope(acme):
            message = Message.objects.get()
        assert (message.state, message.attempts) == (Message.State.QUEUED, 0), "it costs nobody a mail"
        tried = server.commands["AUTH"]
        send()
        assert server.commands["AUTH"] == tried, "a password is not tried again and again"
        use(settings, server, PASSWORD)
        assert "does not take our mail" not in send()
        assert server.received() == {"sam@acme.example": 1}


def use(settings: Any, server: MailServer, password: str) -> None:
    """What EMAIL_URL would say."""
    settings.EMAIL_CONFIG = {
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": server.port,
        "EMAIL_HOST_USER": USER,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_TLS": server.security == "starttls",
        "EMAIL_USE_SSL": server.security == "tls",
    }
