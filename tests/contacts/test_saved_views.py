"""Saved views: a list's filters and order as tabs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from contacts.models import SavedView
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
Clients = Callable[..., Client]
LISTS = [("leads", "/sales/leads/", "stage=mql&owner=me"), ("contacts", "/audience/contacts/", "stage=mql&order=score")]


def text(answer: Any) -> str:
    return answer.content.decode()


def view_of(tenant: Tenant) -> SavedView:
    with tenant_scope(tenant):
        return SavedView.objects.get()


@pytest.mark.parametrize(("page", "path", "query"), LISTS)
def test_what_a_list_shows_becomes_a_tab_that_can_be_changed_and_deleted(
    page: str, path: str, query: str, acme: Tenant, sam: Member, client_of: Clients
) -> None:
    client, there = client_of(sam), f"/audience/views/{page}/"
    assert "Save view" in text(client.get(f"{path}?{query}"))
    answer = client.post(there, {"name": "My hot ones", "query": f"{query}&after=mark"})
    view = view_of(acme)
    assert "after" not in view.query, "the place in the list is not part of the view"
    assert answer["Location"] == f"/t/acme{path}?{view.query}&view={view.pk}"
    shown = client.get(f"{path}?{view.query}&view={view.pk}")
    assert shown.context["saved"].current == view
    assert not shown.context["saved"].is_changed
    assert "Delete this view" in text(shown)
    other = client.get(f"{path}?{view.query}&q=priya&view={view.pk}")
    assert "Save changes to “My hot ones”" in text(other)
    client.post(f"{there}{view.pk}/", {"query": f"{view.query}&q=priya"})
    assert "q=priya" in view_of(acme).query
    client.post(f"{there}{view.pk}/delete/")
    assert "My hot ones" not in text(client.get(path, {"x": "1"})).partition("toasts")[0]


def test_own_views_are_one_s_own_and_shared_ones_everybody_s(
    acme: Tenant, sam: Member, max_: Member, ava: Member, client_of: Clients
) -> None:
    rep, there = client_of(sam), "/audience/views/leads/"
    rep.post(there, {"name": "Mine", "query": "stage=mql"})
    rep.post(there, {"name": "Ours", "query": "stage=sal", "is_shared": "on"})
    seen = [str(view) for view in client_of(max_).get("/sales/leads/").context["saved"].rows]
    assert seen == ["Ours"]
    with tenant_scope(acme):
        mine, ours = SavedView.objects.order_by("name")
    assert client_of(max_).post(f"{there}{mine.pk}/delete/").status_code == 404
    assert client_of(ava).post(f"{there}{ours.pk}/delete/").status_code == 404, "an analyst changes nothing of others"
    client_of(ava).post(there, {"name": "Looking", "query": "stage=sql", "is_shared": "on"})
    with tenant_scope(acme):
        assert SavedView.objects.get(name="Looking").member == ava


def test_a_name_is_used_once_and_nonsense_is_answered(acme: Tenant, sam: Member, client_of: Clients) -> None:
    client, there = client_of(sam), "/audience/views/leads/"
    for _ in range(2):
        answer = client.post(there, {"name": "Hot", "query": "stage=mql"}, follow=True)
    assert "There is a view “Hot” already." in text(answer)
    assert "Give the view a name." in text(client.post(there, {"name": "", "query": "stage=mql"}, follow=True))
    assert client.post("/audience/views/nothing/", {"name": "Hot"}).status_code == 404
    assert client.get("/sales/leads/?view=x").status_code == 200
    assert view_of(acme).name == "Hot"
