"""Addresses of tenants within a tenant."""

from django.urls import URLPattern

app_name = "tenants"
urlpatterns: list[URLPattern] = []
