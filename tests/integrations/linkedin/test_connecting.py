"""Connecting LinkedIn: the app, the way there and back, the sandbox, what keeps leads from coming."""

import re
from datetime import date, timedelta
from html import unescape
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.utils import timezone

from integrations.connections import verbs
from integrations.linkedin import oauth, setting_up, versions
from integrations.models import AdAccount, Connection, SyncRun
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.integrations.linkedin.pages import ANN, ClientOf, only, text
from tests.integrations.linkedin.world import LinkedInWorld

SECRET = "a-secret-of-the-app-at-linkedin"


@pytest.mark.django_db
def test_an_app_is_kept_and_its_secret_is_never_shown(
    acme: Tenant, ana: Member, client_of: ClientOf, settings: Any
) -> None:
    settings.SANDBOX_URL = ""
    client = client_of(ana)
    page = text(client.get("/integrations/linkedin/new/"))
    assert "/t/acme/integrations/linkedin/back/" in page
    assert "Connect the sandbox" not in page
    wrong = text(client.post("/integrations/linkedin/new/", {"name": "Ours", "client_secret": SECRET}), 422)
    assert 'id="id_client_id_error"' in wrong
    assert SECRET not in wrong
    given = {"name": "Ours", "client_id": "77abc", "client_secret": SECRET}
    assert client.post("/integrations/linkedin/new/", given).status_code == 302
    row = only(Connection, acme)
    for path in ("", "app/", "accounts/", "forms/", "mapping/"):
        assert SECRET not in text(client.get(f"/integrations/linkedin/{row.pk}/{path}"))
    answer = client.get(f"/integrations/linkedin/{row.pk}/authorise/")
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert answer["Location"].startswith("https://www.linkedin.com/oauth/v2/authorization?")
    assert asked["client_id"] == ["77abc"]
    assert asked["redirect_uri"][0].endswith("/t/acme/integrations/linkedin/back/")
    assert client.post("/integrations/linkedin/new/sandbox/").status_code == 404


@pytest.mark.django_db
def test_a_way_back_that_is_not_hers_is_refused(acme: Tenant, ana: Member, client_of: ClientOf) -> None:
    client = client_of(ana)
    assert client.get("/integrations/linkedin/back/").status_code == 404
    client.post("/integrations/linkedin/new/", {"name": "Ours", "client_id": "7", "client_secret": SECRET})
    row = only(Connection, acme)
    answer = client.get(f"/integrations/linkedin/back/?code=1&state={row.pk}.{ana.pk}:made:up", follow=True)
    assert "was not yours" in text(answer)
    asked = client.get(f"/integrations/linkedin/{row.pk}/authorise/")["Location"]
    state = parse_qs(urlsplit(asked).query)["state"][0]
    path = f"/integrations/linkedin/back/?error=user_cancelled_authorize&state={state}"
    assert "cancelled at LinkedIn" in text(client.get(path, follow=True))


