"""Who may do what: roles, rights, and the decorators that every view carries."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
View = Callable[..., HttpResponse]


class Right(StrEnum):
    """What a role may do."""

    VIEW = "view"
    EDIT_AUDIENCE = "edit_audience"
    EDIT_MARKETING = "edit_marketing"
    WORK_LEADS = "work_leads"
    MANAGE = "manage"


RIGHTS: dict[str, frozenset[Right]] = {
    Member.Role.OWNER: frozenset(Right),
    Member.Role.MARKETER: frozenset({Right.VIEW, Right.EDIT_AUDIENCE, Right.EDIT_MARKETING, Right.WORK_LEADS}),
    Member.Role.SALES_REP: frozenset({Right.VIEW, Right.EDIT_AUDIENCE, Right.WORK_LEADS}),
    Member.Role.ANALYST: frozenset({Right.VIEW}),
}


def may(member: Member, right: Right) -> bool:
    """Whether the member's role includes the right."""
    return right in RIGHTS[member.role]


def allow(right: Right, *, post: Right | None = None, scoped: bool = True) -> Callable[[View], View]:
    """Open a view of a tenant's pages to members with `right` (`post`: the right for unsafe methods).

    A stranger gets 404, a member without the right 403, nobody signed in is sent to sign in. The view runs in the
    tenant's scope: READ ONLY for GET and HEAD; rolled back when it raises or answers 400 or above. A view that
    talks to a network is marked `scoped=False` and opens a scope around each verb itself.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            is_safe = request.method in SAFE_METHODS
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), login_url=_login_path())
            if request.member is None:
                raise Http404
            if not may(request.member, right if is_safe or post is None else post):
                raise PermissionDenied
            if not scoped:
                return view(request, *args, **kwargs)
            return _in_scope(request.tenant, is_safe, view, request, *args, **kwargs)

        checked.rights = (right, post or right)  # type: ignore[attr-defined]
        return checked

    return decorate


def public(view: View) -> View:
    """A page for everybody, `tenant` (a slug) being its first argument; runs in that tenant's scope.

    The view receives the Tenant in the slug's place.
    """

    @wraps(view)
    def scoped(request: HttpRequest, tenant: str, *args: Any, **kwargs: Any) -> HttpResponse:
        found = Tenant.objects.filter(slug=tenant).first()
        if found is None:
            raise Http404
        return in_scope_of(found, request, view, *args, **kwargs)

    scoped.is_public = True  # type: ignore[attr-defined]
    return scoped


def in_scope_of(tenant: Tenant, request: HttpRequest, view: View, *args: Any, **kwargs: Any) -> HttpResponse:
    """Answer a public request in the tenant's scope and zone, `view(request, tenant, …)` being the rest."""
    with timezone.override(tenant.time_zone):
        return _in_scope(tenant, request.method in SAFE_METHODS, view, request, tenant, *args, **kwargs)


def _in_scope(
    tenant: Tenant, is_safe: bool, view: View, request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponse:
    with tenant_scope(tenant, read_only=is_safe):
        response = view(request, *args, **kwargs)
        if response.status_code >= 400:
            transaction.set_rollback(True)
        return response


def _login_path() -> str:
    from tenants.links import site_path  # links needs the URL configuration, which needs the views

    return site_path("account_login")
