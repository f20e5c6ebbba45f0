"""Addresses of leads within a tenant."""

from django.urls import path

from leads.views import leads

app_name = "leads"
urlpatterns = [
    path("leads/<int:pk>/", leads.detail, name="detail"),
]