def test_the_sandbox_is_connected_asked_synced_and_played_with(
    linkedin: LinkedInWorld, ana: Member, client_of: ClientOf
) -> None:
    """The whole way of a newcomer; the stand-in's page is clicked as a browser would."""
    client = client_of(ana)
    with tenant_scope(linkedin.tenant):
        linkedin.connection.delete()
    assert "Connect the sandbox" in text(client.get("/integrations/linkedin/new/"))
    assert "Connected." in text(client.post("/integrations/linkedin/new/sandbox/", follow=True))
    row = only(Connection, linkedin.tenant)
    url = client.get(f"/integrations/linkedin/{row.pk}/authorise/")["Location"]
    assert "Authorised. It goes on." in text(client.get(allow(url).partition("/t/acme")[2], follow=True))
    page = text(client.get(f"/integrations/linkedin/{row.pk}/accounts/"))
    assert "Sample Works, world" in page
    with tenant_scope(linkedin.tenant):
        chosen = list(AdAccount.objects.filter(name__startswith="Sample Works, w").values_list("pk", flat=True))
    assert "Choose at least one" in text(client.post(f"/integrations/linkedin/{row.pk}/accounts/", {"x": ""}), 422)
    client.post(f"/integrations/linkedin/{row.pk}/accounts/", {"accounts": chosen})
    assert "It begins in a moment" in text(client.get(f"/integrations/linkedin/{row.pk}/"))
    linkedin.work()
    page = text(client.get(f"/integrations/linkedin/{row.pk}/"))
    assert "Became leads" in page
    answer = client.get(f"/integrations/linkedin/{row.pk}/progress/")
    assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")
    before = linkedin.counts()[0]
    said = client.post(f"/integrations/linkedin/{row.pk}/sandbox/act/", {"do": "arrive", "count": "20"}, follow=True)
    assert "20 people have sent a form." in text(said)
    linkedin.work()
    assert linkedin.counts()[0] > before
    client.post(f"/integrations/linkedin/{row.pk}/sandbox/act/", {"do": "revoke"})
    linkedin.work()
    page = text(client.get(f"/integrations/linkedin/{row.pk}/"))
    assert "Nothing comes in any more." in page
    url = client.get(f"/integrations/linkedin/{row.pk}/authorise/")["Location"]
    client.get(allow(url).partition("/t/acme")[2])
    assert only(Connection, linkedin.tenant).state == "active"
    client.post(f"/integrations/connections/{row.pk}/pause/")
    url = client.get(f"/integrations/linkedin/{row.pk}/authorise/")["Location"]
    client.get(allow(url).partition("/t/acme")[2])
    assert only(Connection, linkedin.tenant).state == "paused", "what somebody has paused goes on when she says so"


def test_the_only_ad_account_is_chosen_at_once_and_what_was_chosen_stays(linkedin: LinkedInWorld) -> None:
    linkedin.authorise()
    for _time in range(2):
        assert setting_up.read_accounts(linkedin.connection) == 1
        with tenant_scope(linkedin.tenant):
            chosen = AdAccount.objects.filter(is_chosen=True).values_list("external_id", flat=True)
            assert list(chosen) == ["1"]
            AdAccount.objects.get_or_create(connection=linkedin.connection, external_id="2")


def redirected(url: str) -> str:
    """Where LinkedIn sends the browser at once."""
    parts = urlsplit(url)
    line = HTTPConnection(parts.hostname or "", parts.port)
    line.request("GET", f"{parts.path}?{parts.query}")
    location = line.getresponse().headers["Location"]
    line.close()
    return location


def allow(url: str) -> str:
    """Click on Allow on the stand-in's page; where the browser is sent then."""
    parts = urlsplit(url)
    line = HTTPConnection(parts.hostname or "", parts.port)
    line.request("GET", f"{parts.path}?{parts.query}")
    page = line.getresponse().read().decode()
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
    body = urlencode({**{name: unescape(value) for name, value in fields.items()}, "answer": "allow"})
    line.request("POST", parts.path, body, {"Content-Type": "application/x-www-form-urlencoded"})
    location = line.getresponse().headers["Location"]
    line.close()
    return location


def test_another_secret_keeps_the_authorisation_and_another_app_does_not(
    linkedin: LinkedInWorld, ana: Member, client_of: ClientOf
) -> None:
    """And LinkedIn is let tell at once, and asked to stop that when the connection is removed."""
    linkedin.connect()
    client, pk = client_of(ana), linkedin.connection.pk
    assert "tells of each lead at once" in text(client.post(f"/integrations/linkedin/{pk}/notify/", follow=True))
    assert "End notifications" in text(client.get(f"/integrations/linkedin/{pk}/"))
    assert len(linkedin.here.store.subscriptions) == 1
    assert "Be told at once" not in text(client.get(f"/integrations/linkedin/{pk}/"))
    with tenant_scope(linkedin.tenant):
        AdAccount.objects.create(connection=linkedin.connection, external_id="2", is_chosen=True)
    assert "Be told at once" in text(client.get(f"/integrations/linkedin/{pk}/")), "of the new account, too"
    path, given = f"/integrations/linkedin/{pk}/app/", {"name": "Ours", "client_id": "sandbox-app"}
    for secret in ("another", ""):
        client.post(path, {**given, "client_secret": secret})
        assert (linkedin.reload().name, linkedin.connection.token is None) == ("Ours", False)
        assert verbs.secrets_of(linkedin.connection)["client_secret"] == "another", "an empty one is as it was"
    assert "Another app has another secret" in text(client.post(path, {**given, "client_id": "8"}), 422)
    assert "Authorise the connection again" in text(client.post(path, {**given, "compares": "on"}, follow=True))
    client.post(f"/integrations/connections/{pk}/remove/")
    assert not linkedin.here.store.subscriptions
    with tenant_scope(linkedin.tenant):
        assert not Connection.objects.exists()


