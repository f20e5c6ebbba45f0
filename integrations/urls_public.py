"""Addresses that other systems call."""

from django.urls import path

from integrations.views import hooks

app_name = "integration_hooks"
urlpatterns = [
    path("linkedin/<str:token>/", hooks.linkedin, name="linkedin"),
    path("leads/<str:token>/", hooks.leads, name="leads"),
]
