"""Quoted-printable templates: transfer encoding done once per version instead of once per mail.

The text between tags is encoded when a version is compiled; what tags print is encoded as it is printed. Every piece
begins at the start of a line and ends with a soft line break, so that no line grows beyond 78 characters whatever is
printed between. Dots at the start of a line are doubled, as SMTP wants them (RFC 5321, 4.5.2).
"""

import binascii
import re
from collections.abc import Sequence

from messaging.personalization import TAG

SOFT_BREAK = "=\r\n"
LINE = 72
# Nothing that is encoded contains this character.
MARK = "\x01"
# `{%- … -%}` would strip the soft breaks around a tag.
_BLANK_CONTROL = re.compile(r"^(\{[{%])[-+]|[-+]([%}]\})$")


def template(source: str, slots: Sequence[str] = ()) -> str:
    """The template that prints the quoted-printable form of what `source` prints (lines end with CRLF).

    Where `source` prints `_.<name>` with a name in `slots`, a mark is left for `fill`.
    """
    places = {f"{{{{ _.{name} }}}}": f"{MARK}{number}{MARK}" for number, name in enumerate(slots)}
    pieces, place = [], 0
    for match in TAG.finditer(source):
        pieces.append(encode(source[place : match.start()]))
        tag = match.group()
        if not tag.startswith("{#"):
            pieces.append(places.get(tag) or _BLANK_CONTROL.sub(lambda found: found.group(1) or found.group(2), tag))
        place = match.end()
    pieces.append(encode(source[place:]))
    return "".join(pieces)


def fill(printed: str, values: Sequence[str]) -> str:
    """What a template printed, with each mark replaced by the value of its slot (encoded already)."""
    parts = printed.split(MARK)
    parts[1::2] = [values[int(number)] for number in parts[1::2]]
    return "".join(parts)


def encode_address(address: str) -> str:
    """An address made of a host and a token, which needs no encoding but line breaks."""
    if len(address) <= LINE:
        return address + SOFT_BREAK
    return "".join([f"{address[start : start + LINE]}{SOFT_BREAK}" for start in range(0, len(address), LINE)])


def encode(text: str) -> str:
    """A piece of text as whole lines: its last line ends with a line break or a soft one."""
    if not text:
        return ""
    if len(text) < LINE and text.isascii() and text.isalnum():
        return text + SOFT_BREAK
    raw = text.replace("\r\n", "\n").encode()
    lines = binascii.b2a_qp(raw).decode("ascii").replace("\n.", "\n..").replace("\n", "\r\n")
    if lines.startswith("."):
        lines = f".{lines}"
    if lines.endswith("\n"):
        return lines
    return lines + SOFT_BREAK
