"""The kinds of blocks an e-mail is made of.

A block is stored as {"id": "b1a2…", "kind": "button", "props": {…}}. The footer (postal address, unsubscribe link) is
no block: every e-mail has it, in its place.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _

from messaging.personalization import readable

Block = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of block: how it is called, and what a new one holds."""

    key: str
    label: str | Promise
    icon: str
    defaults: dict[str, Any]


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("heading", _("Heading"), "heading", {"text": "", "align": "left"}),
        Kind("text", _("Text"), "text-size", {"html": "", "align": "left"}),
        Kind("button", _("Button"), "square", {"label": "", "url": "", "color": "#066fd1", "align": "left"}),
        Kind("image", _("Image"), "photo", {"src": "", "alt": "", "url": "", "width": 600}),
        Kind("divider", _("Divider"), "separator", {}),
        Kind("spacer", _("Space"), "arrows-sort", {"height": 24}),
    )
}


class UnknownBlock(KeyError):
    """There is no such block, or no such kind."""


def new(kind: str, **props: Any) -> Block:
    """A block of a kind with its defaults."""
    if kind not in KINDS:
        raise UnknownBlock(kind)
    return {"id": f"b{secrets.token_hex(4)}", "kind": kind, "props": {**KINDS[kind].defaults, **props}}


def find(blocks: Iterable[Block], key: str) -> Block:
    """The block with this id; raises UnknownBlock."""
    for block in blocks:
        if block["id"] == key:
            return block
    raise UnknownBlock(key)


def summary(block: Block) -> str:
    """A block's words in one line, with placeholders as what they stand for; of a space its height."""
    props = block["props"]
    words = props.get("text") or props.get("html") or props.get("label") or props.get("alt") or ""
    if "height" in props:
        words = _("%(n)d pixels") % {"n": props["height"]}
    return readable(strip_tags(words.replace("<", " <")))[:80]


def insert(blocks: list[Block], block: Block, after: str = "") -> list[Block]:
    """The list with a block added after the named one, else at the end."""
    place = 1 + blocks.index(find(blocks, after)) if after else len(blocks)
    return [*blocks[:place], block, *blocks[place:]]


def move(blocks: list[Block], key: str, by: int) -> list[Block]:
    """The list with a block moved up (-1) or down (+1); at the edge it stays."""
    block = find(blocks, key)
    rest = [other for other in blocks if other is not block]
    place = max(0, min(len(rest), blocks.index(block) + by))
    return [*rest[:place], block, *rest[place:]]


def remove(blocks: list[Block], key: str) -> list[Block]:
    """The list without the block."""
    gone = find(blocks, key)
    return [block for block in blocks if block is not gone]


def change(blocks: list[Block], key: str, props: dict[str, Any]) -> list[Block]:
    """The list with a block's properties replaced."""
    changed = find(blocks, key)
    return [{**block, "props": {**block["props"], **props}} if block is changed else block for block in blocks]
