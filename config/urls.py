"""Addresses outside the tenants' pages: sign-in, admin, public pages, health."""

from django.contrib import admin
from django.urls import include, path

from config import health

urlpatterns = [
    path("healthz", health.alive),
    path("healthz/all", health.everything),
    path("", include("tenants.urls_site")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("m/", include("messaging.urls_public")),
    path("p/", include("pages.urls_public")),
]
