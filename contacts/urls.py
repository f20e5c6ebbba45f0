"""Addresses of contacts within a tenant."""

from django.urls import path

from contacts.views import accounts, contacts, duplicates, fields, purposes, record, saved_views

app_name = "contacts"
urlpatterns = [
    path("contacts/", contacts.contact_list, name="list"),
    path("contacts/export/", contacts.export, name="export"),
    path("contacts/bulk/", contacts.bulk, name="bulk"),
    path("contacts/new/", contacts.new, name="new"),
    path("contacts/companies/", contacts.companies, name="companies"),
    path("contacts/<int:pk>/", contacts.detail, name="detail"),
    path("contacts/<int:pk>/edit/", contacts.edit, name="edit"),
    path("contacts/<int:pk>/consent/", contacts.set_consent, name="consent"),
    path("contacts/<int:pk>/delete/", contacts.delete, name="delete"),
    path("contacts/<int:pk>/erase/", contacts.erase, name="erase"),
    path("contacts/<int:pk>/restore/", contacts.restore, name="restore"),
    path("accounts/", accounts.account_list, name="accounts"),
    path("accounts/export/", accounts.export, name="export_accounts"),
    path("accounts/new/", accounts.new, name="new_account"),
    path("accounts/<int:pk>/", accounts.detail, name="account"),
    path("accounts/<int:pk>/edit/", accounts.edit, name="edit_account"),
    path("accounts/<int:pk>/people/", accounts.people_of, name="account_people"),
    path("accounts/<int:pk>/roles/", accounts.give_role, name="give_role"),
    path("roles/<int:pk>/take/", accounts.take_role, name="take_role"),
    path("<str:subject>/<int:pk>/timeline/", record.timeline, name="timeline"),
    path("<str:subject>/<int:pk>/note/", record.note, name="note"),
    path("views/<slug:page>/", saved_views.save, name="save_view"),
    path("views/<slug:page>/<int:pk>/", saved_views.change, name="change_view"),
    path("views/<slug:page>/<int:pk>/delete/", saved_views.delete, name="delete_view"),
    path("duplicates/", duplicates.duplicate_list, name="duplicates"),
    path("duplicates/compare/", duplicates.compare, name="compare"),
    path("duplicates/merge/", duplicates.merge, name="merge"),
    path("duplicates/<int:pk>/ignore/", duplicates.ignore, name="ignore_duplicate"),
    path("merges/<int:pk>/undo/", duplicates.undo, name="undo_merge"),
    path("consent/", purposes.index, name="purposes"),
    path("consent/mode/", purposes.mode, name="consent_mode"),
    path("consent/new/", purposes.new, name="new_purpose"),
    path("consent/<int:pk>/", purposes.change, name="purpose"),
    path("consent/<int:pk>/default/", purposes.make_default, name="default_purpose"),
    path("consent/<int:pk>/delete/", purposes.delete, name="delete_purpose"),
    path("fields/", fields.field_list, name="fields"),
    path("fields/new/", fields.new, name="new_field"),
    path("fields/<int:pk>/", fields.change, name="field"),
    path("fields/<int:pk>/retire/", fields.retire, name="retire_field"),
    path("fields/<int:pk>/restore/", fields.restore, name="restore_field"),
]
