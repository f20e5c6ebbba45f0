"""Addresses of contacts within a tenant."""

from django.urls import URLPattern

app_name = "contacts"
urlpatterns: list[URLPattern] = []
