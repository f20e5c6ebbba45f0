"""What every page needs to know: the navigation, the theme, the number at the bell."""

from collections.abc import Callable
from itertools import groupby
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from tenants import companies, notifications
from tenants.access import RIGHTS, may
from tenants.models import Member, User
from tenants.registry import MenuItem, Section, menu
from tenants.scope import tenant_scope


class Place(NamedTuple):
    """A line of the navigation as one member sees it."""

    label: str
    path: str
    icon: str
    is_current: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of all pages. What costs a query is a callable, asked only by the templates that show it.

    `may` says what the member may do: {% if may.edit_marketing %}.
    """
    theme = getattr(getattr(request, "user", None), "theme", User.Theme.AUTO)
    member = getattr(request, "member", None)
    if member is None:
        return {"theme": theme, "may_start": _once(lambda: companies.may_start(request.user))}
    return {
        "theme": theme,
        "may": {right.value: True for right in RIGHTS[member.role]},
        "navigation": _once(lambda: navigation(request)),
        "unread_count": _once(lambda: _unread_count(member)),
    }


def _unread_count(member: Member) -> int:
    """In a scope of its own: a view that talks to a network renders its page outside of one."""
    with tenant_scope(member.tenant):
        return notifications.unread_count(member)


def navigation(request: Any) -> list[tuple[Section, list[Place]]]:
    """The sections of the menu that the member may open, with the current page marked."""
    items = [(item, reverse(item.url_name)) for item in menu if may(request.member, item.right)]
    current = _current_path(request.path, [path for _, path in items])
    return [
        (section, [Place(str(item.label), path, item.icon, path == current) for item, path in group])
        for section, group in groupby(items, key=_section)
    ]


def _section(pair: tuple[MenuItem, str]) -> Section:
    return pair[0].section


def _current_path(path: str, places: list[str]) -> str:
    """The longest place that the path lies below; the home page is current only itself."""
    home = get_script_prefix()
    above = [place for place in places if path == place or (place != home and path.startswith(place))]
    return max(above, key=len, default="")


def _once(compute: Callable[[], Any]) -> Callable[[], Any]:
    """The callable's first answer, kept for the rest of the page."""
    answers: list[Any] = []

    def answer() -> Any:
        if not answers:
            answers.append(compute())
        return answers[0]

    return answer
