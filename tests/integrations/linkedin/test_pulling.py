"""Reading LinkedIn's leads, by the wire: whatever its pages, its answers and its days are like."""

import logging
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.utils import timezone

from contacts import erasure
from integrations import client
from integrations.connections import verbs
from integrations.linkedin import gaps, oauth, pulling, setting_up
from integrations.linkedin.api import LinkedIn
from integrations.models import AdAccount, Connection, LeadCount, LeadForm, LeadFormVersion
from tenants.models import Notification
from tenants.scope import tenant_scope
from tests.integrations.linkedin.world import FORM, QUESTIONS, LinkedInWorld

AMARA = {"EMAIL": "Amara@Firma.example ", "FIRST_NAME": "Amara", "LAST_NAME": "Okafor", "COMPANY_NAME": "Firma GmbH"}
RESPONSES = "/rest/leadFormResponses"
LISTED = {"method": "GET", "path": RESPONSES}
PASSING: list[Any] = [
    {"status": 429, "headers": {"Retry-After": "0"}, "json": {}}, {"status": 429, "json": {"message": "throttled"}},
    {"html": 503}, {"status": 500, "json": {}}, "truncate", "cut", "reset",
    {"status": 401, "json": {"code": "EXPIRED_ACCESS_TOKEN"}},
]  # fmt: skip


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between two tries are as short as can be."""
    monkeypatch.setattr(client, "FIRST", 0.001)


def crowd(count: int, **common: Any) -> list[dict[str, Any]]:
    """So many people, a minute apart."""
    begin = datetime.now(UTC) - timedelta(minutes=count)
    return [
        {"form": 9, "campaign": 5, "answers": {"EMAIL": f"p{n}@firma.example", "LAST_NAME": f"P{n}"},
         "at": (begin + timedelta(minutes=n)).isoformat(), **common}
        for n in range(count)
    ]  # fmt: skip


def told(linkedin: LinkedInWorld) -> list[str]:
    with tenant_scope(linkedin.tenant):
        return list(Notification.objects.order_by("pk").values_list("title", flat=True))


def test_what_people_submit_becomes_contacts_and_leads(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    (id_,) = linkedin.leads(AMARA | {"Team": "6+"}, consents={"0": True})
    run = linkedin.sync()
    assert (run.state, run.error) == ("done", "")
    row = linkedin.stored()[id_]
    assert (row.state, row.reason) == ("lead_created", "Nobody was found by “E-mail address”: a contact was made.")
    assert (row.contact.email, row.contact.first_name) == ("amara@firma.example", "Amara")
    assert (row.lead.source, row.lead.topic, row.campaign.name) == ("linkedin", "Guide", "Spring")
    linkedin.sync()
    assert linkedin.counts() == (1, 1, 1)
    with tenant_scope(linkedin.tenant):
        erasure.erase([row.contact_id], by=None)
        AdAccount.objects.update(reread_at=None)
    linkedin.sync()
    assert linkedin.stored()[id_].state == "erased"
    assert linkedin.counts() == (1, 0, 1), "LinkedIn brings back nobody who was erased"


def test_a_full_last_page_a_short_one_in_the_middle_and_leads_on_two_pages(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    rows = crowd(300)
    rows[120]["broken"] = rows[121]["broken"] = True
    ids = linkedin.seed(leads=rows, quirks={"no_total": True})
    linkedin.sync()
    broken = set(ids[120:122])
    assert linkedin.stored().keys() == set(ids) - broken
    pages = [entry for entry in linkedin.asked("leadFormResponses?") if "start=0&" not in entry["target"] + "&"]
    assert [entry["target"].rpartition("start=")[2] for entry in pages] == ["100", "200", "300"]
    linkedin.seed(mend=True, quirks={"repeat_every": 3})
    linkedin.sync()
    assert linkedin.stored().keys() == set(ids), "what was broken is found by the overlap"
    assert linkedin.counts() == (300, 300, 300)


def test_rows_that_shift_between_pages_are_read_again(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    ids = linkedin.seed(leads=crowd(250))
    newest_hour_first = sorted(linkedin.here.store.responses.by_id.values(), key=lambda lead: -lead.submitted_at)
    gone = newest_hour_first[0].id
    linkedin.seed(quirks={"delete_between_pages": [gone]})
    linkedin.sync()
    assert linkedin.stored().keys() >= set(ids) - {gone}, "what moved onto a page that had been read is not lost"
    newcomer = {"form": 9, "id": "new-1", "answers": AMARA, "at": datetime.now(UTC).isoformat()}
    linkedin.seed(quirks={"delete_between_pages": [newest_hour_first[1].id], "arrive_between_pages": [newcomer]})
    linkedin.sync()
    linkedin.sync()
    assert "new-1" in linkedin.stored(), "by the overlap at the latest"


def test_late_leads_are_found_and_the_year_is_read_in_windows(linkedin: LinkedInWorld) -> None:
    linkedin.connect(reads_a_year=True)
    now = datetime.now(UTC)
    old = [{"form": 9, "answers": AMARA, "at": (now - timedelta(days=days)).isoformat()} for days in (3, 200, 364)]
    (ahead,) = linkedin.leads(AMARA, at=(now + timedelta(minutes=4)).isoformat())
    ids = linkedin.seed(leads=old)
    linkedin.sync()
    assert linkedin.stored().keys() == {*ids, ahead}
    starts = [_start(entry) for entry in linkedin.asked("leadFormResponses?")]
    assert min(starts) >= now - timedelta(days=365, minutes=1)
    (late,) = linkedin.leads(AMARA, at=(now - timedelta(hours=3)).isoformat())
    linkedin.place.journal.clear()
    linkedin.sync()
    assert late in linkedin.stored()
    (start,) = {_start(entry) for entry in linkedin.asked("leadFormResponses?")}
    assert start > now - timedelta(hours=25), "from the latest submission, with an overlap"
    with tenant_scope(linkedin.tenant):
        AdAccount.objects.update(newest_at=now - timedelta(days=400), reread_at=now)
    linkedin.place.journal.clear()
    linkedin.sync()
    assert min(_start(entry) for entry in linkedin.asked("leadFormResponses?")) > now - timedelta(days=366)


def _start(entry: dict[str, Any]) -> datetime:
    text = entry["target"].partition("submittedAtTimeRange=(start:")[2].partition(",")[0]
    return datetime.fromtimestamp(int(text) / 1000, UTC)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clocks_that_differ_lose_nothing(linkedin: LinkedInWorld, minutes: int) -> None:
    linkedin.here.clock.advance(minutes * 60)
    linkedin.connect()
    (first,) = linkedin.leads(AMARA, at=linkedin.here.clock.now().isoformat())
    linkedin.sync()
    (second,) = linkedin.leads(AMARA, at=linkedin.here.clock.now().isoformat())
    linkedin.sync()
    assert linkedin.stored().keys() == {first, second}


def test_a_token_that_has_run_out_is_fetched_once_by_eight_at_a_time(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    linkedin.here.clock.advance(5_184_001)
    linkedin.place.journal.clear()

    def ask(_number: int) -> int:
        try:
            return len(LinkedIn(linkedin.connection).accounts())
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [1] * 8
    assert len(linkedin.asked("accessToken")) == 1
    assert linkedin.sync().state == "done"


def test_a_withdrawn_authorisation_stops_the_schedule_and_tells_the_owners(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    linkedin.seed(revoke=True)
    with tenant_scope(linkedin.tenant):
        age = {oauth.GRANTED_AT: (timezone.now() - timedelta(hours=1)).isoformat()}
        Connection.objects.update(settings=age)
    assert linkedin.sync().state == "failed"
    row = linkedin.reload()
    assert (row.state, row.next_sync_at) == ("needs_authorisation", None)
    assert told(linkedin) == ["LinkedIn needs to be authorised again"]
    linkedin.here.clock.advance(1)
    linkedin.authorise()
    with tenant_scope(linkedin.tenant):
        verbs.activate(linkedin.connection, by=linkedin.owner)
    assert linkedin.sync().state == "done"


@pytest.mark.parametrize("has_refresh_tokens", [True, False])
def test_a_new_token_that_is_refused_for_a_while_is_no_withdrawal(
    linkedin: LinkedInWorld, has_refresh_tokens: bool
) -> None:
    linkedin.seed(app={"fresh_refusals": 3, "has_refresh_tokens": has_refresh_tokens})
    linkedin.connect()
    assert linkedin.sync().state == "done", "tried again within the call"
    linkedin.seed(app={"fresh_refusals": 99})
    linkedin.authorise()
    assert linkedin.sync().state == "failed"
    row = linkedin.reload()
    assert row.state == "active"
    assert row.next_sync_at <= timezone.now() + oauth.SETTLING


def test_proof_keys_are_sent_where_linkedin_has_enabled_them(linkedin: LinkedInWorld, settings: Any) -> None:
    settings.LINKEDIN_PKCE = True
    linkedin.authorise()
    assert linkedin.connection.token is not None
    (asked,) = linkedin.asked("/authorization")
    (code,) = linkedin.asked("/accessToken")
    challenge = parse_qs(urlsplit(asked["target"]).query)["code_challenge"][0]
    verifier = parse_qs(code["body"])["code_verifier"][0]
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert digest == challenge


def test_without_refresh_tokens_a_person_has_to_come_back(linkedin: LinkedInWorld) -> None:
    linkedin.seed(app={"has_refresh_tokens": False})
    linkedin.connect()
    days = (linkedin.connection.authorisation_ends_at - timezone.now()).days
    assert days == 59
    linkedin.here.clock.advance(5_184_001)
    with tenant_scope(linkedin.tenant):
        Connection.objects.update(settings={})
    linkedin.sync()
    row = linkedin.reload()
    assert row.state == "needs_authorisation"
    assert "no refresh tokens" in row.reason


def test_what_passes_is_tried_again_at_once(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    ids: list[str] = []
    for number, do in enumerate(PASSING):
        ids += linkedin.leads(*({"EMAIL": f"{name}{number}@firma.example", "LAST_NAME": name} for name in "ab"))
        linkedin.fault(
            {"match": LISTED, "nth": 1, "times": 1, "do": do},
            {"match": {"path": "/rest/adAccounts"}, "times": 1, "do": do},
            {"match": LISTED, "nth": 3, "times": 2, "do": do},
        )
        run = linkedin.sync()
        assert (run.state, run.error) == ("done", ""), do
        assert linkedin.stored().keys() == set(ids), do


def test_a_partner_that_is_away_is_left_alone_for_as_long_as_it_says(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    (id_,) = linkedin.leads(AMARA)
    later = datetime.now(UTC) + timedelta(hours=1)
    http_date = later.strftime("%a, %d %b %Y %H:%M:%S GMT")
    waits = []
    for headers in ({"Retry-After": "3600"}, {"Retry-After": http_date}, {}):
        linkedin.fault({"match": LISTED, "times": None, "do": {"status": 429, "headers": headers, "json": {}}})
        run = linkedin.sync()
        assert (run.state, run.error) == ("failed", "429")
        waits.append((linkedin.reload().next_sync_at - timezone.now()).total_seconds())
    assert 3500 < waits[0] < 4000
    assert 3500 < waits[1] < 4000
    assert 0 < waits[2] < 300, "no word of how long: soon, then later and later"
    linkedin.fault({"match": LISTED, "times": None, "do": {"html": 503}})
    assert linkedin.sync().state == "failed"
    assert linkedin.reload().state == "active"
    linkedin.fault()
    assert linkedin.sync().state == "done"
    assert id_ in linkedin.stored()


def test_a_version_that_has_ended_stops_and_says_what_to_do(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    linkedin.seed(versions=["202701"])
    assert linkedin.sync().state == "failed"
    row = linkedin.reload()
    assert (row.state, row.next_sync_at) == ("stopped", None)
    assert "LINKEDIN_VERSION" in row.reason
    with pytest.raises(client.Rejected, match="LINKEDIN_VERSION"):
        setting_up.read_accounts(row)
    assert told(linkedin) == ["LinkedIn has been stopped"]


def test_a_role_that_is_withdrawn_concerns_its_account_alone(linkedin: LinkedInWorld) -> None:
    linkedin.seed(accounts=[{"id": 2, "name": "Acme US"}], forms=[FORM | {"id": 8, "account": 2}])
    linkedin.connect()
    linkedin.seed(accounts=[{"id": 1, "name": "Acme EMEA", "role": "VIEWER"}])
    linkedin.leads(AMARA)
    (other,) = linkedin.leads(AMARA, form=8, campaign=None)
    assert linkedin.sync().state == "done"
    assert linkedin.stored().keys() == {other}
    with tenant_scope(linkedin.tenant):
        problems = dict(AdAccount.objects.values_list("external_id", "problem"))
    assert problems["2"] == ""
    assert "Not enough permissions" in problems["1"]
    linkedin.seed(accounts=[{"id": 1, "name": "Acme EMEA"}])
    linkedin.sync()
    assert len(linkedin.stored()) == 2


def test_old_versions_of_forms_come_with_their_answers_and_lost_ones_are_waited_for(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    renamed = [{"name": "Old question"}, *QUESTIONS[1:]]
    linkedin.seed(forms=[FORM | {"version": 2, "questions": renamed}, FORM | {"id": 7, "fault": "deleted"}])
    (old,) = linkedin.leads(AMARA, version=1)
    (new,) = linkedin.leads({"Old question": "yes", "LAST_NAME": "Okafor"}, version=2)
    (lost,) = linkedin.leads(AMARA, form=7)
    linkedin.sync()
    rows = linkedin.stored()
    assert (rows[old].state, rows[old].contact.email) == ("lead_created", "amara@firma.example")
    assert rows[new].state == "lead_created"
    assert rows[lost].state == "held"
    with tenant_scope(linkedin.tenant):
        assert LeadFormVersion.objects.get(form__external_id="7").problem
        assert LeadForm.objects.get(external_id="9").versions.count() == 2
        AdAccount.objects.update(reread_at=None)
    linkedin.seed(forms=[FORM | {"id": 7}])
    linkedin.sync()
    assert linkedin.stored()[lost].state == "lead_created", "asked for again each day"


def test_the_gap_report_compares_with_linkedins_own_counts(
    linkedin: LinkedInWorld, django_assert_max_num_queries: Any
) -> None:
    linkedin.connect()
    rows = crowd(3)
    rows[2]["broken"] = True
    linkedin.seed(leads=rows, campaigns=[{"id": 6, "account": 1, "name": "Quiet"}])
    linkedin.leads(AMARA, test=True)
    linkedin.sync()
    with tenant_scope(linkedin.tenant):
        assert LeadCount.objects.count() == 2
        with django_assert_max_num_queries(2):
            report = gaps.report(linkedin.connection)
    found = {gap.campaign.name: (gap.at_linkedin, gap.here, gap.missing) for gap in report}
    assert found == {"Spring": (3, 2, 1)}, "where nothing happened there is nothing to compare"


def test_the_worker_and_the_command_read_by_the_schedule(linkedin: LinkedInWorld, capsys) -> None:
    linkedin.connect()
    linkedin.leads(AMARA)
    linkedin.work()
    assert linkedin.states() == {"lead_created": 1}
    soon = linkedin.reload().next_sync_at - timezone.now()
    assert timedelta(minutes=25) < soon < timedelta(minutes=31)
    call_command("sync_linkedin", tenant="acme")
    assert "acme: LinkedIn: done. 1 known" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("sync_linkedin", tenant="nobody")
    linkedin.seed(versions=["202701"])
    with pytest.raises(CommandError):
        call_command("sync_linkedin")
    linkedin.place.journal.clear()
    linkedin.work()
    assert linkedin.place.journal.entries() == [], "stopped is stopped"


def test_no_secret_is_in_any_log_error_or_row(linkedin: LinkedInWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    linkedin.connect()
    linkedin.leads(AMARA)
    linkedin.sync()
    linkedin.here.clock.advance(5_184_001)
    linkedin.sync()
    token = linkedin.reload().token.reveal()
    echo = {"message": f"bad token {token}", "status": 400}
    linkedin.fault({"match": LISTED, "times": None, "do": {"status": 400, "json": echo}})
    run = linkedin.sync()
    assert run.state == "failed"
    with tenant_scope(linkedin.tenant), database.cursor() as cursor:
        tables = ("syncrun", "connection", "leadsubmission", "adaccount")
        kept = []
        for table in tables:
            cursor.execute(f"SELECT string_agg(row::text, '') FROM integrations_{table} AS row")
            kept.append(cursor.fetchone()[0] or "")
    secrets = [token, linkedin.connection.refresh_token.reveal(), "sandbox-secret"]
    for text in (caplog.text, run.error, *kept, repr(vars(linkedin.connection))):
        assert not any(secret in text for secret in secrets)
    assert "GET /linkedin/" in caplog.text, "calls are logged"


def test_windows_are_two_weeks_and_go_on_where_they_were() -> None:
    pull = pulling.Pull.__new__(pulling.Pull)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    account = AdAccount(read_until=now - timedelta(days=20))
    found = list(pull._windows(account, now, False))
    assert [(start.date(), end.date()) for start, end in found] == [
        (date(2026, 2, 9), date(2026, 2, 23)), (date(2026, 2, 23), date(2026, 3, 1)),
    ]  # fmt: skip
    done = AdAccount(is_backfilled=True, newest_at=now - timedelta(days=2))
    assert [start for start, _end in pull._windows(done, now, False)] == [now - timedelta(days=3)]
    assert [start for start, _end in pull._windows(done, now, True)] == [now - timedelta(days=7)]
