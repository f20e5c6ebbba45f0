"""Addresses of integrations within a tenant."""

from django.urls import path

from integrations import urls_linkedin
from integrations.views import connections, dynamics, webhooks
from integrations.views import dynamics_setting_up as setting_up

app_name = "integrations"
urlpatterns = [
    path("", connections.index, name="index"),
    path("connections/<int:pk>/pause/", connections.pause, name="connection_pause"),
    path("connections/<int:pk>/resume/", connections.resume, name="connection_resume"),
    path("connections/<int:pk>/sync/", connections.sync, name="connection_sync"),
    path("connections/<int:pk>/remove/", connections.remove, name="connection_remove"),
    path("dynamics/new/", setting_up.new, name="dynamics_new"),
    path("dynamics/new/sandbox/", setting_up.new_sandbox, name="dynamics_new_sandbox"),
    path("dynamics/<int:pk>/", dynamics.detail, name="dynamics"),
    path("dynamics/<int:pk>/progress/", dynamics.progress, name="dynamics_progress"),
    path("dynamics/<int:pk>/edit/", setting_up.edit, name="dynamics_edit"),
    path("dynamics/<int:pk>/test/", setting_up.test, name="dynamics_test"),
    path("dynamics/<int:pk>/start/", setting_up.start, name="dynamics_start"),
    path("dynamics/<int:pk>/learn/", setting_up.learn, name="dynamics_learn"),
    path("dynamics/<int:pk>/fields/", setting_up.fields, name="dynamics_fields"),
    path("dynamics/<int:pk>/fields/new/<slug:entity>/", setting_up.new_field, name="dynamics_field_new"),
    path("dynamics/<int:pk>/fields/<str:key>/", setting_up.field, name="dynamics_field"),
    path("dynamics/<int:pk>/fields/<str:key>/remove/", setting_up.remove_field, name="dynamics_field_remove"),
    path("dynamics/<int:pk>/people/", setting_up.members, name="dynamics_members"),
    path("dynamics/<int:pk>/rules/", setting_up.rules, name="dynamics_rules"),
    path("dynamics/<int:pk>/changes/", dynamics.changes, name="dynamics_changes"),
    path("dynamics/<int:pk>/changes/retry/", dynamics.retry_parked, name="dynamics_retry_parked"),
    path("dynamics/<int:pk>/leads/", dynamics.hand_over_all, name="dynamics_hand_over_all"),
    path("dynamics/<int:pk>/leads/<int:lead>/", dynamics.hand_over, name="dynamics_hand_over"),
    path("dynamics/changes/<int:pk>/", dynamics.change, name="dynamics_change"),
    path("dynamics/changes/<int:pk>/retry/", dynamics.retry, name="dynamics_retry"),
    path("dynamics/changes/<int:pk>/dismiss/", dynamics.dismiss, name="dynamics_dismiss"),
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
    *urls_linkedin.patterns,
]
