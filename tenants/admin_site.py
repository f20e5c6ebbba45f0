"""Django's admin over one tenant's tables, at `/admin/t/<slug>/`: for support, to look and not to touch.

Everything in it has a verb in the product that also records, audits and notifies, so that the admin changes nothing.
Whoever looks at a table or an object leaves a row in that tenant's audit trail; nothing goes into Django's own log,
which belongs to no tenant.
"""

from functools import cached_property
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import Resolver404, get_script_prefix, get_urlconf, resolve, reverse, set_script_prefix, set_urlconf
from django.utils.translation import gettext_lazy as _

from tenants import audit
from tenants.fields import TenantKey
from tenants.models import Tenant
from tenants.paging import count_up_to
from tenants.scope import tenant_scope

URLCONF = "config.urls_tenant_admin"


class CappedPaginator(Paginator):
    """Counts no further than lists of ours do: a table may have millions of rows."""

    @cached_property
    def count(self) -> int:
        return count_up_to(self.object_list)[0]  # type: ignore[arg-type]


class ReadOnlyAdmin(ModelAdmin):
    """A table of a tenant, to look at."""

    ordering = ("-pk",)
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def changelist_view(self, request: Any, extra_context: Any = None) -> HttpResponse:
        """Show the table, and note in the tenant's audit trail who looked."""
        response = super().changelist_view(request, extra_context)
        if response.status_code == 200:
            audit.write("admin.listed", by=request.user, detail={"table": self.opts.label})
        return response

    def changeform_view(
        self, request: Any, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show an object, and note in the tenant's audit trail who looked."""
        response = super().changeform_view(request, object_id, form_url, extra_context)
        if object_id and response.status_code == 200 and (seen := self.get_object(request, object_id)):
            audit.write("admin.viewed", seen, by=request.user)
        return response


class TenantAdminSite(AdminSite):
    """The admin of the tenant whose scope the request is in."""

    site_header = site_title = _("Tenant's data")
    index_title = _("Tables")
    final_catch_all_view = False

    def register_rest(self) -> None:
        """Register every table of tenants that no app has registered in its own way."""
        for model in apps.get_models():
            is_tenants = any(isinstance(field, TenantKey) for field in model._meta.local_fields)
            if is_tenants and not self.is_registered(model):
                self.register(model, ReadOnlyAdmin)


site = TenantAdminSite(name="admin")


def enter(request: Any, slug: str, rest: str = "") -> HttpResponse:
    """Answer a request below `/admin/t/<slug>/` in that tenant's scope; for staff alone.

    As with the tenant's own pages the prefix becomes the script prefix, so that Django's admin reverses its addresses
    without knowing of tenants. The answer is rendered before the scope ends.
    """
    if not (request.user.is_authenticated and request.user.is_staff):
        return redirect_to_login(request.get_full_path(), login_url=reverse("admin:login"))
    tenant = get_object_or_404(Tenant, slug=slug)
    prefix, urlconf = get_script_prefix(), get_urlconf()
    set_script_prefix(f"/admin/t/{slug}/")
    set_urlconf(URLCONF)
    request.urlconf = URLCONF
    try:
        view, args, kwargs = resolve(f"/{rest}", URLCONF)
        with tenant_scope(tenant):
            response = view(request, *args, **kwargs)
            if hasattr(response, "render") and not response.is_rendered:
                response.render()
            if response.status_code >= 400:
                transaction.set_rollback(True)
            return response
    except Resolver404 as error:
        raise Http404 from error
    finally:
        set_script_prefix(prefix)
        set_urlconf(urlconf)
        request.urlconf = urlconf
