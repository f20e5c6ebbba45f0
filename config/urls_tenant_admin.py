"""The admin of one tenant's tables, entered by `tenants.admin_site.enter`."""

from django.urls import path

from tenants.admin_site import site

site.register_rest()

urlpatterns = [path("", site.urls)]
