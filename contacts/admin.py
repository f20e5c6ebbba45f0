"""Contacts' tables in the admin of a tenant; the others are shown as they are."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from import_export.admin import ExportMixin

from contacts import search
from contacts.models import Account, Consent, Contact, Interaction
from contacts.resources import AccountResource, ContactResource
from tenants.admin_site import ReadOnlyAdmin, site


class SearchedAdmin(ReadOnlyAdmin):
    """A table that search knows: found by the beginnings of words, as in the product."""

    search_fields = ("pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(search.matching(search_term, queryset.model._meta.model_name)), False


@admin.register(Contact, site=site)
class ContactAdmin(ExportMixin, SearchedAdmin):
    resource_classes = (ContactResource,)
    list_display = ("__str__", "email", "account", "consent_level", "is_active", "created_at")
    list_select_related = ("account",)


@admin.register(Account, site=site)
class AccountAdmin(ExportMixin, SearchedAdmin):
    resource_classes = (AccountResource,)
    list_display = ("name", "domain", "country", "is_active", "created_at")


@admin.register(Consent, site=site)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ("at", "contact", "purpose", "channel", "state", "level", "basis", "source")
    list_select_related = ("contact", "purpose")


@admin.register(Interaction, site=site)
class InteractionAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "kind", "contact_id", "account_id", "lead_id", "object_id", "lane")
