"""Rich text of a block: made clean, with its links taken out, as HTML and as plain text."""

from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

import nh3

TAGS = {"p", "br", "b", "strong", "i", "em", "u", "a", "ul", "ol", "li"}
SCHEMES = {"http", "https", "mailto", "tel"}


def clean(source: str) -> str:
    """Only the tags above remain; plain text gets its paragraphs from empty lines."""
    if "<" not in source:
        paragraphs = source.replace("\r\n", "\n").strip().split("\n\n")
        source = "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs if paragraph)
    return nh3.clean(source, tags=TAGS, attributes={"a": {"href"}}, url_schemes=SCHEMES, link_rel=None)


def links(source: str) -> list[str]:
    """The addresses that a rich text links to."""
    found: list[str] = []

    def note(label: str, url: str) -> str:
        found.append(url)
        return url

    Reader(clean(source), note)
    return found


class Reader(HTMLParser):
    """Reads cleaned HTML: `html` is the same with each link's address replaced by `link(label, url)`, `text` is what
    a reader of plain text sees (a link as "label: address")."""

    def __init__(self, source: str, link: Callable[[str, str], str]) -> None:
        super().__init__(convert_charrefs=True)
        self._link = link
        self._html: list[str] = []
        self._text: list[str] = []
        self._anchor: tuple[str, int, int] | None = None
        self.feed(source)
        self.close()

    @property
    def html(self) -> str:
        return "".join(self._html)

    @property
    def text(self) -> str:
        return "".join(self._text).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._anchor = (dict(attrs).get("href") or "", len(self._html), len(self._text))
            self._html.append("")
            return
        self._html.append(f"<{tag}>")
        self._text.append({"li": "\n- ", "br": "\n"}.get(tag, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._anchor is not None:
            self._close_anchor(*self._anchor)
            return
        self._html.append(f"</{tag}>")
        self._text.append("\n\n" if tag in ("p", "ul", "ol") else "")

    def _close_anchor(self, url: str, place: int, since: int) -> None:
        self._anchor = None
        if url:
            target = self._link("".join(self._text[since:]).strip(), url)
            self._html[place] = f'<a href="{escape(target)}">'
            self._html.append("</a>")
            self._text.append(f": {target}")

    def handle_data(self, data: str) -> None:
        self._html.append(escape(data, quote=False))
        self._text.append(data)
