"""Addresses of journeys within a tenant."""

from django.urls import URLPattern

app_name = "journeys"
urlpatterns: list[URLPattern] = []
