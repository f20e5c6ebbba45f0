"""Addresses of integrations within a tenant."""

from django.urls import path

from integrations.views import connections, webhooks

app_name = "integrations"
urlpatterns = [
    path("", connections.index, name="index"),
    path("connections/<int:pk>/pause/", connections.pause, name="connection_pause"),
    path("connections/<int:pk>/resume/", connections.resume, name="connection_resume"),
    path("connections/<int:pk>/sync/", connections.sync, name="connection_sync"),
    path("connections/<int:pk>/remove/", connections.remove, name="connection_remove"),
    path("webhooks/", webhooks.index, name="webhooks"),
    path("webhooks/new/", webhooks.new, name="endpoint_new"),
    path("webhooks/<int:pk>/", webhooks.detail, name="endpoint"),
    path("webhooks/<int:pk>/edit/", webhooks.edit, name="endpoint_edit"),
    path("webhooks/<int:pk>/rotate/", webhooks.rotate, name="endpoint_rotate"),
    path("webhooks/<int:pk>/test/", webhooks.test, name="endpoint_test"),
    path("webhooks/<int:pk>/pause/", webhooks.pause, name="endpoint_pause"),
    path("webhooks/<int:pk>/resume/", webhooks.resume, name="endpoint_resume"),
    path("webhooks/<int:pk>/remove/", webhooks.remove, name="endpoint_remove"),
    path("webhooks/<int:pk>/replay-failed/", webhooks.replay_failed, name="replay_failed"),
    path("webhooks/deliveries/<int:pk>/", webhooks.delivery, name="delivery"),
    path("webhooks/deliveries/<int:pk>/replay/", webhooks.replay, name="replay"),
    path("webhooks/calls/<int:participant>/<slug:tile>/", webhooks.call, name="call"),
]
