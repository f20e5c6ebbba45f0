"""Addresses of pages, forms and submissions within a tenant."""

from django.urls import path

from pages import views

app_name = "pages"
urlpatterns = [
    path("", views.page_list, name="list"),
    path("new/", views.edit, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/state/", views.set_state, name="set_state"),
    path("<int:pk>/preview/", views.preview, name="preview"),
    path("<int:pk>/visitors/", views.visitors, name="visitors"),
    path("forms/new/", views.form_edit, name="form_new"),
    path("forms/<int:pk>/", views.form_edit, name="form_edit"),
    path("forms/<int:pk>/submissions/", views.submission_list, name="submissions"),
    path("submissions/<int:pk>/", views.submission, name="submission"),
]
