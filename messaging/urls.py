"""Addresses of messaging within a tenant."""

from django.urls import URLPattern

app_name = "messaging"
urlpatterns: list[URLPattern] = []
