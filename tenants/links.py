"""Addresses: within a tenant's pages, outside of them, and absolute ones for mail."""

from typing import Any

from django.conf import settings
from django.urls import get_script_prefix, reverse, set_script_prefix

from tenants.models import Tenant


def tenant_path(tenant: Tenant | str, name: str, *args: Any, **kwargs: Any) -> str:
    """The path of a tenant's page, from anywhere: `/t/acme/leads/7/`."""
    slug = tenant if isinstance(tenant, str) else tenant.slug
    return _reverse(f"/t/{slug}/", settings.TENANT_URLCONF, name, args, kwargs)


def tenant_url(tenant: Tenant | str, name: str, *args: Any, **kwargs: Any) -> str:
    """The absolute address of a tenant's page, for mail."""
    return settings.PUBLIC_URL + tenant_path(tenant, name, *args, **kwargs)


def site_path(name: str, *args: Any, **kwargs: Any) -> str:
    """The path of a page outside any tenant's pages (sign-in, public pages)."""
    return _reverse("/", settings.ROOT_URLCONF, name, args, kwargs)


def site_url(name: str, *args: Any, **kwargs: Any) -> str:
    """The absolute address of a page outside any tenant's pages."""
    return settings.PUBLIC_URL + site_path(name, *args, **kwargs)


def _reverse(prefix: str, urlconf: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    before = get_script_prefix()
    set_script_prefix(prefix)
    try:
        return reverse(name, urlconf=urlconf, args=args or None, kwargs=kwargs or None)
    finally:
        set_script_prefix(before)
