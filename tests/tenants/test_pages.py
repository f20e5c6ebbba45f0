"""The shell and the pages that belong to the company and to the member."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.views.defaults import server_error

from tenants import notifications
from tenants.models import Audit, Member, Notification, Tenant
from tenants.scope import tenant_scope

Clients = Callable[..., Client]
PAGES = ["settings/", "history/", "members/", "members/invite/", "notifications/", "preferences/", "search/?q=mem"]


@pytest.mark.parametrize("path", PAGES)
def test_an_owner_can_open_every_page(path: str, ana: Member, client_of: Clients) -> None:
    answer = client_of(ana).get(f"/company/{path}")
    assert answer.status_code == 200
    assert b"<h1>" in answer.content


def test_the_navigation_shows_only_what_the_role_may_open(ana: Member, sam: Member, client_of: Clients) -> None:
    link = b'href="/t/acme/company/members/"'
    assert link in client_of(ana).get("/company/preferences/").content
    assert link not in client_of(sam).get("/company/preferences/").content


def test_the_current_page_is_marked_in_the_navigation(ana: Member, client_of: Clients) -> None:
    page = client_of(ana).get("/company/members/invite/").content.decode()
    assert 'href="/t/acme/company/members/" aria-current="page"' in page
    assert page.count('aria-current="page"') == 1


@pytest.mark.parametrize("path", ["settings/", "members/", "members/invite/", "history/"])
def test_only_an_owner_manages_the_company(path: str, max_: Member, client_of: Clients) -> None:
    assert client_of(max_).get(f"/company/{path}").status_code == 403


def test_a_stranger_finds_nothing_at_all(rob: Member, acme: Tenant, client_of: Clients) -> None:
    assert client_of(rob, "acme").get("/company/preferences/").status_code == 404


def test_the_company_settings_are_saved_and_audited(ana: Member, acme: Tenant, client_of: Clients) -> None:
    form = {"name": "Acme AG", "time_zone": "Europe/Zurich", "country": "CH", "currency": "CHF"}
    assert client_of(ana).post("/company/settings/", form).status_code == 302
    acme.refresh_from_db()
    assert (acme.name, acme.time_zone, acme.country, acme.currency) == ("Acme AG", "Europe/Zurich", "CH", "CHF")
    with tenant_scope(acme):
        change = Audit.objects.get(action="company.changed")
        assert change.actor == ana.user
        assert change.detail["after"]["currency"] == "CHF"
    assert "Company changed" in client_of(ana).get("/company/history/").content.decode()


def test_a_form_with_errors_comes_back_with_what_was_typed(ana: Member, acme: Tenant, client_of: Clients) -> None:
    form = {"name": "Acme AG", "time_zone": "Mars/Olympus", "country": "Germany", "currency": "EUR"}
    answer = client_of(ana).post("/company/settings/", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Acme AG"' in page
    assert 'href="#id_country"' in page
    acme.refresh_from_db()
    assert acme.name == "Acme"


def test_the_theme_switch_stores_the_choice_and_tells_the_page(ana: Member, client_of: Clients) -> None:
    client = client_of(ana)
    answer = client.post("/company/theme/", {"theme": "dark"}, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer.headers["HX-Trigger"] == '{"theme": {"value": "dark"}}'
    assert b'data-bs-theme="dark" data-theme="dark"' in client.get("/company/preferences/").content


def test_preferences_set_name_zone_and_absence(sam: Member, acme: Tenant, client_of: Clients) -> None:
    form = {"name": "Samuel", "theme": "light", "time_zone": "Asia/Tokyo", "is_away": "on"}
    assert client_of(sam).post("/company/preferences/", form).status_code == 302
    sam.refresh_from_db()
    sam.user.refresh_from_db()
    assert (sam.user.name, sam.user.time_zone, sam.is_away) == ("Samuel", "Asia/Tokyo", True)
    with tenant_scope(acme):
        assert Audit.objects.filter(action="member.away", actor=sam.user).exists()


def test_the_bell_counts_what_is_unread_and_opening_one_leads_on(
    sam: Member, ana: Member, acme: Tenant, client_of: Clients
) -> None:
    with tenant_scope(acme):
        mine = notifications.notify(sam, "lead", "A hot lead", "Ms Okafor", "/t/acme/company/preferences/")
        notifications.notify(ana, "lead", "Somebody else's")
    client = client_of(sam)
    page = client.get("/company/notifications/").content.decode()
    assert "Notifications, 1 unread" in page
    assert "Somebody else" not in page
    assert "Notifications, 1 unread" in client.get("/company/notifications/bell/").content.decode()
    answer = client.post(f"/company/notifications/{mine.pk}/")
    assert answer.url == "/t/acme/company/preferences/"
    assert "Notifications, 0 unread" in client.get("/company/preferences/").content.decode()


def test_a_notification_never_leads_to_another_site(sam: Member, acme: Tenant, client_of: Clients) -> None:
    with tenant_scope(acme):
        bad = Notification.objects.create(member=sam, kind="x", title="x", path="//evil.example/")
    assert client_of(sam).post(f"/company/notifications/{bad.pk}/").url == "/t/acme/company/notifications/"


def test_somebody_elses_notification_is_not_found(sam: Member, ana: Member, acme: Tenant, client_of: Clients) -> None:
    with tenant_scope(acme):
        hers = notifications.notify(ana, "lead", "Hers")
    assert client_of(sam).post(f"/company/notifications/{hers.pk}/").status_code == 404
    client_of(sam).post("/company/notifications/read/")
    with tenant_scope(acme):
        assert notifications.unread_count(ana) == 1


def test_the_palette_answers_with_options_only(ana: Member, sam: Member, client_of: Clients) -> None:
    htmx: dict[str, Any] = {"headers": {"HX-Request": "true"}}
    options = client_of(ana).get("/company/search/?q=memb", **htmx).content.decode()
    assert 'role="option"' in options
    assert "<html" not in options
    assert "Nothing found" in client_of(sam).get("/company/search/?q=memb", **htmx).content.decode()


def test_the_samples_clock_is_moved_by_those_who_may(
    acme: Tenant, max_: Member, ava: Member, client_of: Clients
) -> None:
    assert client_of(max_).post("/company/clock/").status_code == 404
    acme.is_sample = True
    acme.save(update_fields=["is_sample"])
    assert b"Clock: +1 day" in client_of(max_).get("/company/preferences/").content
    assert b"Clock: +1 day" not in client_of(ava).get("/company/preferences/").content
    assert client_of(ava).post("/company/clock/").status_code == 403
    assert client_of(max_).post("/company/clock/").status_code == 302


def test_the_shell_asks_few_questions(ana: Member, client_of: Clients, django_assert_max_num_queries: Any) -> None:
    client = client_of(ana)
    client.get("/company/preferences/")
    with django_assert_max_num_queries(14):  # session, user, member, two scopes (a savepoint each in tests), the bell
        client.get("/company/preferences/")


def test_errors_have_pages_of_their_own(ana: Member, client_of: Clients) -> None:
    assert b"There is nothing here" in client_of(ana).get("/company/nowhere/").content
    assert b"There is nothing here" in Client().get("/nowhere/").content


def test_a_form_without_its_token_changes_nothing_and_says_why(ana: Member, acme: Tenant) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana.user)
    answer = client.post("/t/acme/company/settings/", {"name": "X", "time_zone": "UTC", "currency": "EUR"})
    assert answer.status_code == 403
    assert b"This page has expired" in answer.content


def test_a_failure_of_ours_has_a_page_that_needs_nothing() -> None:
    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert b"Something went wrong on our side" in answer.content
