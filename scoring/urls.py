"""Addresses of scoring within a tenant."""

from django.urls import path

from scoring.views import drafts, models, trials

app_name = "scoring"
urlpatterns = [
    path("", models.model_list, name="list"),
    path("new/", drafts.new, name="new"),
    path("<int:pk>/", models.detail, name="detail"),
    path("<int:pk>/progress/", models.progress, name="progress"),
    path("<int:pk>/edit/", drafts.edit, name="edit"),
    path("<int:pk>/options/", drafts.options, name="options"),
    path("<int:pk>/rows/new/", drafts.new_row, name="new_row"),
    path("rows/<int:pk>/", drafts.edit_row, name="row"),
    path("rows/<int:pk>/remove/", drafts.remove_row, name="remove_row"),
    path("rows/<int:pk>/move/", drafts.move_row, name="move_row"),
    path("<int:pk>/try/", trials.compare, name="try"),
    path("<int:pk>/test/", trials.test, name="test"),
    path("<int:pk>/go-live/", models.go_live, name="go_live"),
    path("<int:pk>/discard/", models.discard, name="discard"),
    path("<int:pk>/archive/", models.archive, name="archive"),
    path("<int:pk>/primary/", models.make_primary, name="make_primary"),
]
