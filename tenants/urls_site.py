"""Addresses outside any tenant: choosing a company, starting one, invitations."""

from django.urls import path

from tenants.views import site

urlpatterns = [
    path("", site.choose_company, name="choose_company"),
    path("start/", site.start, name="start"),
    path("invitation/<str:token>/", site.invitation, name="invitation"),
]
