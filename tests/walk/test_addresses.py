"""Every address of the resolver, as a stranger and as each role without the right."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.urls import URLResolver, get_resolver
from django.urls.converters import get_converters

from tenants.access import RIGHTS, Right
from tenants.models import Member
from tests.cast import TenantClient, join

SAMPLES: dict[str, Any] = {"int": 1, "slug": "some", "str": "some", "path": "some", "uuid": UUID(int=1)}


def paths() -> list[tuple[str, str, Any]]:
    """(name, a path with made-up arguments, view) of every address within a tenant."""
    found = []

    def walk(patterns: list, prefix: str, space: str) -> None:
        for pattern in patterns:
            route, converters = str(pattern.pattern), pattern.pattern.converters
            for name, converter in converters.items():
                kind = next(key for key, known in _converters().items() if isinstance(converter, known))
                for form in (f"<{kind}:{name}>", f"<{name}>"):
                    route = route.replace(form, str(SAMPLES[kind]))
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, prefix + route, f"{pattern.namespace or space}")
            else:
                found.append((f"{space}:{pattern.name}", prefix + route, pattern.callback))

    walk(get_resolver(settings.TENANT_URLCONF).url_patterns, "/", "")
    return found


def _converters() -> dict[str, type]:
    order = ("int", "uuid", "path", "slug", "str")
    return {name: type(get_converters()[name]) for name in order}


def test_every_address_within_a_tenant_says_who_may() -> None:
    assert [name for name, _, view in paths() if not hasattr(view, "rights")] == []


def test_a_stranger_finds_nothing(acme: Any, rob: Member, client_of: Callable[..., TenantClient]) -> None:
    client = client_of(rob, "acme")
    assert paths(), "there are addresses to walk"
    for name, path, _ in paths():
        for method in ("get", "post", "put", "delete"):
            assert getattr(client, method)(path).status_code == 404, f"{method} {name} {path}"


def test_nobody_signed_in_is_sent_to_sign_in(acme: Any) -> None:
    client = TenantClient("acme")
    for name, path, _ in paths():
        response = client.get(path)
        assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/accounts/login/"), name


@pytest.mark.parametrize("role", Member.Role.values)
def test_a_role_without_the_right_is_refused(role: str, acme: Any, client_of: Callable[..., TenantClient]) -> None:
    client = client_of(join(acme, f"Some{role}", role))
    for name, path, view in paths():
        reading, writing = view.rights
        if reading not in RIGHTS[role]:
            assert client.get(path).status_code == 403, f"GET {name} as {role}"
        if writing not in RIGHTS[role]:
            assert client.post(path).status_code == 403, f"POST {name} as {role}"


def test_the_roles_differ(acme: Any) -> None:
    """The walk above means something only if each role lacks something that another has."""
    assert RIGHTS[Member.Role.OWNER] == frozenset(Right)
    assert RIGHTS[Member.Role.ANALYST] == {Right.VIEW}
    assert Right.MANAGE not in RIGHTS[Member.Role.MARKETER]
    assert Right.EDIT_MARKETING not in RIGHTS[Member.Role.SALES_REP]


def test_looking_at_a_page_with_a_made_up_id_is_never_a_crash(
    acme: Any, ana: Member, client_of: Callable[..., TenantClient]
) -> None:
    client = client_of(ana)
    client.raise_request_exception = False
    for name, path, _ in paths():
        assert client.get(path).status_code < 500, f"GET {name} {path}"
