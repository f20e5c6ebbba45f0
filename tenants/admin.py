"""The admin of what belongs to no tenant: people, tenants, memberships, what runs in the background."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tenants.models import Heartbeat, Invitation, Member, PublicHost, Tenant, User, Wakeup


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    """People; passwords are set by their owners alone."""

    list_display = ("email", "name", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    fields = ("email", "name", "time_zone", "is_active", "is_staff", "is_superuser", "groups", "last_login")
    # What people say about themselves, and how they sign in, they change themselves.
    readonly_fields = ("email", "name", "time_zone", "last_login")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """An account is made by its owner: at the start of a company, or by an invitation."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deactivate instead: companies' histories name the person."""
        return False


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin):
    """Companies; their data is behind the link."""

    list_display = ("name", "slug", "time_zone", "currency", "is_sample", "created_at", "data")
    search_fields = ("name", "slug")
    # Owners change these in the product, which writes their audit trail.
    readonly_fields = ("name", "time_zone", "country", "currency", "created_at")

    @admin.display(description=_("data"))
    def data(self, tenant: Tenant) -> SafeString:
        return format_html('<a href="/admin/t/{}/">{}</a>', tenant.slug, _("Look"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A company is started by its owner."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Member, Invitation, PublicHost, Wakeup, Heartbeat)
class LookAdmin(admin.ModelAdmin):
    """To look at; the product has verbs for what may change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
