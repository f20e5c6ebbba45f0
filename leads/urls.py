"""Addresses of leads within a tenant."""

from django.urls import URLPattern

app_name = "leads"
urlpatterns: list[URLPattern] = []
