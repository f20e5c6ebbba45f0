"""Rest.li 2.0 queries, read as strictly as LinkedIn reads them, from the query as it was sent.

    parse("q=owner&owner=(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A1)")
    -> {"q": "owner", "owner": {"sponsoredAccount": "urn:li:sponsoredAccount:1"}}

`( ) : ,` and `List(` are structure and stand literally; what stands between them is percent-encoded once. So encoded
brackets become a plain text where a record is asked for, a URN encoded twice becomes a text that is no URN, and a URN
that is not encoded at all is a record in the wrong place: each is refused, as it is at LinkedIn.
"""

from typing import Any
from urllib.parse import unquote

STRUCTURE = frozenset("():,")


class Malformed(ValueError):
    """What was sent is no Rest.li query; the text names the parameter."""


def parse(query: str) -> dict[str, Any]:
    """The parameters of a raw query: texts, records (dicts) and lists. `fields` is left as it came."""
    found: dict[str, Any] = {}
    for pair in query.split("&") if query else []:
        name, equals, raw = pair.partition("=")
        if not equals:
            raise Malformed("Invalid query parameters passed to request")
        try:
            found[name] = raw if name == "fields" else _whole(raw)
        except Malformed:
            raise Malformed(f"Parameter '{name}' is invalid") from None
    return found


def projection(fields: str) -> dict[str, Any]:
    """`id,form:(name,content)` as `{"id": {}, "form": {"name": {}, "content": {}}}`; raises Malformed."""
    found, rest = _projected(fields)
    if rest:
        raise Malformed("Parameter 'fields' is invalid")
    return found


def _projected(text: str) -> tuple[dict[str, Any], str]:
    found: dict[str, Any] = {}
    while True:
        end = next((at for at, sign in enumerate(text) if sign in STRUCTURE), len(text))
        name, text = text[:end], text[end:]
        if not name or "%" in name:
            raise Malformed("Parameter 'fields' is invalid")
        found[name] = {}
        if text.startswith(":("):
            found[name], text = _projected(text[2:])
            if not text.startswith(")"):
                raise Malformed("Parameter 'fields' is invalid")
            text = text[1:]
        if not text.startswith(","):
            return found, text
        text = text[1:]


def _whole(raw: str) -> Any:
    value, rest = _value(raw)
    if rest:
        raise Malformed(raw)
    return value


def _value(text: str) -> tuple[Any, str]:
    if text.startswith("List("):
        return _list(text[5:])
    if text.startswith("("):
        return _record(text[1:])
    end = next((at for at, sign in enumerate(text) if sign in STRUCTURE), len(text))
    return unquote(text[:end]), text[end:]


def _list(text: str) -> tuple[list[Any], str]:
    found: list[Any] = []
    if text.startswith(")"):
        return found, text[1:]
    while True:
        value, text = _value(text)
        found.append(value)
        sign, text = text[:1], text[1:]
        if sign == ")":
            return found, text
        if sign != ",":
            raise Malformed(text)


def _record(text: str) -> tuple[dict[str, Any], str]:
    found: dict[str, Any] = {}
    while True:
        end = next((at for at, sign in enumerate(text) if sign in STRUCTURE), len(text))
        name, colon, text = text[:end], text[end : end + 1], text[end + 1 :]
        if not name or colon != ":":
            raise Malformed(text)
        found[name], text = _value(text)
        sign, text = text[:1], text[1:]
        if sign == ")":
            return found, text
        if sign != ",":
            raise Malformed(text)
