"""A mail server for tests: counts every mail, and can be slow, refuse, put off, or vanish after the final dot.

It speaks plainly, by TLS from the start or by STARTTLS, and may ask who is there.

with MailServer() as server:
    server.refuse["gone@lead.example"] = "550 5.1.1 No such user"
    …
    server.mails[0].recipient, server.mails[0].parsed["Subject"]
"""

import base64
import email.policy
import socketserver
import ssl
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from tests.standins.certificates import Certificate


@dataclass(frozen=True)
class Mail:
    """A mail whose final dot has been read."""

    sender: str
    recipient: str
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        return BytesParser(policy=email.policy.default).parsebytes(self.raw)  # type: ignore[return-value]

    def body(self, kind: str) -> str:
        """The text of the "plain" or "html" part."""
        part = self.parsed.get_body((kind,))
        assert part is not None
        return part.get_content()


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a free port of 127.0.0.1, a thread per connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 50

    def __init__(self, *, security: str = "", certificate: Certificate | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.is_pipelining = True
        # "", "starttls" or "tls"; who may send, with passwords (nobody: everybody may).
        self.security = security
        self.tls = certificate.server_context() if certificate else None
        self.users: dict[str, str] = {}
        self.mails: list[Mail] = []
        self.connections = 0
        self.commands: Counter[str] = Counter()
        # Replies to RCPT by address; `put_off` answers 451 the first time.
        self.refuse: dict[str, str] = {}
        self.put_off: set[str] = set()
        # Replies to MAIL FROM by address.
        self.refuse_sender: dict[str, str] = {}
        # Seconds before each final reply.
        self.delay = 0.0
        # Final replies wait for it, if there is one.
        self.hold: threading.Event | None = None
        # So many times: the mail is taken, and the connection closed instead of the final reply.
        self.vanish = 0
        # So many times: the connection is closed instead of an answer to RCPT.
        self.hang_up = 0
        # Close each connection with 421 after so many mails.
        self.mails_per_connection = 0
        self.greeting = "220 sink.example ready"

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def received(self) -> Counter[str]:
        """How many mails each address got."""
        return Counter(mail.recipient for mail in self.mails)

    def __enter__(self) -> "MailServer":
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.shutdown()
        self.server_close()


class _Session(socketserver.StreamRequestHandler):
    server: MailServer
    disable_nagle_algorithm = True
    wbufsize = 65536

    def handle(self) -> None:
        self.server.connections += 1
        self.sender = self.recipient = self.user = ""
        self.count = 0
        try:
            if self.server.security == "tls":
                self.encrypt()
            self.say(self.server.greeting)
            while line := self.rfile.readline():
                if not self.command(line.decode("utf-8", "replace").strip()):
                    return
        except OSError:
            return

    def finish(self) -> None:
        """What was not read by a client that is gone is nobody's trouble."""
        with suppress(OSError):
            super().finish()
        if self.is_encrypted:
            self.connection.close()

    def command(self, line: str) -> bool:
        """Answer a command; False ends the connection."""
        verb = line.partition(" ")[0].upper()
        self.server.commands[verb] += 1
        address = line.partition("<")[2].partition(">")[0]
        if verb in ("EHLO", "HELO"):
            self.say("\r\n".join(f"250-{word}" for word in ("sink.example", *self.extensions())) + "\r\n250 8BITMIME")
        elif verb == "STARTTLS" and self.server.security == "starttls":
            self.say("220 2.0.0 Go ahead")
            self.encrypt()
        elif verb == "AUTH":
            self.say(self.auth(line.split()[1:]))
        elif verb == "MAIL":
            refusal = self.refusal_of(address)
            self.sender = "" if refusal else address
            self.say(refusal or "250 2.1.0 Ok")
        elif verb == "RCPT" and self.server.hang_up:
            self.server.hang_up -= 1
            return False
        elif verb == "RCPT":
            self.say(self.rcpt(address))
        elif verb == "DATA":
            return self.take_data()
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.sender = self.recipient = ""
            self.say("250 Ok")
        return True

    @property
    def is_encrypted(self) -> bool:
        return isinstance(self.connection, ssl.SSLSocket)

    def encrypt(self) -> None:
        assert self.server.tls is not None
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")

    def extensions(self) -> list[str]:
        """What the server offers at this moment: a password is not asked for in clear text."""
        offered = ["PIPELINING"] if self.server.is_pipelining else []
        if self.server.security == "starttls" and not self.is_encrypted:
            return [*offered, "STARTTLS"]
        return [*offered, "AUTH PLAIN"] if self.server.users else offered

    def auth(self, words: list[str]) -> str:
        """AUTH PLAIN with an initial response (RFC 4616)."""
        if len(words) != 2 or words[0].upper() != "PLAIN":
            return "504 5.5.4 Unknown mechanism"
        _, user, password = base64.b64decode(words[1]).decode().split("\0")
        if self.server.users.get(user) != password:
            return "535 5.7.8 Authentication credentials invalid"
        self.user = user
        return "235 2.7.0 Welcome"

    def refusal_of(self, sender: str) -> str:
        """Why the sender may not send, if so."""
        if self.server.users and not self.user:
            return "530 5.7.0 Authentication required"
        return "503 5.5.1 nested MAIL" if self.sender else self.server.refuse_sender.get(sender, "")

    def rcpt(self, address: str) -> str:
        if not self.sender:
            return "503 5.5.1 MAIL first"
        if address in self.server.put_off:
            self.server.put_off.discard(address)
            return "451 4.7.1 Greylisted, try again later"
        if refusal := self.server.refuse.get(address):
            return refusal
        self.recipient = address
        return "250 2.1.5 Ok"

    def take_data(self) -> bool:
        if not self.recipient:
            self.say("503 5.5.1 No valid recipients")
            return True
        self.say("354 Go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        hold = self.server.hold
        self.server.mails.append(Mail(self.sender, self.recipient, b"".join(lines)))
        self.sender = self.recipient = ""
        self.count += 1
        time.sleep(self.server.delay)
        if hold is not None:
            hold.wait(60)
        if self.server.vanish:
            self.server.vanish -= 1
            return False
        self.say("250 2.0.0 Taken")
        if self.count == self.server.mails_per_connection:
            self.say("421 4.4.2 Enough for one connection")
            return False
        return True

    def say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())
        self.wfile.flush()
