"""The stand-in for LinkedIn, by the wire: what it answers, and that it refuses what LinkedIn refuses."""

import base64
import hashlib
import json
from contextlib import closing
from urllib.parse import urlencode

import pytest

from integrations.sandbox.linkedin import restli
from integrations.sandbox.server import Running
from tests.integrations.sandbox.linkedin import BACK, NOW, OWNER, RESPONSES, SCOPES, SEED, Client, leads


def ids(ads: Client, query: str = "") -> list[str]:
    """All ids, by the rule that holds: on until a page is empty, by the count that was answered."""
    found, start = [], 0
    while True:
        status, page = ads.get(f"{RESPONSES}&count=10&start={start}{query}")
        assert status == 200
        if not page["elements"] and start >= 60:
            return found
        found += [element["id"] for element in page["elements"]]
        start += page["paging"]["count"]


# Queries


def test_a_record_with_an_encoded_urn_is_read() -> None:
    assert restli.parse(f"q=owner&{OWNER}&ids=List(1,2)&n=a%28b") == {
        "q": "owner", "owner": {"sponsoredAccount": "urn:li:sponsoredAccount:1"}, "ids": ["1", "2"], "n": "a(b",
    }  # fmt: skip
    assert restli.projection("id,form:(name,content:(questions))") == {
        "id": {}, "form": {"name": {}, "content": {"questions": {}}},
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "owner=%28sponsoredAccount%3Aurn%253Ali%253AsponsoredAccount%253A1%29",
        "owner=(sponsoredAccount:urn%253Ali%253AsponsoredAccount%253A1)",
        "owner=(sponsoredAccount:urn:li:sponsoredAccount:1)",
        "owner=urn%3Ali%3AsponsoredAccount%3A1",
        "owner=(organization:urn%3Ali%3AsponsoredAccount%3A1)",
        "owner=(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A1",
    ],
    ids=["all encoded", "twice", "not at all", "no record", "wrong kind", "open bracket"],
)
def test_a_badly_encoded_owner_is_refused(ads: Client, query: str) -> None:
    status, answer = ads.get(f"/rest/leadFormResponses?q=owner&{query}&leadType=(leadType:SPONSORED)")
    assert (status, answer["message"]) == (400, "Parameter 'owner' is invalid")


# Who may come in


def test_each_missing_header_is_refused_with_its_own_status(ads: Client) -> None:
    assert ads.get(RESPONSES)[0] == 200
    assert ads.get(RESPONSES, Authorization="")[0] == 401
    assert ads.get(RESPONSES, Authorization="Bearer made-up")[1]["code"] == "INVALID_ACCESS_TOKEN"
    assert ads.get(RESPONSES, LinkedIn_Version="")[0] == 400
    assert ads.get(RESPONSES, LinkedIn_Version="2026-02")[0] == 400
    assert ads.get(RESPONSES, X_Restli_Protocol_Version="1.0.0")[0] == 400


def test_a_version_ends_after_a_year(ads: Client) -> None:
    assert ads.get(RESPONSES, LinkedIn_Version="202503")[0] == 200
    status, answer = ads.get(RESPONSES, LinkedIn_Version="202502")
    assert (status, answer["code"]) == (426, "NONEXISTENT_VERSION")
    assert answer["message"] == "Requested version 20250201 is not active"
    assert ads.get(RESPONSES, LinkedIn_Version="202512")[0] == 426
    ads.control("seed", {"versions": ["202502"]})
    assert ads.get(RESPONSES, LinkedIn_Version="202502")[0] == 200


def test_scope_and_role_are_both_needed(ads: Client) -> None:
    other = RESPONSES.replace("%3A1)", "%3A2)")
    assert ads.get(other)[0] == 403
    assert ads.get("/rest/leadForms?q=owner&owner=(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A2)")[0] == 200
    ads.control("seed", {"accounts": [{"id": 1, "name": "Acme", "role": ""}]})
    assert ads.get(RESPONSES)[0] == 403
    ads.control("seed", SEED)
    ads.sign_in(scope="r_ads")
    assert ads.get(RESPONSES)[1]["code"] == "ACCESS_DENIED"
    assert ads.get("/rest/adAccounts?q=search")[0] == 200


