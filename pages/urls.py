"""Addresses of pages within a tenant."""

from django.urls import URLPattern

app_name = "pages"
urlpatterns: list[URLPattern] = []
