"""Addresses outside the tenants' pages: sign-in, admin, public pages, health."""

from django.contrib import admin
from django.urls import include, path

from config import health
from tenants import admin_site

urlpatterns = [
    path("healthz", health.alive),
    path("healthz/all", health.everything),
    path("", include("tenants.urls_site")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/t/<slug:slug>/", admin_site.enter),
    path("admin/t/<slug:slug>/<path:rest>", admin_site.enter),
    path("admin/", admin.site.urls),
    path("m/", include("messaging.urls_public")),
    path("p/", include("pages.urls_public")),
    path("hooks/", include("integrations.urls_public")),
]
