"""Addresses outside any tenant: choosing a company, invitations."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
