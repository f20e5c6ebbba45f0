"""Addresses of leads within a tenant."""

from django.urls import path

from leads.views import bulk, imports, leads, lists, opportunities, rules, work

app_name = "leads"
urlpatterns = [
    path("my-day/", work.my_day, name="my_day"),
    path("leads/", lists.lead_list, name="list"),
    path("leads/board/", lists.board, name="board"),
    path("leads/export/", lists.export, name="export"),
    path("leads/new/", leads.new, name="new"),
    path("leads/find/", leads.find, name="find"),
    path("leads/unmatched/", lists.unmatched, name="unmatched"),
    path("leads/rules/", rules.rules, name="rules"),
    path("leads/bulk/", bulk.bulk, name="bulk"),
    path("leads/bulk/<int:pk>/undo/", bulk.undo, name="undo_bulk"),
    path("leads/territories/new/", rules.territory, name="new_territory"),
    path("leads/territories/<int:pk>/", rules.territory, name="territory"),
    path("leads/territories/<int:pk>/delete/", rules.delete_territory, name="delete_territory"),
    path("leads/<int:pk>/", leads.detail, name="detail"),
    path("leads/<int:pk>/edit/", leads.edit, name="edit"),
    path("leads/<int:pk>/move/", leads.move, name="move"),
    path("leads/<int:pk>/match/", lists.match, name="match"),
    path("leads/<int:pk>/<slug:key>/", leads.act, name="act"),
    path("imports/", imports.import_list, name="imports"),
    path("imports/new/", imports.new, name="new_import"),
    path("imports/<int:pk>/columns/", imports.map_columns, name="import_columns"),
    path("imports/<int:pk>/options/", imports.set_options, name="import_options"),
    path("imports/<int:pk>/check/", imports.check, name="import_check"),
    path("imports/<int:pk>/start/", imports.start, name="start_import"),
    path("imports/<int:pk>/discard/", imports.discard, name="discard_import"),
    path("calls/new/", work.log_call, name="log_call"),
    path("activities/", work.activity_list, name="activities"),
    path("activities/new/", work.plan, name="plan"),
    path("activities/<int:pk>/", work.complete, name="complete"),
    path("opportunities/", opportunities.opportunity_list, name="opportunities"),
    path("opportunities/<int:pk>/", opportunities.opportunity, name="opportunity"),
    path("opportunities/<int:pk>/win/", opportunities.win, name="win"),
    path("opportunities/<int:pk>/lose/", opportunities.lose, name="lose"),
]
