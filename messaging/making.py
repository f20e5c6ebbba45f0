"""From claimed messages to mails, each made just before it is sent."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from messaging import frames, recipients
from messaging.claiming import Claimed
from messaging.frames import Frame, Recipient
from messaging.models import ContentSettings, EmailVersion
from messaging.personalization import Refused
from tenants.models import Tenant

_ADDRESS = re.compile(r"[^\s<>,;()@]+@[^\s<>,;()@]+", re.ASCII)


class CannotBeMade(ValueError):
    """A message has nothing to send: its version or sender's details are missing, or its text cannot be filled."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A message with everything that its mail is made of; making it needs no database."""

    id: int
    sender: str
    recipient: str
    make: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Made:
    """A mail as it goes over the wire."""

    id: int
    sender: str
    recipient: str
    content: bytes


class Maker:
    """Makes the mails of one tenant; frames are kept for the run."""

    def __init__(self, tenant: Tenant, *, for_catcher: bool) -> None:
        self._tenant = tenant
        self._for_catcher = for_catcher
        self._frames: dict[tuple[int, int], Frame] = {}

    def prepare(self, messages: Iterable[Claimed]) -> tuple[list[Ready], list[tuple[int, str]]]:
        """(what can be made, (message, reason) of what cannot); in the scope, a query per batch and version."""
        messages = list(messages)
        whose = {message.id: message.contact_id or message.content.get("as_contact") for message in messages}
        values = recipients.load({contact for contact in whose.values() if contact})
        ready, broken = [], []
        for message in messages:
            try:
                ready.append(self._ready(message, values.get(whose[message.id] or 0)))
            except CannotBeMade as error:
                broken.append((message.id, str(error)))
        return ready, broken

    def _ready(self, message: Claimed, values: recipients.Values | None) -> Ready:
        if not is_deliverable(message.address):
            raise CannotBeMade("the address cannot be used")
        if message.email_id is None:
            return Ready(message.id, frames.sender_of_notices(), message.address, lambda: self._notice(message))
        frame = self._frame(message.email_id, message.version_id)
        recipient = Recipient(
            message.id,
            message.key,
            message.address,
            message.contact_id or 0,
            values or recipients.nobody(),
            message.content.get("subject_prefix", ""),
        )
        return Ready(message.id, frame.sender, message.address, lambda: frame.fill(recipient))

    def _notice(self, message: Claimed) -> bytes:
        return frames.notice(self._tenant, message.key, message.address, message.content, for_catcher=self._for_catcher)

    def _frame(self, email_id: int, version_id: int | None) -> Frame:
        if version_id is None:
            raise CannotBeMade("the e-mail has no version to send")
        known = self._frames.get((email_id, version_id))
        if known is None:
            known = self._frames[email_id, version_id] = self._new_frame(email_id, version_id)
        return known

    def _new_frame(self, email_id: int, version_id: int) -> Frame:
        version = EmailVersion.objects.select_related("email__content_settings").get(pk=version_id, email_id=email_id)
        settings = version.email.content_settings or ContentSettings.objects.filter(is_default=True).first()
        if settings is None:
            raise CannotBeMade("the sender's details are missing")
        return Frame(self._tenant, version.email, version, settings, for_catcher=self._for_catcher)


def make(ready: Ready) -> Made:
    """Make the mail; raises CannotBeMade."""
    try:
        return Made(ready.id, ready.sender, ready.recipient, ready.make())
    except Refused as error:
        raise CannotBeMade(str(error)) from error


def is_deliverable(address: str) -> bool:
    """Whether an address can stand in an SMTP command: one @, printable ASCII, no brackets or blanks."""
    return address.isascii() and address.isprintable() and _ADDRESS.fullmatch(address) is not None
