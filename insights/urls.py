"""Addresses of the home page within a tenant."""

from django.urls import path

from insights import views

app_name = "insights"
urlpatterns = [
    path("", views.start, name="start"),
    path("insights/", views.home, name="home"),
]
