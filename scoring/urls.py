"""Addresses of scoring within a tenant."""

from django.urls import URLPattern

app_name = "scoring"
urlpatterns: list[URLPattern] = []