@pytest.mark.django_db
def test_another_app_is_to_be_authorised_and_knows_nothing_of_notifications(
    acme: Tenant, ana: Member, client_of: ClientOf
) -> None:
    client = client_of(ana)
    client.post("/integrations/linkedin/new/", {"name": "Ours", "client_id": "7", "client_secret": SECRET})
    row = only(Connection, acme)
    with tenant_scope(acme):
        Connection.objects.update(state="active", token="T" * 40)
        AdAccount.objects.create(connection=row, external_id="1", subscription_id="42", is_chosen=True)
    client.post(f"/integrations/linkedin/{row.pk}/app/", {"name": "Ours", "client_id": "8", "client_secret": SECRET})
    row = only(Connection, acme)
    assert (row.state, row.token, only(AdAccount, acme).subscription_id) == ("needs_authorisation", None, "")
    assert "Authorise at LinkedIn" in text(client.get(f"/integrations/linkedin/{row.pk}/"))


def test_an_app_without_the_right_to_reports_does_without_the_comparison(
    linkedin: LinkedInWorld, ana: Member, client_of: ClientOf
) -> None:
    """LinkedIn grants all that is asked for, or nothing."""
    linkedin.seed(app={"scopes": list(oauth.SCOPES)})
    client, pk = client_of(ana), linkedin.connection.pk
    url = client.get(f"/integrations/linkedin/{pk}/authorise/")["Location"]
    back = redirected(url).partition("/t/acme")[2]
    assert "If only r_ads_reporting is missing" in text(client.get(back, follow=True))
    with tenant_scope(linkedin.tenant):
        Connection.objects.update(settings={oauth.COMPARES: False})
    linkedin.reload()
    linkedin.connect()
    linkedin.leads(ANN)
    assert linkedin.sync().state == "done"
    assert len(linkedin.stored(state="lead_created")) == 1
    assert linkedin.asked("/adAnalytics") == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"state": "paused"}, "Paused: what is sent"),
        ({"state": "stopped", "reason": "LinkedIn has ended version 202001"}, "LinkedIn has ended version 202001"),
        ({"state": "needs_authorisation", "reason": "Withdrawn."}, "Withdrawn."),
        ({"state": "active", "authorisation_ends_at": timezone.now() + timedelta(days=3)}, "The authorisation ends"),
        ({"state": "draft"}, "allows it at LinkedIn"),
    ],
)
def test_the_page_says_what_keeps_leads_from_coming(
    values: dict[str, Any], said: str, acme: Tenant, ana: Member, client_of: ClientOf
) -> None:
    client = client_of(ana)
    client.post("/integrations/linkedin/new/", {"name": "Ours", "client_id": "7", "client_secret": SECRET})
    row = only(Connection, acme)
    with tenant_scope(acme):
        Connection.objects.update(**values)
        SyncRun.objects.create(connection=row, kind="pull")
    page = text(client.get(f"/integrations/linkedin/{row.pk}/"))
    assert said in page
    assert ("/progress/" in page) == (values["state"] == "active"), "a run that was left open is waited for by nobody"


@pytest.mark.parametrize(
    ("version", "day"),
    [("202607", date(2027, 7, 15)), ("202512", date(2026, 12, 15)), ("2026", None), ("202613", None), ("", None)],
)
def test_a_version_ends_a_year_and_half_a_month_later(version: str, day: date | None) -> None:
    assert versions.ends_on(version) == day
