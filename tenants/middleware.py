"""Which tenant a request is about, and who asks."""

import re
import zoneinfo
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix, set_script_prefix
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from tenants.models import Member

PREFIX = re.compile(r"^/t/([a-z0-9-]+)(/.*)$")


class TenantMiddleware:
    """Serves `/t/<slug>/…` from the tenant's URL configuration.

    The prefix becomes the script prefix, so that `reverse()` and `{% url %}` stay within the tenant without
    anybody passing the slug. Sets `request.tenant` and `request.member`: None for a stranger, whom
    `tenants.access.allow` answers with 404.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.tenant = request.member = None
        before = get_script_prefix()
        if match := PREFIX.match(request.path_info):
            slug, request.path_info = match.groups()
            request.urlconf = settings.TENANT_URLCONF
            set_script_prefix(f"/t/{slug}/")
            self._find_member(request, slug)
        try:
            with timezone.override(viewers_zone(request)):
                response = self.get_response(request)
        finally:
            set_script_prefix(before)
        # Answers to htmx are fragments of the same address: a cache must not mix the two up.
        patch_vary_headers(response, ["HX-Request"])
        return response

    def _find_member(self, request: Any, slug: str) -> None:
        if not request.user.is_authenticated:
            return
        request.member = (
            Member.objects.select_related("tenant", "user")
            .filter(tenant__slug=slug, user=request.user, is_active=True)
            .first()
        )
        request.tenant = request.member.tenant if request.member else None


def viewers_zone(request: Any) -> zoneinfo.ZoneInfo:
    """The viewer's own zone, else the tenant's, else UTC."""
    name = getattr(request.user, "time_zone", "") or (request.tenant.time_zone if request.tenant else "UTC")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
