"""How LinkedIn cuts its lists into pages, with what goes wrong there.

Quirks (`{"quirks": {…}}` in a seed) of the responses' pages:

    no_total              `paging.total` is left out
    links                 "next": every page but the last names its successor; otherwise none does
    repeat_every          every so many-th response stands in the list twice
    arrive_between_pages  responses (as in a seed), one of which arrives after each page
    delete_between_pages  ids, one of which is withdrawn after each page

Pages that are short in the middle come from responses that are broken (`"broken": true`): they are dropped after the
page was cut.
"""

from typing import Any

from integrations.sandbox.linkedin import refusals

DEFAULT, MOST, MOST_BY_TOKEN = 10, 100, 1_000


def whole(parameters: dict[str, Any], name: str, default: int) -> int:
    """A parameter that is a number, not below zero."""
    text = parameters.get(name, str(default))
    if not isinstance(text, str) or not text.isdigit():
        raise refusals.invalid(name)
    return int(text)


def by_offset(rows: list[Any], parameters: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The page at `start`, and its `paging`; past the end the total is 0."""
    start = whole(parameters, "start", 0)
    count = max(1, min(whole(parameters, "count", DEFAULT), MOST))
    page = rows[start : start + count]
    return page, {"start": start, "count": count, "links": [], "total": len(rows) if page else 0}


def by_token(rows: list[Any], parameters: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The page behind `pageToken`, and its `metadata`, without a token on the last one."""
    size = max(1, min(whole(parameters, "pageSize", DEFAULT), MOST_BY_TOKEN))
    token = parameters.get("pageToken", "")
    if token and not (isinstance(token, str) and token.startswith("Dg") and token[2:].isdigit()):
        raise refusals.invalid("pageToken")
    start = int(token[2:]) if token else 0
    following = f"Dg{start + size}" if start + size < len(rows) else ""
    return rows[start : start + size], {"nextPageToken": following} if following else {}


def either(rows: list[Any], parameters: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The page, and what goes along with it, by whichever way the caller pages."""
    if "pageSize" in parameters or "pageToken" in parameters:
        page, metadata = by_token(rows, parameters)
        return page, {"metadata": metadata}
    page, paging = by_offset(rows, parameters)
    return page, {"paging": paging}
