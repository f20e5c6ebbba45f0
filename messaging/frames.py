"""From a version to mails: everything that is the same for all recipients is built once, the MIME frame included."""

import base64
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formataddr, formatdate
from functools import lru_cache
from html import escape
from typing import Any

from django.conf import settings as site
from django.template.loader import render_to_string

from messaging import personalization, quoted, recipients, tokens
from messaging.catcher import TENANT_HEADER
from messaging.designs.composing import PIXEL, PREFERENCES, UNSUBSCRIBE, VIEW
from messaging.models import ContentSettings, Email, EmailVersion, Link
from tenants.models import Tenant

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a mail is made for."""

    message_id: int
    key: str
    address: str
    contact_id: int
    values: Mapping[str, Any]
    subject_prefix: str = ""


class Frame:
    """A version of an e-mail, ready to be filled for any number of recipients. Build it in the tenant's scope."""

    def __init__(
        self, tenant: Tenant, email: Email, version: EmailVersion, settings: ContentSettings, *, for_catcher: bool
    ) -> None:
        self.sender = settings.from_email
        self._tenant_id = tenant.pk
        self._purpose_id = email.purpose_id or 0
        self._is_commercial = email.designation == Email.Designation.COMMERCIAL
        self._shared = recipients.shared(tenant, settings)
        links = _links(email, version)
        self._tails = [tokens.click_tail(link_id, url) for _name, link_id, url in links]
        slots = [*(name for name, _link_id, _url in links), UNSUBSCRIBE, PREFERENCES, VIEW, PIXEL]
        self._domain = settings.from_email.rpartition("@")[2]
        self._boundary = f"=_{secrets.token_hex(12)}"
        self._fixed = self._fixed_headers(settings, tenant.slug if for_catcher else "")
        self._text = personalization.make_environment(quoted.encode)
        self._text.add_template("text", quoted.template(version.text, slots))
        self._html = personalization.make_environment(lambda value: quoted.encode(escape(value)))
        self._html.add_template("html", quoted.template(version.html, slots))
        self._subject = personalization.make_environment(str)
        self._subject.add_template("subject", version.subject)

    def fill(self, recipient: Recipient) -> bytes:
        """The recipient's mail as it goes over the wire; raises personalization.Refused."""
        values = {**self._shared, **recipient.values}
        addresses = self._addresses(recipient)
        subject = recipient.subject_prefix + personalization.render(self._subject, "subject", values)
        text = quoted.fill(personalization.render(self._text, "text", values), addresses)
        html = quoted.fill(personalization.render(self._html, "html", values), addresses)
        if len(text) + len(html) > LARGEST:
            raise personalization.Refused("the mail has become too large")
        boundary = self._boundary
        return (
            f"{self._headers(recipient, subject)}"
            f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{text}\r\n"
            f"--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{html}\r\n"
            f"--{boundary}--\r\n"
        ).encode("ascii")

    def _own(self, recipient: Recipient) -> tokens.Own:
        return tokens.Own(self._tenant_id, recipient.message_id, recipient.contact_id, self._purpose_id)

    def _headers(self, recipient: Recipient, subject: str) -> str:
        own = f"To: <{recipient.address}>\r\nSubject: {encode_header(subject)}\r\nDate: {_now(int(time.time()))}\r\n"
        own += f"Message-ID: <{message_id(recipient.key, self._tenant_id)}@{self._domain}>\r\n"
        if self._is_commercial:
            token = tokens.one_click_token(self._own(recipient))
            own += f"List-Unsubscribe: <{site.TRACKING_URL}/u/{token}>\r\n"
        return f"{self._fixed}{own}\r\n"

    def _fixed_headers(self, settings: ContentSettings, catcher_slug: str) -> str:
        headers = {
            "From": formataddr((settings.from_name, settings.from_email)),
            "Reply-To": settings.reply_to,
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" if self._is_commercial else "",
            "Auto-Submitted": "" if self._is_commercial else "auto-generated",
            TENANT_HEADER: catcher_slug,
            "MIME-Version": "1.0",
            "Content-Type": f'multipart/alternative; boundary="{self._boundary}"',
        }
        return "".join(f"{name}: {_CONTROL.sub(' ', value)}\r\n" for name, value in headers.items() if value)

    def _addresses(self, recipient: Recipient) -> list[str]:
        """The recipient's own addresses in the order of the slots, encoded."""
        tenant_id, message = self._tenant_id, recipient.message_id
        clicks = f"{site.TRACKING_URL}/c/"
        own = f"{site.PUBLIC_URL}/m/{tokens.pages_token(self._own(recipient))}/"
        made = [clicks + token for token in tokens.click_tokens(tenant_id, message, recipient.contact_id, self._tails)]
        made += [own, f"{own}preferences/", f"{own}view/"]
        made.append(f"{site.TRACKING_URL}/o/{tokens.open_token(tenant_id, message)}.gif")
        return list(map(quoted.encode_address, made))


def notice(tenant: Tenant, key: str, address: str, content: Mapping[str, Any], *, for_catcher: bool) -> bytes:
    """A notice of the product itself as it goes over the wire."""
    domain = sender_of_notices().rpartition("@")[2]
    button = content.get("button")
    context = {"paragraphs": content["text"].split("\n\n"), "button": button, "company": tenant.name}
    text = content["text"] + (f"\n\n{button[0]}: {button[1]}" if button else "")
    boundary = f"=_{secrets.token_hex(12)}"
    headers = {
        "From": site.DEFAULT_FROM_EMAIL,
        "Reply-To": content.get("reply_to", ""),
        "To": f"<{address}>",
        "Subject": encode_header(content["subject"]),
        "Date": _now(int(time.time())),
        "Message-ID": f"<{message_id(key, tenant.pk)}@{domain}>",
        "Auto-Submitted": "auto-generated",
        TENANT_HEADER: tenant.slug if for_catcher else "",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    parts = [("plain", text), ("html", render_to_string("messaging/notice.html", context))]
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value]
    for kind, body in parts:
        lines.append(f"\r\n--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n")
        lines.append(f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{quoted.encode(body)}\r\n")
    return "".join([*lines, f"--{boundary}--\r\n"]).encode("ascii")


def sender_of_notices() -> str:
    """The bare address of DEFAULT_FROM_EMAIL."""
    return site.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip("> ")


def message_id(key: str, tenant_id: int) -> str:
    """The left part of the Message-ID, made of the message's key."""
    return f"{_UNSAFE.sub('.', key)}.t{tenant_id}"


@lru_cache(maxsize=4096)
def encode_header(text: str) -> str:
    """A header's value: without control characters, in RFC 2047 words where it is not plain ASCII."""
    plain = _CONTROL.sub(" ", text).strip()
    if plain.isascii() and "=?" not in plain:
        return plain
    words, word = [], ""
    for character in plain:
        if len((word + character).encode()) > 42:
            words.append(word)
            word = ""
        word += character
    return "\r\n ".join(f"=?utf-8?b?{_base64(part)}?=" for part in [*words, word])


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _links(email: Email, version: EmailVersion) -> list[tuple[str, int, str]]:
    """(name in the template, id, address) of the links that the version names."""
    ids = dict(Link.objects.filter(email=email, key__in=version.links).values_list("key", "pk"))
    return [(f"link_{key}", ids[key], url) for key, url in version.links.items() if key in ids]


@lru_cache(maxsize=2)
def _now(second: int) -> str:
    return formatdate(second)
