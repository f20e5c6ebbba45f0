"""From blocks to HTML and text with placeholders, once per version.

Tags of personalization and addresses of links are taken out before sanitising and MJML, and put back into the result:
neither can damage them, and nothing in them can become markup. Links of the web become `{{ _.link_<key> }}`, which
the sender fills with the recipient's own tracking address.
"""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import mjml
from django.template.loader import render_to_string
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from messaging.designs import richtext
from messaging.designs.blocks import Block
from messaging.personalization import TAG

UNSUBSCRIBE, PREFERENCES, VIEW, PIXEL = "unsubscribe", "preferences", "view", "pixel"


@dataclass(frozen=True)
class Target:
    """A link of a design: `key` is what figures and branches name it by."""

    key: str
    label: str
    url: str


@dataclass(frozen=True)
class Composed:
    """A compiled design: templates of HTML and text, and the links in them."""

    html: str
    text: str
    links: tuple[Target, ...]


@dataclass
class _Composer:
    """Collects what is taken out while blocks are turned into MJML."""

    known: Sequence[Target]
    # What stands for a part while it is out; letters and digits only, and not to be guessed by an author.
    mark: str = field(default_factory=lambda: f"q{secrets.token_hex(6)}q")
    parts: list[str] = field(default_factory=list)
    links: dict[tuple[str, str], Target] = field(default_factory=dict)

    def take(self, part: str) -> str:
        self.parts.append(part)
        return f"{self.mark}{len(self.parts) - 1}q"

    def protect(self, text: str) -> str:
        """The text with every personalization tag taken out."""
        return TAG.sub(lambda match: self.take(match.group()), text)

    def link(self, label: str, url: str) -> str:
        """A placeholder for a link's address; addresses that are no web pages stand as they are."""
        if not url.startswith(("http://", "https://")):
            return url
        label = self.put_back(label).strip() or url
        target = self.links.get((label, url)) or self._name(label, url)
        self.links[label, url] = target
        return self.take("{{ _.link_" + target.key + " }}")

    def _name(self, label: str, url: str) -> Target:
        """The known link that this is, else a new one: by label and address, by label, by address."""
        taken = {target.key for target in self.links.values()}
        free = [target for target in self.known if target.key not in taken]
        tests = (
            lambda t: t.label == label[:200] and t.url == url,
            lambda t: t.label == label[:200],
            lambda t: t.url == url,
        )
        for test in tests:
            for target in filter(test, free):
                return Target(target.key, label[:200], url)
        base = slugify(TAG.sub("", label)).replace("-", "_")[:40].strip("_") or "link"
        used = taken | {target.key for target in self.known}
        number, key = 2, base
        while key in used:
            key, number = f"{base}_{number}", number + 1
        return Target(key, label[:200], url)

    def put_back(self, text: str) -> str:
        return re.sub(f"{self.mark}(\\d+)q", lambda match: self.parts[int(match.group(1))], text)


def compose(
    blocks: Iterable[Block], *, preheader: str = "", is_commercial: bool = True, known: Sequence[Target] = ()
) -> Composed:
    """Compile a design. `known` are the e-mail's links so far, whose keys are kept."""
    composer = _Composer(known)
    sections = [_section(composer, block) for block in blocks]
    address = composer.take("{{ content.postal_address }}")
    places = {name: composer.take("{{ _." + name + " }}") for name in (UNSUBSCRIBE, PREFERENCES, VIEW, PIXEL)}
    context = {
        "sections": [mark_up for mark_up, _text in sections],
        "preheader": composer.protect(preheader),
        "is_commercial": is_commercial,
        "postal_address": address,
        "language": get_language() or "en",
        "places": places,
    }
    html = mjml.mjml2html(render_to_string("messaging/mjml/email.mjml", context))
    text = "\n\n".join([*(text for _markup, text in sections if text), _footer(places, address, is_commercial)])
    return Composed(composer.put_back(html), composer.put_back(text) + "\n", tuple(composer.links.values()))


def _section(composer: _Composer, block: Block) -> tuple[dict[str, Any], str]:
    """(context of the block's MJML template, plain text) of one block."""
    kind, props = block["kind"], dict(block["props"])
    text = ""
    if kind == "heading":
        props["text"] = text = composer.protect(props["text"])
    elif kind == "text":
        reader = richtext.Reader(richtext.clean(composer.protect(props["html"])), composer.link)
        props["html"], text = reader.html, reader.text
    elif kind == "button":
        props["label"] = composer.protect(props["label"])
        props["target"] = composer.link(props["label"], props["url"])
        text = f"{props['label']}: {props['target']}"
    elif kind == "image":
        props["alt"] = composer.protect(props["alt"])
        props["target"] = composer.link(props["alt"], props["url"]) if props["url"] else ""
        text = f"{props['alt']}: {props['target']}" if props["url"] else props["alt"]
    elif kind == "divider":
        text = "-" * 20
    return {"kind": kind, **props}, text


def _footer(places: dict[str, str], address: str, is_commercial: bool) -> str:
    lines = [address]
    if is_commercial:
        lines += [f"{_('Unsubscribe')}: {places[UNSUBSCRIBE]}", f"{_('Preferences')}: {places[PREFERENCES]}"]
    return "\n".join(["-- ", *lines])
