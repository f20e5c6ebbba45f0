"""Addresses of journeys within a tenant."""

from django.urls import path

from journeys.views import design, lists, page, people, running

app_name = "journeys"
urlpatterns = [
    path("", lists.index, name="list"),
    path("new/", lists.create, name="new"),
    path("<int:pk>/", page.detail, name="detail"),
    path("<int:pk>/settings/", lists.settings, name="settings"),
    path("<int:pk>/edit/", lists.begin, name="begin"),
    path("<int:pk>/discard/", lists.discard, name="discard"),
    path("<int:pk>/tiles/add/", design.add, name="add"),
    path("<int:pk>/tiles/<slug:key>/", design.tile, name="tile"),
    path("<int:pk>/tiles/<slug:key>/delete/", design.delete, name="delete"),
    path("<int:pk>/tiles/<slug:key>/duplicate/", design.duplicate, name="duplicate"),
    path("<int:pk>/tiles/<slug:key>/move/", design.move, name="move"),
    path("<int:pk>/review/", running.look, name="review"),
    path("<int:pk>/pause/", running.pause, name="pause"),
    path("<int:pk>/resume/", running.resume, name="resume"),
    path("<int:pk>/end/", running.end, name="end"),
    path("<int:pk>/archive/", running.archive, name="archive"),
    path("<int:pk>/versions/", running.versions, name="versions"),
    path("<int:pk>/people/", people.index, name="people"),
    path("<int:pk>/mail/<slug:what>/", people.mail, name="mail"),
    path("people/<int:pk>/", people.trace, name="trace"),
    path("people/<int:pk>/move-on/", people.move_on, name="move_on"),
    path("people/<int:pk>/take-out/", people.take_out, name="take_out"),
]
