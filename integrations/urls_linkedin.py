"""Addresses of LinkedIn, part of those of integrations."""

from django.urls import path

from integrations.views import linkedin, linkedin_connecting, linkedin_mapping, linkedin_ways

patterns = [
    path("linkedin/", linkedin.home, name="linkedin_home"),
    path("linkedin/submissions/", linkedin.submissions, name="linkedin_submissions"),
    path("linkedin/submissions/export/", linkedin.export, name="linkedin_export"),
    path("linkedin/figures/", linkedin.figures, name="linkedin_figures"),
    path("linkedin/submissions/<int:pk>/", linkedin.submission, name="linkedin_submission"),
    path("linkedin/new/", linkedin_connecting.new, name="linkedin_new"),
    path("linkedin/new/sandbox/", linkedin_connecting.new_sandbox, name="linkedin_new_sandbox"),
    path("linkedin/new/without/", linkedin_connecting.new_without, name="linkedin_new_without"),
    path("linkedin/back/", linkedin_connecting.back, name="linkedin_back"),
    path("linkedin/<int:pk>/", linkedin.connection, name="linkedin"),
    path("linkedin/<int:pk>/progress/", linkedin.progress, name="linkedin_progress"),
    path("linkedin/<int:pk>/authorise/", linkedin_connecting.authorise, name="linkedin_authorise"),
    path("linkedin/<int:pk>/app/", linkedin_connecting.app, name="linkedin_app"),
    path("linkedin/<int:pk>/accounts/", linkedin_connecting.accounts, name="linkedin_accounts"),
    path("linkedin/<int:pk>/accounts/read/", linkedin_connecting.read_accounts, name="linkedin_read_accounts"),
    path("linkedin/<int:pk>/sandbox/", linkedin_connecting.sandbox, name="linkedin_sandbox"),
    path("linkedin/<int:pk>/sandbox/act/", linkedin_connecting.sandbox_act, name="linkedin_sandbox_act"),
    path("linkedin/<int:pk>/forms/", linkedin_mapping.form_list, name="linkedin_forms"),
    path("linkedin/<int:pk>/mapping/", linkedin_mapping.of_connection, name="linkedin_mapping"),
    path("linkedin/forms/<int:pk>/mapping/", linkedin_mapping.of_form, name="linkedin_form_mapping"),
    path("linkedin/forms/<int:pk>/mapping/forget/", linkedin_mapping.forget, name="linkedin_forget_mapping"),
    path("linkedin/<int:pk>/rerun/", linkedin_mapping.apply, name="linkedin_rerun"),
    path("linkedin/<int:pk>/upload/", linkedin_ways.upload, name="linkedin_upload"),
    path("linkedin/<int:pk>/inbox/", linkedin_ways.inbox, name="linkedin_inbox"),
    path("linkedin/<int:pk>/inbox/close/", linkedin_ways.close_inbox, name="linkedin_close_inbox"),
    path("linkedin/<int:pk>/notify/", linkedin_ways.notify, name="linkedin_notify"),
]
