"""Pages of one tenant, served below `/t/<slug>/`; every view carries `tenants.access.allow`."""

from django.urls import include, path

urlpatterns = [
    path("", include("insights.urls")),
    path("company/", include("tenants.urls")),
    path("audience/", include("contacts.urls")),
    path("segments/", include("segments.urls")),
    path("emails/", include("messaging.urls")),
    path("pages/", include("pages.urls")),
    path("sales/", include("leads.urls")),
    path("scoring/", include("scoring.urls")),
    path("journeys/", include("journeys.urls")),
    path("integrations/", include("integrations.urls")),
]
