"""What answers to htmx carry beside their HTML."""

import json
from collections.abc import Iterator
from typing import Literal, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

Level = Literal["success", "info", "warning", "error"]
Response = TypeVar("Response", bound=HttpResponse)


def toast(response: Response, text: str, level: Level = "success", *, undo: str = "") -> Response:
    """Let the page say what happened; `undo` is a path that a POST takes it back at. One toast per answer."""
    return trigger_client_event(response, "toast", {"text": str(text), "level": level, "undo": undo})


def no_content(**events: dict[str, str]) -> HttpResponse:
    """204 with events for the page: `no_content(theme={"value": "dark"})`."""
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(events)} if events else None)


def done(
    request: HttpRequest, text: str, to: str, *args: object, level: Level = "success", undo: str = ""
) -> HttpResponse:
    """After an action: go to a page (a path, or a URL name with arguments), which says in a toast what happened.

    `undo` is a path that a POST takes it back at; the toast has a button for it.
    """
    messages.add_message(request, getattr(messages, level.upper()), text, extra_tags=undo)
    response: HttpResponseRedirect = redirect(to, *args)
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(response.url)
    return response


def attachment(file_name: str, lines: Iterator[str]) -> StreamingHttpResponse:
    """A CSV file to save; begins with a byte order mark, by which spreadsheets know that it is UTF-8."""

    def content() -> Iterator[bytes]:
        yield b"\xef\xbb\xbf"
        for line in lines:
            yield line.encode()

    headers = {"Content-Disposition": f'attachment; filename="{file_name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(content(), content_type="text/csv; charset=utf-8", headers=headers)
