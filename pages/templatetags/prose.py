"""Text as marketers type it: paragraphs, and lists of lines that begin with "- "."""

from itertools import groupby

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
MARKS = ("- ", "* ", "• ")


@register.filter
def prose(text: str) -> SafeString:
    """Paragraphs and lists; everything else in the text is shown as it is."""
    lines = (line.strip() for line in text.splitlines())
    parts = [_part(kind, list(some)) for kind, some in groupby(lines, _kind)]
    return mark_safe("".join(parts))  # noqa: S308 (each part is escaped)


def _kind(line: str) -> str:
    if line.startswith(MARKS):
        return "list"
    return "text" if line else ""


def _part(kind: str, lines: list[str]) -> SafeString:
    if kind == "list":
        items = format_html_join("", "<li>{}</li>", ((line[2:].strip(),) for line in lines))
        return format_html("<ul>{}</ul>", items)
    if kind == "text":
        return format_html("<p>{}</p>", format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines)))
    return SafeString("")
