"""Addresses of segments within a tenant."""

from django.urls import path

from segments.views import rules, segments

app_name = "segments"
urlpatterns = [
    path("", segments.segment_list, name="list"),
    path("new/", segments.new, name="new"),
    path("add/", segments.add, name="add"),
    path("remove/", segments.remove, name="remove"),
    path("<int:pk>/", segments.detail, name="detail"),
    path("<int:pk>/edit/", segments.edit, name="edit"),
    path("<int:pk>/history/", segments.history, name="history"),
    path("<int:pk>/why/<int:contact_pk>/", segments.why, name="why"),
    path("<int:pk>/candidates/", segments.candidates, name="candidates"),
    path("<int:pk>/go-live/", segments.go_live, name="go_live"),
    path("<int:pk>/archive/", segments.archive, name="archive"),
    path("<int:pk>/delete/", segments.delete, name="delete"),
    path("rules/<slug:subject>/rows/", rules.builder, name="builder"),
    path("rules/<slug:subject>/preview/", rules.preview, name="preview"),
]
