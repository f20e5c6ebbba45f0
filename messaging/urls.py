"""Addresses of messaging within a tenant."""

from django.urls import path

from messaging.views import design, emails, outbox, settings

app_name = "messaging"
urlpatterns = [
    path("", emails.email_list, name="list"),
    path("new/", emails.new, name="new"),
    path("<int:pk>/", emails.detail, name="detail"),
    path("<int:pk>/settings/", emails.settings, name="settings"),
    path("<int:pk>/go-live/", emails.go_live, name="go_live"),
    path("<int:pk>/discard/", emails.discard, name="discard"),
    path("<int:pk>/archive/", emails.archive, name="archive"),
    path("<int:pk>/test/", emails.test, name="test"),
    path("<int:pk>/people/<slug:what>/", emails.people, name="people"),
    path("<int:pk>/edit/", design.edit, name="edit"),
    path("<int:pk>/head/", design.head, name="head"),
    path("<int:pk>/preview/", design.preview, name="preview"),
    path("<int:pk>/blocks/", design.add_block, name="add_block"),
    path("<int:pk>/blocks/<slug:block>/", design.save_block, name="save_block"),
    path("<int:pk>/blocks/<slug:block>/move/", design.move_block, name="move_block"),
    path("<int:pk>/blocks/<slug:block>/remove/", design.remove_block, name="remove_block"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<int:pk>/settle/", outbox.settle, name="settle"),
    path("contact/<int:pk>/", outbox.of_contact, name="of_contact"),
    path("caught/", outbox.caught_list, name="caught_list"),
    path("caught/<int:pk>/", outbox.caught, name="caught"),
    path("caught/<int:pk>/body/", outbox.caught_body, name="caught_body"),
    path("senders/", settings.content_list, name="content_list"),
    path("senders/new/", settings.content, name="content_new"),
    path("senders/<int:pk>/", settings.content, name="content"),
    path("suppressions/", settings.suppression_list, name="suppressions"),
    path("suppressions/<int:pk>/lift/", settings.lift, name="lift"),
]
