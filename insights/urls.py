"""Addresses of insights within a tenant."""

from django.urls import URLPattern

app_name = "insights"
urlpatterns: list[URLPattern] = []
