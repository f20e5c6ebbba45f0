"""A small SMTP client that keeps a connection busy: commands are pipelined where the server offers it (RFC 2920).

With each mail's content the envelope of the next one travels in the same packet: one round trip per mail. Nothing is
ever sent again by this module; what is not known to have been refused or taken is reported as lost.
"""

import logging
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from messaging.transports import Transport

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10
REPLY_TIMEOUT = 30
# After the final dot a server may take its time (RFC 5321 suggests ten minutes; a worker cannot wait that long).
FINAL_TIMEOUT = 60
READY_FOR_DATA, CLOSING = 354, 421


# Replies to a sign-in that no waiting mends (RFC 4954); 454 is a passing failure.
REFUSED_SIGN_IN = {530, 534, 535, 538}


class Unusable(Exception):
    """The connection cannot be used (any more): refused, lost, or closed by the server.

    `is_ours`: by our own configuration, so that trying again is of no use before somebody has corrected it.
    """

    def __init__(self, words: str, *, is_ours: bool = False) -> None:
        super().__init__(words)
        self.is_ours = is_ours


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply to a command; `command` is MAIL, RCPT, DATA or "." for the mail itself."""

    code: int
    text: str
    command: str = "."

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 400


class Mail(Protocol):
    """What is sent; `content` has CRLF lines with dots doubled, and no final dot."""

    @property
    def sender(self) -> str: ...

    @property
    def recipient(self) -> str: ...

    @property
    def content(self) -> bytes: ...


@dataclass(frozen=True)
class Notes:
    """What the caller wants to know: `attempt` just before the final dot leaves, `result` at the final reply or a
    refusal of the envelope."""

    attempt: Callable[[Mail], None]
    result: Callable[[Mail, Reply], None]


class Connection:
    """One open connection to a server."""

    def __init__(self, transport: Transport) -> None:
        """Connect and sign in; raises Unusable."""
        try:
            self._socket, self._is_pipelining = _connect(transport)
        except (OSError, UnicodeError, smtplib.SMTPException) as error:
            raise Unusable(_what(error), is_ours=_is_ours(error)) from error
        self._file = self._socket.makefile("rb")

    def deliver(self, mails: Iterator[Mail], notes: Notes) -> None:
        """Send mails until the iterator has none; raises Unusable when the connection fails.

        After a failure the mail whose attempt was noted without a result is the only one whose fate is unknown.
        """
        try:
            self._deliver(mails, notes)
        except (OSError, ValueError) as error:
            raise Unusable(_what(error)) from error

    def close(self) -> None:
        """Say goodbye, without waiting for an answer."""
        try:
            self._socket.settimeout(1)
            self._socket.sendall(b"QUIT\r\n")
        except OSError as error:
            logger.debug("Goodbye was not heard: %s", error)
        self._file.close()
        self._socket.close()

    def _deliver(self, mails: Iterator[Mail], notes: Notes) -> None:
        mail = next(mails, None)
        if mail and self._is_pipelining:
            self._socket.sendall(_envelope(mail))
        while mail:
            refusal = self._offer(mail)
            if refusal:
                notes.result(mail, refusal)
                following = next(mails, None)
                if following and self._is_pipelining:
                    self._socket.sendall(_envelope(following))
            else:
                following = next(mails, None)
                self._send_content(mail, following, notes)
            mail = following

    def _send_content(self, mail: Mail, following: Mail | None, notes: Notes) -> None:
        """The content, in one packet with the next envelope; then the final reply."""
        ahead = _envelope(following) if following and self._is_pipelining else b""
        notes.attempt(mail)
        self._socket.sendall(mail.content + b".\r\n" + ahead)
        self._socket.settimeout(FINAL_TIMEOUT)
        final = self._reply()
        self._socket.settimeout(REPLY_TIMEOUT)
        notes.result(mail, final)
        if final.code == CLOSING:
            raise Unusable(final.text)

    def _offer(self, mail: Mail) -> Reply | None:
        """Read what the server says to the envelope (and send it, if not pipelined); the refusal, if any."""
        refusal, is_open = None, False
        for command, line in zip(("MAIL", "RCPT", "DATA"), _envelope(mail).splitlines(keepends=True), strict=True):
            if not self._is_pipelining:
                if refusal:
                    break
                self._socket.sendall(line)
            reply = self._reply(command)
            if reply.code == CLOSING:
                raise Unusable(reply.text)
            is_open = reply.code == READY_FOR_DATA
            if not refusal and not (is_open if command == "DATA" else reply.is_positive):
                refusal = reply
        if refusal:
            self._reset(is_open)
        return refusal

    def _reset(self, is_open: bool) -> None:
        """After a refused envelope: end the data that the server was told of anyway, and start over."""
        if is_open:
            self._socket.sendall(b".\r\n")
            self._reply()
        self._socket.sendall(b"RSET\r\n")
        self._reply()

    def _reply(self, command: str = ".") -> Reply:
        lines = []
        while True:
            line = self._file.readline(2048)
            if not line.endswith(b"\n"):
                raise ConnectionResetError("the server closed the connection")
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                break
        return Reply(int(line[:3]), b" ".join(lines).decode("utf-8", "replace")[:500], command)


def _connect(transport: Transport) -> tuple[socket.socket, bool]:
    """An open, signed-in socket, and whether the server pipelines. smtplib does the greeting.

    Certificates are checked against those that the machine trusts (SSL_CERT_FILE names others).
    """
    context = ssl.create_default_context() if transport.security else None
    if transport.security == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            transport.host, transport.port, timeout=CONNECT_TIMEOUT, context=context
        )
    else:
        client = smtplib.SMTP(transport.host, transport.port, timeout=CONNECT_TIMEOUT)
    try:
        client.ehlo_or_helo_if_needed()
        if transport.security == "starttls":
            client.starttls(context=context)
            client.ehlo()
        if transport.user:
            client.login(transport.user, transport.password)
    except BaseException:
        client.close()
        raise
    taken = client.sock
    if taken is None:
        raise OSError("the server closed the connection")
    taken.settimeout(REPLY_TIMEOUT)
    if taken.family in (socket.AF_INET, socket.AF_INET6):
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return taken, client.has_extn("pipelining")


def _envelope(mail: Mail) -> bytes:
    return f"MAIL FROM:<{mail.sender}>\r\nRCPT TO:<{mail.recipient}>\r\nDATA\r\n".encode("ascii")


def _what(error: Exception) -> str:
    """The server's own words where it said something."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(error) or type(error).__name__


def _is_ours(error: Exception) -> bool:
    """A password that is wrong or cannot be said, no encryption or sign-in offered, a certificate that is not the
    server's, no such host."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code in REFUSED_SIGN_IN
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_NONAME
    return isinstance(error, (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError, UnicodeError))
