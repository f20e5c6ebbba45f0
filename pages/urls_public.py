"""Public addresses of pages."""

from django.urls import path

from pages import views_public as views

app_name = "public_pages"
urlpatterns = [
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("<slug:tenant>/<slug:slug>/", views.page, name="page"),
    path("<slug:tenant>/<slug:slug>/thanks/", views.thanks, name="thanks"),
    path("<slug:tenant>/<slug:slug>/visit/", views.visit, name="visit"),
    path("<slug:tenant>/<slug:slug>/recognise/", views.recognise, name="recognise"),
]
