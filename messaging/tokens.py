"""Signed tokens in the addresses that mails carry: compact, bound to one purpose, never expiring.

A token is base64url(numbers as varints + text) with a keyed BLAKE2b MAC of 96 bits in front. The key depends on the
purpose, so the token of a pixel cannot unsubscribe anybody. Tokens of former keys (SECRET_KEY_FALLBACKS) stay valid.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings

if TYPE_CHECKING:
    from contacts.models import Contact

MAC_SIZE = 12
OPEN, CLICK, ONE_CLICK, PAGES, VISITOR, CONFIRM = "open", "click", "one-click", "pages", "visitor", "confirm"
# A visitor token stands in addresses of our own pages, which people pass on: it is good for one arrival.
VISITOR_SECONDS = 3600


class Forged(ValueError):
    """The token was not made here, or for another purpose."""


@dataclass(frozen=True, slots=True)
class Click:
    """What a link's token says."""

    tenant_id: int
    message_id: int
    link_id: int
    contact_id: int
    url: str


class Own(NamedTuple):
    """Whose mail it is and what for. It names contact and purpose too: its links work when the message is gone."""

    tenant_id: int
    message_id: int
    contact_id: int
    purpose_id: int


def open_token(tenant_id: int, message_id: int) -> str:
    """For a message's pixel."""
    return sign(OPEN, (tenant_id, message_id))


def click_token(tenant_id: int, message_id: int, link_id: int, contact_id: int, url: str) -> str:
    """For one link of a message; it carries the address, so that a redirect needs no database."""
    return next(click_tokens(tenant_id, message_id, contact_id, [click_tail(link_id, url)]))


def click_tail(link_id: int, url: str) -> bytes:
    """What the tokens of one link have in common, for `click_tokens`."""
    return _varint(link_id) + url.encode()


def click_tokens(tenant_id: int, message_id: int, contact_id: int, tails: Iterable[bytes]) -> Iterator[str]:
    """The tokens of all links of a message; the part that a mail with many links spends its time on."""
    head = _varint(tenant_id) + _varint(message_id) + _varint(contact_id)
    keyed, to_base64, to_url = _keyed(CLICK), binascii.b2a_base64, _TO_URL
    for tail in tails:
        body = head + tail
        mac = keyed.copy()
        mac.update(body)
        yield to_base64(mac.digest() + body, newline=False).translate(to_url, b"=").decode("ascii")


def read_open(token: str) -> tuple[int, int]:
    (tenant_id, message_id), _text = read(OPEN, token, 2)
    return tenant_id, message_id


def read_click(token: str) -> Click:
    (tenant_id, message_id, contact_id, link_id), url = read(CLICK, token, 4)
    return Click(tenant_id, message_id, link_id, contact_id, url)


def one_click_token(own: Own) -> str:
    """For the List-Unsubscribe header (RFC 8058)."""
    return sign(ONE_CLICK, own)


def read_one_click(token: str) -> Own:
    numbers, _text = read(ONE_CLICK, token, 4)
    return Own(*numbers)


def pages_token(own: Own) -> str:
    """For the recipient's own pages: unsubscribing, preferences, the mail in the browser."""
    return sign(PAGES, own)


def read_pages(token: str) -> Own:
    numbers, _text = read(PAGES, token, 4)
    return Own(*numbers)


def visitor_token(contact: "Contact") -> str:
    """Tells our own pages who has just followed a link of a mail (their parameter `o`)."""
    return visitor_token_of(contact.tenant_id, contact.pk)


def visitor_token_of(tenant_id: int, contact_id: int) -> str:
    """The same from ids, where the contact is not at hand."""
    return sign(VISITOR, (tenant_id, contact_id, int(time.time())))


def read_visitor_token(token: str, tenant_id: int) -> int | None:
    """The contact's id; None for a token that is forged, too old, or another tenant's."""
    try:
        (signed_tenant, contact_id, at), _text = read(VISITOR, token, 3)
    except Forged:
        return None
    is_fresh = 0 <= time.time() - at <= VISITOR_SECONDS
    return contact_id if is_fresh and signed_tenant == tenant_id else None


def sign(purpose: str, numbers: Sequence[int], text: str = "") -> str:
    """A token for a purpose over non-negative numbers and a text."""
    body = b"".join(map(_varint, numbers)) + text.encode()
    mac = _keyed(purpose).copy()
    mac.update(body)
    return binascii.b2a_base64(mac.digest() + body, newline=False).translate(_TO_URL, b"=").decode("ascii")


def read(purpose: str, token: str, count: int) -> tuple[list[int], str]:
    """(the `count` numbers, the text) of a token made for the purpose; raises Forged for any other."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Forged from error
    mac, body = raw[:MAC_SIZE], raw[MAC_SIZE:]
    expected = (blake2b(body, key=key, digest_size=MAC_SIZE).digest() for key in _keys(purpose))
    if not any(hmac.compare_digest(mac, one) for one in expected):
        raise Forged
    numbers, place = [], 0
    for _number in range(count):
        value, place = _read_varint(body, place)
        numbers.append(value)
    return numbers, body[place:].decode()


@lru_cache
def _keyed(purpose: str) -> blake2b:
    """A hash of a purpose's current key, to be copied."""
    return blake2b(key=_keys(purpose)[0], digest_size=MAC_SIZE)


@lru_cache
def _keys(purpose: str) -> tuple[bytes, ...]:
    """The keys of a purpose, the current one first."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return tuple(blake2b(secret.encode(), person=purpose.encode(), digest_size=32).digest() for secret in secrets)


def forget_keys() -> None:
    """Read the keys from the settings again."""
    _keys.cache_clear()
    _keyed.cache_clear()


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _read_varint(body: bytes, place: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        part = body[place]
        value |= (part & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if part < 0x80:
            return value, place


_TO_URL = bytes.maketrans(b"+/", b"-_")
