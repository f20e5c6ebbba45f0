"""Public addresses of messaging."""

from django.urls import URLPattern

app_name = "public_messaging"
urlpatterns: list[URLPattern] = []
