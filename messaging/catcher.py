"""The mail catcher: an SMTP server that keeps every mail for its tenant to read, and passes nothing on.

A tenant's mail names it in the header `X-Onward-Tenant: <slug>`. Account mail (invitations, password resets) has no
such header: it is shown to every tenant that a recipient belongs to.
"""

import asyncio
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from email.parser import BytesHeaderParser
from email.policy import default as modern

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, close_old_connections

from messaging.models import CaughtMail
from tenants.models import Tenant
from tenants.scope import tenant_scope

logger = logging.getLogger(__name__)

TENANT_HEADER = "X-Onward-Tenant"
LARGEST_MAIL = 50_000_000


class Catcher:
    """aiosmtpd's hooks. All mails pass through one thread, hence one database connection."""

    def __init__(self) -> None:
        self.writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catcher")

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer pipelining (RFC 2920): commands are read from a stream, in order."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail; a database that is away makes the sender try again."""
        loop = asyncio.get_running_loop()
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        try:
            await loop.run_in_executor(self.writer, keep, envelope.mail_from or "", envelope.rcpt_tos, content)
        except DatabaseError:
            logger.exception("Could not keep a mail")
            return "451 4.3.0 The mail could not be kept, try again later"
        return "250 2.0.0 Kept"


def keep(sender: str, recipients: list[str], content: bytes) -> int:
    """Store a mail, one row per tenant it concerns and recipient; returns the number of rows."""
    close_old_connections()
    headers = BytesHeaderParser(policy=modern).parsebytes(content)
    concerned = _concerned(str(headers[TENANT_HEADER] or "").strip(), recipients)
    if not concerned:
        logger.warning("A mail to %s belongs to no company; it was not kept", ", ".join(recipients))
    # Postgres keeps text only: neither NUL nor what is not UTF-8.
    raw = content.decode(errors="replace").replace("\x00", "")
    for tenant_id, addresses in concerned.items():
        with tenant_scope(tenant_id):
            CaughtMail.objects.bulk_create(
                CaughtMail(
                    sender=sender[:254],
                    recipient=address[:254],
                    subject=str(headers["Subject"] or "").replace("\x00", ""),
                    message_id=str(headers["Message-ID"] or "").strip(),
                    raw=raw,
                )
                for address in addresses
            )
    return sum(map(len, concerned.values()))


def _concerned(slug: str, recipients: list[str]) -> dict[int, list[str]]:
    """Which recipients' copies each tenant (by id) gets to see."""
    if slug:
        return dict.fromkeys(Tenant.objects.filter(slug=slug).values_list("pk", flat=True), recipients)
    by_tenant: dict[int, list[str]] = {}
    for address in recipients:
        of_member = Tenant.objects.filter(members__user__email=address.strip().lower(), members__is_active=True)
        for pk in of_member.values_list("pk", flat=True):
            by_tenant.setdefault(pk, []).append(address)
    return by_tenant


async def serve(host: str, port: int) -> None:
    """Listen until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    catcher = Catcher()
    server = await loop.create_server(lambda: protocol(catcher), host, port)
    async with server:
        logger.info("Catching mail at %s:%s", host, port)
        await stopped.wait()


def protocol(catcher: Catcher) -> SMTP:
    """One connection's protocol."""
    return SMTP(catcher, data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True, ident="Onward mail catcher")
