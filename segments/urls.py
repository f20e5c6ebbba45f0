"""Addresses of segments within a tenant."""

from django.urls import URLPattern

app_name = "segments"
urlpatterns: list[URLPattern] = []