def test_bodies_need_a_length_and_a_type(ads: Client) -> None:
    ads.line.putrequest("POST", f"{ads.base}/rest/leadNotifications")
    for name, value in ads.headers.items():
        ads.line.putheader(name, value)
    ads.line.endheaders()
    answer = ads.line.getresponse()
    assert (answer.status, answer.read()[:1]) == (411, b"{")
    assert ads.send("POST", "/rest/leadNotifications", "{}", Content_Type="text/plain")[0] == 415
    assert ads.send("PUT", "/rest/leadForms/9", "{}", Content_Type="application/json")[0] == 405
    assert ads.get("/rest/adFormResponses?q=account")[0] == 404


def test_long_queries_go_by_a_tunnel(ads: Client) -> None:
    path, _, query = RESPONSES.partition("?")
    assert ads.get(f"{RESPONSES}&x={'y' * 4000}")[0] == 414
    assert ads.send(
        "POST", path, query, Content_Type="application/x-www-form-urlencoded", X_HTTP_Method_Override="GET"
    )[0] == 200  # fmt: skip


def test_the_daily_limit_says_nothing_about_when_and_ends_at_midnight(ads: Client) -> None:
    ads.control("seed", {"limits": {"leadFormResponses": 1}})
    assert ads.get(RESPONSES)[0] == 200
    status, answer, headers = ads.send("GET", RESPONSES)
    assert (status, answer["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "Retry-After" not in headers
    ads.control("clock", {"advance_s": 12 * 3600})
    assert ads.get(RESPONSES)[0] == 200


# OAuth


def test_the_member_is_asked_and_may_refuse(ads: Client) -> None:
    asked = {"response_type": "code", "client_id": "sandbox-app", "redirect_uri": BACK, "state": "<s>", "scope": SCOPES}
    status, page = ads.get(f"/oauth/v2/authorization?{urlencode(asked)}")
    assert status == 200
    assert "Allow" in page
    assert "Refuse" in page
    assert "<s>" not in page
    assert ads.code(answer="refuse", state="s")["error"] == "user_cancelled_authorize"
    unasked = {**asked, "scope": "rw_ads"}
    _, _, headers = ads.send("GET", f"/oauth/v2/authorization?{urlencode(unasked)}")
    assert "error=unauthorized_scope_error" in headers["Location"]
    ads.control("seed", {"app": {"redirect_uris": ["https://crm.example.com/back"]}})
    assert ads.get(f"/oauth/v2/authorization?{urlencode(asked)}")[0] == 400


def test_a_code_works_once_and_with_its_verifier(ads: Client) -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).rstrip(b"=").decode()
    code = ads.code(code_challenge=challenge)["code"]
    assert ads.token(grant_type="authorization_code", code=code, code_verifier="other")[0] == 400
    code = ads.code(code_challenge=challenge)["code"]
    assert ads.token(grant_type="authorization_code", code=code, client_secret="wrong")[0] == 401
    status, answer = ads.token(grant_type="authorization_code", code=code, code_verifier="verifier")
    assert status == 200
    assert answer["scope"] == "r_ads,r_ads_reporting,r_marketing_leadgen_automation,r_organization_admin"
    assert ads.token(grant_type="authorization_code", code=code, code_verifier="verifier")[0] == 400
    late = ads.code()["code"]
    ads.control("clock", {"advance_s": 1_801})
    assert ads.token(grant_type="authorization_code", code=late)[0] == 400


def test_a_token_ends_and_refreshing_does_not_prolong_the_year(ads: Client) -> None:
    given = ads.sign_in()
    ads.control("clock", {"advance_s": given["expires_in"] + 1})
    assert ads.get(RESPONSES, LinkedIn_Version="202604")[1]["code"] == "EXPIRED_ACCESS_TOKEN"
    status, fresh = ads.token(grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert status == 200
    assert fresh["refresh_token"] == given["refresh_token"]
    assert fresh["refresh_token_expires_in"] == given["refresh_token_expires_in"] - given["expires_in"] - 1
    ads.headers["Authorization"] = f"Bearer {fresh['access_token']}"
    assert ads.get(RESPONSES, LinkedIn_Version="202604")[0] == 200
    ads.control("clock", {"advance_s": fresh["refresh_token_expires_in"] + 1})
    assert ads.token(grant_type="refresh_token", refresh_token=given["refresh_token"])[0] == 400


def test_a_fresh_token_is_not_known_everywhere_at_once(ads: Client) -> None:
    ads.control("seed", {"app": {"fresh_refusals": 2, "has_refresh_tokens": False}})
    assert "refresh_token" not in ads.sign_in()
    assert [ads.get(RESPONSES)[0] for _ in range(3)] == [401, 401, 200]


def test_after_the_member_revoked_nothing_works_until_she_agrees_anew(ads: Client) -> None:
    given = ads.sign_in()
    ads.control("seed", {"revoke": True})
    assert ads.get(RESPONSES)[1]["serviceErrorCode"] == 65601
    assert ads.token(grant_type="refresh_token", refresh_token=given["refresh_token"])[0] == 400
    secret = {"client_id": "sandbox-app", "client_secret": "sandbox-secret", "token": given["access_token"]}
    assert ads.post("/oauth/v2/introspectToken", secret)[1]["status"] == "revoked"
    ads.control("clock", {"advance_s": 1})
    ads.sign_in()
    assert ads.get(RESPONSES)[0] == 200


# Accounts, forms, responses


def test_accounts_page_by_offset_and_by_token(ads: Client) -> None:
    ads.control("seed", {"accounts": [{"id": n, "name": f"A{n}"} for n in range(10, 24)]})
    status, page = ads.get("/rest/adAccounts?q=search&search=(status:(values:List(ACTIVE)),test:false)&fields=id,name")
    assert (status, len(page["elements"]), page["paging"]["total"]) == (200, 10, 16)
    assert page["elements"][0] == {"id": 1, "name": "Acme"}
    _, first = ads.get("/rest/adAccounts?q=search&pageSize=15")
    _, last = ads.get(f"/rest/adAccounts?q=search&pageSize=15&pageToken={first['metadata']['nextPageToken']}")
    assert (len(first["elements"]), len(last["elements"]), last["metadata"]) == (15, 1, {})
    _, campaigns = ads.get("/rest/adAccounts/1/adCampaigns?q=search")
    assert [row["name"] for row in campaigns["elements"]] == ["Spring"]


def test_a_form_has_versions_and_the_list_has_the_newest(ads: Client) -> None:
    ads.control("seed", {"forms": [{"id": 9, "account": 1, "version": 2, "questions": ["EMAIL"]}]})
    _, page = ads.get(f"/rest/leadForms?q=owner&{OWNER}")
    assert [(row["id"], row["versionId"]) for row in page["elements"]] == [(9, 2)]
    assert ads.get("/rest/leadForms/9")[1]["content"]["questions"][0]["predefinedField"] == "EMAIL"
    ads.control("seed", {"forms": [{"id": 9, "account": 1, "version": 2, "fault": "deleted"}]})
    assert ads.get("/rest/leadForms/9")[0] == 404


def test_a_response_comes_with_what_was_asked_for(ads: Client) -> None:
    row = {
        "id": "one", "form": 9, "campaign": 5, "answers": {"EMAIL": "a@example.com", "Team": "2", "77": "?"},
        "at": "2026-02-20T10:00:00+00:00", "test": True,
    }  # fmt: skip
    ads.control("seed", {"leads": [row]})
    fields = "id,formResponse,testLead,leadMetadataInfo,form:(name,hiddenFields)"
    _, page = ads.get(f"{RESPONSES}&fields={fields}")
    assert page["elements"] == [
        {
            "id": "one",
            "testLead": True,
            "leadMetadataInfo": {
                "sponsoredLeadMetadataInfo": {"campaign": {"name": "Spring", "id": "urn:li:sponsoredCampaign:5"}}
            },
            "formResponse": {
                "answers": [
                    {"questionId": 109, "answerDetails": {"textQuestionAnswer": {"answer": "a@example.com"}}},
                    {"questionId": 209, "answerDetails": {"multipleChoiceAnswer": {"options": [1]}}},
                    {"questionId": 77, "name": "77", "answerDetails": {"textQuestionAnswer": {"answer": "?"}}},
                ]
            },
            "form": {"name": "Guide", "hiddenFields": []},
        }
    ]
    assert ads.get("/rest/leadFormResponses/one")[1]["submittedAt"] == 1_771_581_600_000
    assert ads.get("/rest/leadFormResponses/two")[0] == 404
    assert "form" not in ads.get(RESPONSES)[1]["elements"][0]


def test_pages_are_clamped_and_short_ones_are_not_the_last(ads: Client) -> None:
    rows = leads(60)
    for row in rows[20:30]:
        row["broken"] = True
    ads.control("seed", {"leads": rows})
    _, page = ads.get(f"{RESPONSES}&count=500")
    assert page["paging"] == {"start": 0, "count": 100, "links": [], "total": 60}
    assert len(page["elements"]) == 50
    assert sorted(ids(ads)) == sorted(row["id"] for row in rows if "broken" not in row)
    assert ads.get(f"{RESPONSES}&start=60")[1] == {
        "paging": {"start": 60, "count": 10, "links": [], "total": 0}, "elements": []
    }  # fmt: skip
    ads.control("seed", {"mend": True})
    assert len(ids(ads)) == 60


def test_pages_can_have_no_total_links_and_repetitions(ads: Client) -> None:
    ads.control("seed", {"leads": leads(60), "quirks": {"no_total": True, "links": "next", "repeat_every": 10}})
    _, page = ads.get(RESPONSES)
    assert "total" not in page["paging"]
    assert page["paging"]["links"][0]["rel"] == "next"
    assert (len(ids(ads)), len(set(ids(ads)))) == (66, 60)


def test_rows_shift_when_a_lead_arrives_or_leaves_between_pages(ads: Client) -> None:
    late = {"id": "late", "form": 9, "person": 1, "at": "2026-03-01T09:00:00+00:00"}
    ads.control("seed", {"leads": leads(60), "quirks": {"arrive_between_pages": [late]}})
    found = ids(ads)
    assert "late" not in found
    assert len(found) - len(set(found)) == 1
    newest = ids(ads)[0]
    ads.control("seed", {"quirks": {"delete_between_pages": [newest]}})
    assert len(set(ids(ads))) == 60


def test_the_borders_of_the_time_range_belong_to_it_and_a_year_is_kept(ads: Client) -> None:
    rows = [
        {"id": name, "form": 9, "person": 1, "at": at}
        for name, at in {
            "old": "2025-02-28T12:00:00+00:00", "start": "2026-02-01T10:00:00+00:00",
            "end": "2026-02-01T10:00:01+00:00", "ahead": "2026-03-01T12:04:00+00:00",
        }.items()
    ]  # fmt: skip
    ads.control("seed", {"leads": rows})
    window = "&submittedAtTimeRange=(start:1769940000000,end:1769940001000)"
    assert sorted(row["id"] for row in ads.get(RESPONSES + window)[1]["elements"]) == ["end", "start"]
    assert sorted(row["id"] for row in ads.get(RESPONSES)[1]["elements"]) == ["ahead", "end", "start"]
    assert ads.get(f"{RESPONSES}&submittedAtTimeRange=(end:1769940001000)")[0] == 400
    assert ads.get(f"{RESPONSES}&submittedAtTimeRange=(start:yesterday)")[0] == 400
    assert ads.get("/rest/leadFormResponses/old")[0] == 404


def test_the_type_has_to_fit_the_owner(ads: Client) -> None:
    ads.control("seed", {"organizations": {"7": "Acme"}})
    organization = "owner=(organization:urn%3Ali%3Aorganization%3A7)"
    path = "/rest/leadFormResponses?q=owner"
    assert ads.get(f"{path}&{organization}&leadType=(leadType:COMPANY)")[0] == 200
    assert ads.get(f"{path}&{organization}&leadType=(leadType:SPONSORED)")[0] == 400
    assert ads.get(f"{path}&{OWNER}&leadType=(leadType:ORGANIC)")[0] == 400
    assert ads.get(f"{path}&{OWNER}&leadType=SPONSORED")[0] == 400


def test_figures_count_leads_by_campaign_without_tests(ads: Client) -> None:
    rows = leads(4, campaign=5)
    rows[0]["test"] = True
    ads.control("seed", {"leads": rows})
    days = "dateRange=(start:(year:2026,month:2,day:1),end:(year:2026,month:2,day:3))"
    account = "accounts=List(urn%3Ali%3AsponsoredAccount%3A1)"
    _, answer = ads.get(f"/rest/adAnalytics?q=analytics&pivot=CAMPAIGN&timeGranularity=ALL&{days}&{account}")
    assert [(r["pivotValues"], r["oneClickLeads"]) for r in answer["elements"]] == [(["urn:li:sponsoredCampaign:5"], 2)]


def test_many_responses_are_made_at_once_and_written_when_they_are_asked_for(ads: Client) -> None:
    many = {"form": 9, "count": 20_000, "from": "2026-01-01T00:00:00+00:00", "to": NOW, "campaign": 5}
    assert ads.control("seed", {"generate": [many]})["leads"] == 20_000
    _, page = ads.get(f"{RESPONSES}&count=100&start=10000&fields=id,formResponse,form:(content)")
    mails = [
        a["answerDetails"]["textQuestionAnswer"]["answer"]
        for e in page["elements"]
        for a in e["formResponse"]["answers"]
        if a["questionId"] == 109
    ]
    assert (len(set(mails)), page["paging"]["total"]) == (100, 20_000)


# The built-in company


def test_untouched_it_is_a_company_with_two_months_behind_it(sandbox: Running) -> None:
    with closing((client := Client(sandbox, "new")).line):
        client.control("reset", {"now": NOW})
        client.sign_in()
        about = client.control("about", {})
        assert (about["accounts"], about["campaigns"], about["forms"]) == (3, 4, 4)
        assert 120 < about["leads"] < 300
        before = set(client.world.store.responses.by_id)
        client.control("reset", {"now": NOW})
        assert set(client.world.store.responses.by_id) == before
        client.control("clock", {"advance_s": 3 * 86_400})
        assert client.control("about", {})["leads"] > about["leads"]
        assert len(client.control("arrive", {"count": 3})["added"]) == 3


def test_a_restart_forgets_neither_tokens_nor_what_arrived(sandbox: Running) -> None:
    with closing((client := Client(sandbox, "kept")).line):
        client.control("reset", {"now": NOW})
        client.sign_in()
        added = client.control("arrive", {"count": 2})["added"]
        before = set(client.world.store.responses.by_id)
        kept = json.loads(json.dumps(client.world.dump()))
        client.control("reset", {"now": NOW})
        client.world.load(kept)
        assert set(client.world.store.responses.by_id) == before
        assert client.get(f"/rest/leadFormResponses/{added[0]}")[0] == 200
