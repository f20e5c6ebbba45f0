"""Addresses of tenants within a tenant."""

from django.urls import path

from tenants.views import company, jobs, me, members, search

app_name = "tenants"
urlpatterns = [
    path("settings/", company.settings, name="settings"),
    path("history/", company.history, name="history"),
    path("clock/", company.clock_forward, name="clock_forward"),
    path("jobs/", jobs.job_list, name="jobs"),
    path("jobs/<int:pk>/", jobs.job, name="job"),
    path("jobs/<int:pk>/progress/", jobs.progress, name="job_progress"),
    path("jobs/<int:pk>/cancel/", jobs.cancel, name="cancel_job"),
    path("jobs/<int:pk>/undo/", jobs.undo, name="undo_job"),
    path("jobs/<int:pk>/files/<slug:key>/", jobs.download, name="job_file"),
    path("members/", members.member_list, name="members"),
    path("members/invite/", members.invite, name="invite"),
    path("members/<int:pk>/", members.change, name="member"),
    path("members/<int:pk>/remove/", members.remove, name="remove_member"),
    path("invitations/<int:pk>/withdraw/", members.withdraw, name="withdraw_invitation"),
    path("notifications/", me.notification_list, name="notifications"),
    path("notifications/read/", me.read_notifications, name="read_notifications"),
    path("notifications/<int:pk>/", me.open_notification, name="open_notification"),
    path("notifications/bell/", me.bell, name="bell"),
    path("preferences/", me.preferences, name="preferences"),
    path("theme/", me.theme, name="theme"),
    path("search/", search.search, name="search"),
]
