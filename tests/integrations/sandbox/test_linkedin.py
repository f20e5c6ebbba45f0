"""The stand-in for LinkedIn, by the wire: what it answers, and that it refuses what LinkedIn refuses."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from integrations.sandbox import server
from integrations.sandbox.linkedin import restli
from integrations.sandbox.linkedin.pushing import challenge_response, signature
from integrations.sandbox.server import Running

NOW = "2026-03-01T12:00:00+00:00"
BACK = "http://127.0.0.1/back"
SCOPES = "r_marketing_leadgen_automation r_ads r_ads_reporting r_organization_admin"
OWNER = "owner=(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A1)"
RESPONSES = f"/rest/leadFormResponses?q=owner&{OWNER}&leadType=(leadType:SPONSORED)"
SEED: dict[str, Any] = {
    "accounts": [{"id": 1, "name": "Acme"}, {"id": 2, "name": "Seen only", "role": "VIEWER"}],
    "campaigns": [{"id": 5, "account": 1, "name": "Spring"}],
    "forms": [
        {"id": 9, "account": 1, "name": "Guide", "questions": ["EMAIL", {"name": "Team", "options": ["1", "2"]}]}
    ],
}


class Client:
    """A client of one world that does everything right, unless it is told not to."""

    def __init__(self, running: Running, key: str) -> None:
        self.base, self.world = f"/linkedin/{key}", running.world("linkedin", key)
        self.line = HTTPConnection("127.0.0.1", running.server.server_port, timeout=10)
        self.headers = {"LinkedIn-Version": "202602", "X-Restli-Protocol-Version": "2.0.0"}
        self.control("reset", {"seed": 1, "now": NOW})

    def send(
        self, method: str, target: str, body: str | None = None, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.line.request(method, self.base + target, body, {**self.headers, **named})
        answer = self.line.getresponse()
        text = answer.read()
        is_json = (answer.headers.get("Content-Type") or "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text.decode(), dict(answer.headers)

    def get(self, target: str, **headers: str) -> tuple[int, Any]:
        return self.send("GET", target, **headers)[:2]

    def post(self, target: str, fields: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        return self.send("POST", target, urlencode(fields), Content_Type="application/x-www-form-urlencoded")

    def control(self, verb: str, asked: Any) -> Any:
        status, answer, _ = self.send("POST", f"/_ctl/{verb}", json.dumps(asked))
        assert status == 200, answer
        return answer

    def code(self, **asked: str) -> dict[str, str]:
        """What the browser comes back with when the member agrees."""
        fields = {
            "response_type": "code", "client_id": "sandbox-app", "redirect_uri": BACK, "state": "s", "scope": SCOPES,
            "answer": "allow", **asked,
        }  # fmt: skip
        status, _, headers = self.post("/oauth/v2/authorization", fields)
        assert status == 302
        return dict(parse_qsl(urlsplit(headers["Location"]).query))

    def token(self, **fields: str) -> tuple[int, Any]:
        named = {"client_id": "sandbox-app", "client_secret": "sandbox-secret", "redirect_uri": BACK, **fields}
        return self.post("/oauth/v2/accessToken", named)[:2]

    def sign_in(self, **asked: str) -> Any:
        answer = self.token(grant_type="authorization_code", code=self.code(**asked)["code"])[1]
        self.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return answer


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with server.start() as running:
        yield running


@pytest.fixture
def client(running: Running, request: Any) -> Iterator[Client]:
    """A LinkedIn with an account, a campaign and a form, and somebody who has signed in."""
    client = Client(running, "test")
    client.control("seed", SEED)
    client.sign_in()
    with closing(client.line):
        yield client


def leads(count: int, **rest: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"l{n:03}", "form": 9, "at": f"2026-02-{1 + n % 28:02}T10:00:00+00:00", "person": n, **rest}
        for n in range(count)
    ]


def ids(client: Client, query: str = "") -> list[str]:
    """All ids, by the rule that holds: on until a page is empty, by the count that was answered."""
    found, start = [], 0
    while True:
        status, page = client.get(f"{RESPONSES}&count=10&start={start}{query}")
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
def test_a_badly_encoded_owner_is_refused(client: Client, query: str) -> None:
    status, answer = client.get(f"/rest/leadFormResponses?q=owner&{query}&leadType=(leadType:SPONSORED)")
    assert (status, answer["message"]) == (400, "Parameter 'owner' is invalid")


# Who may come in


def test_each_missing_header_is_refused_with_its_own_status(client: Client) -> None:
    assert client.get(RESPONSES)[0] == 200
    assert client.get(RESPONSES, Authorization="")[0] == 401
    assert client.get(RESPONSES, Authorization="Bearer made-up")[1]["code"] == "INVALID_ACCESS_TOKEN"
    assert client.get(RESPONSES, LinkedIn_Version="")[0] == 400
    assert client.get(RESPONSES, LinkedIn_Version="2026-02")[0] == 400
    assert client.get(RESPONSES, X_Restli_Protocol_Version="1.0.0")[0] == 400


def test_a_version_ends_after_a_year(client: Client) -> None:
    assert client.get(RESPONSES, LinkedIn_Version="202503")[0] == 200
    status, answer = client.get(RESPONSES, LinkedIn_Version="202502")
    assert (status, answer["code"]) == (426, "NONEXISTENT_VERSION")
    assert answer["message"] == "Requested version 20250201 is not active"
    assert client.get(RESPONSES, LinkedIn_Version="202512")[0] == 426
    client.control("seed", {"versions": ["202502"]})
    assert client.get(RESPONSES, LinkedIn_Version="202502")[0] == 200


def test_scope_and_role_are_both_needed(client: Client) -> None:
    other = RESPONSES.replace("%3A1)", "%3A2)")
    assert client.get(other)[0] == 403
    assert client.get("/rest/leadForms?q=owner&owner=(sponsoredAccount:urn%3Ali%3AsponsoredAccount%3A2)")[0] == 200
    client.control("seed", {"accounts": [{"id": 1, "name": "Acme", "role": ""}]})
    assert client.get(RESPONSES)[0] == 403
    client.control("seed", SEED)
    client.sign_in(scope="r_ads")
    assert client.get(RESPONSES)[1]["code"] == "ACCESS_DENIED"
    assert client.get("/rest/adAccounts?q=search")[0] == 200


def test_bodies_need_a_length_and_a_type(client: Client) -> None:
    client.line.putrequest("POST", f"{client.base}/rest/leadNotifications")
    for name, value in client.headers.items():
        client.line.putheader(name, value)
    client.line.endheaders()
    answer = client.line.getresponse()
    assert (answer.status, answer.read()[:1]) == (411, b"{")
    assert client.send("POST", "/rest/leadNotifications", "{}", Content_Type="text/plain")[0] == 415
    assert client.send("PUT", "/rest/leadForms/9", "{}", Content_Type="application/json")[0] == 405
    assert client.get("/rest/adFormResponses?q=account")[0] == 404


def test_long_queries_go_by_a_tunnel(client: Client) -> None:
    path, _, query = RESPONSES.partition("?")
    assert client.get(f"{RESPONSES}&x={'y' * 4000}")[0] == 414
    assert client.send(
        "POST", path, query, Content_Type="application/x-www-form-urlencoded", X_HTTP_Method_Override="GET"
    )[0] == 200  # fmt: skip


def test_the_daily_limit_says_nothing_about_when_and_ends_at_midnight(client: Client) -> None:
    client.control("seed", {"limits": {"leadFormResponses": 1}})
    assert client.get(RESPONSES)[0] == 200
    status, answer, headers = client.send("GET", RESPONSES)
    assert (status, answer["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "Retry-After" not in headers
    client.control("clock", {"advance_s": 12 * 3600})
    assert client.get(RESPONSES)[0] == 200


# OAuth


def test_the_member_is_asked_and_may_refuse(client: Client) -> None:
    asked = {"response_type": "code", "client_id": "sandbox-app", "redirect_uri": BACK, "state": "<s>", "scope": SCOPES}
    status, page = client.get(f"/oauth/v2/authorization?{urlencode(asked)}")
    assert status == 200
    assert "Allow" in page
    assert "Refuse" in page
    assert "<s>" not in page
    assert client.code(answer="refuse", state="s")["error"] == "user_cancelled_authorize"
    unasked = {**asked, "scope": "rw_ads"}
    _, _, headers = client.send("GET", f"/oauth/v2/authorization?{urlencode(unasked)}")
    assert "error=unauthorized_scope_error" in headers["Location"]
    client.control("seed", {"app": {"redirect_uris": ["https://crm.example.com/back"]}})
    assert client.get(f"/oauth/v2/authorization?{urlencode(asked)}")[0] == 400


def test_a_code_works_once_and_with_its_verifier(client: Client) -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).rstrip(b"=").decode()
    code = client.code(code_challenge=challenge)["code"]
    assert client.token(grant_type="authorization_code", code=code, code_verifier="other")[0] == 400
    code = client.code(code_challenge=challenge)["code"]
    assert client.token(grant_type="authorization_code", code=code, client_secret="wrong")[0] == 401
    status, answer = client.token(grant_type="authorization_code", code=code, code_verifier="verifier")
    assert status == 200
    assert answer["scope"] == "r_ads,r_ads_reporting,r_marketing_leadgen_automation,r_organization_admin"
    assert client.token(grant_type="authorization_code", code=code, code_verifier="verifier")[0] == 400
    late = client.code()["code"]
    client.control("clock", {"advance_s": 1_801})
    assert client.token(grant_type="authorization_code", code=late)[0] == 400


def test_a_token_ends_and_refreshing_does_not_prolong_the_year(client: Client) -> None:
    given = client.sign_in()
    client.control("clock", {"advance_s": given["expires_in"] + 1})
    assert client.get(RESPONSES, LinkedIn_Version="202604")[1]["code"] == "EXPIRED_ACCESS_TOKEN"
    status, fresh = client.token(grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert status == 200
    assert fresh["refresh_token"] == given["refresh_token"]
    assert fresh["refresh_token_expires_in"] == given["refresh_token_expires_in"] - given["expires_in"] - 1
    client.headers["Authorization"] = f"Bearer {fresh['access_token']}"
    assert client.get(RESPONSES, LinkedIn_Version="202604")[0] == 200
    client.control("clock", {"advance_s": fresh["refresh_token_expires_in"] + 1})
    assert client.token(grant_type="refresh_token", refresh_token=given["refresh_token"])[0] == 400


def test_a_fresh_token_is_not_known_everywhere_at_once(client: Client) -> None:
    client.control("seed", {"app": {"fresh_refusals": 2, "has_refresh_tokens": False}})
    assert "refresh_token" not in client.sign_in()
    assert [client.get(RESPONSES)[0] for _ in range(3)] == [401, 401, 200]


def test_after_the_member_revoked_nothing_works_until_she_agrees_anew(client: Client) -> None:
    given = client.sign_in()
    client.control("seed", {"revoke": True})
    assert client.get(RESPONSES)[1]["serviceErrorCode"] == 65601
    assert client.token(grant_type="refresh_token", refresh_token=given["refresh_token"])[0] == 400
    secret = {"client_id": "sandbox-app", "client_secret": "sandbox-secret", "token": given["access_token"]}
    assert client.post("/oauth/v2/introspectToken", secret)[1]["status"] == "revoked"
    client.control("clock", {"advance_s": 1})
    client.sign_in()
    assert client.get(RESPONSES)[0] == 200


# Accounts, forms, responses


def test_accounts_page_by_offset_and_by_token(client: Client) -> None:
    client.control("seed", {"accounts": [{"id": n, "name": f"A{n}"} for n in range(10, 24)]})
    status, page = client.get(
        "/rest/adAccounts?q=search&search=(status:(values:List(ACTIVE)),test:false)&fields=id,name"
    )
    assert (status, len(page["elements"]), page["paging"]["total"]) == (200, 10, 16)
    assert page["elements"][0] == {"id": 1, "name": "Acme"}
    _, first = client.get("/rest/adAccounts?q=search&pageSize=15")
    _, last = client.get(f"/rest/adAccounts?q=search&pageSize=15&pageToken={first['metadata']['nextPageToken']}")
    assert (len(first["elements"]), len(last["elements"]), last["metadata"]) == (15, 1, {})
    _, campaigns = client.get("/rest/adAccounts/1/adCampaigns?q=search")
    assert [row["name"] for row in campaigns["elements"]] == ["Spring"]


def test_a_form_has_versions_and_the_list_has_the_newest(client: Client) -> None:
    client.control("seed", {"forms": [{"id": 9, "account": 1, "version": 2, "questions": ["EMAIL"]}]})
    _, page = client.get(f"/rest/leadForms?q=owner&{OWNER}")
    assert [(row["id"], row["versionId"]) for row in page["elements"]] == [(9, 2)]
    assert client.get("/rest/leadForms/9")[1]["content"]["questions"][0]["predefinedField"] == "EMAIL"
    client.control("seed", {"forms": [{"id": 9, "account": 1, "version": 2, "fault": "deleted"}]})
    assert client.get("/rest/leadForms/9")[0] == 404


def test_a_response_comes_with_what_was_asked_for(client: Client) -> None:
    row = {
        "id": "one", "form": 9, "campaign": 5, "answers": {"EMAIL": "a@example.com", "Team": "2", "77": "?"},
        "at": "2026-02-20T10:00:00+00:00", "test": True,
    }  # fmt: skip
    client.control("seed", {"leads": [row]})
    fields = "id,formResponse,testLead,leadMetadataInfo,form:(name,hiddenFields)"
    _, page = client.get(f"{RESPONSES}&fields={fields}")
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
    assert client.get("/rest/leadFormResponses/one")[1]["submittedAt"] == 1_771_581_600_000
    assert client.get("/rest/leadFormResponses/two")[0] == 404
    assert "form" not in client.get(RESPONSES)[1]["elements"][0]


def test_pages_are_clamped_and_short_ones_are_not_the_last(client: Client) -> None:
    rows = leads(60)
    for row in rows[20:30]:
        row["broken"] = True
    client.control("seed", {"leads": rows})
    _, page = client.get(f"{RESPONSES}&count=500")
    assert page["paging"] == {"start": 0, "count": 100, "links": [], "total": 60}
    assert len(page["elements"]) == 50
    assert sorted(ids(client)) == sorted(row["id"] for row in rows if "broken" not in row)
    assert client.get(f"{RESPONSES}&start=60")[1] == {
        "paging": {"start": 60, "count": 10, "links": [], "total": 0}, "elements": []
    }  # fmt: skip
    client.control("seed", {"mend": True})
    assert len(ids(client)) == 60


def test_pages_can_have_no_total_links_and_repetitions(client: Client) -> None:
    client.control("seed", {"leads": leads(60), "quirks": {"no_total": True, "links": "next", "repeat_every": 10}})
    _, page = client.get(RESPONSES)
    assert "total" not in page["paging"]
    assert page["paging"]["links"][0]["rel"] == "next"
    assert (len(ids(client)), len(set(ids(client)))) == (66, 60)


def test_rows_shift_when_a_lead_arrives_or_leaves_between_pages(client: Client) -> None:
    late = {"id": "late", "form": 9, "person": 1, "at": "2026-03-01T09:00:00+00:00"}
    client.control("seed", {"leads": leads(60), "quirks": {"arrive_between_pages": [late]}})
    found = ids(client)
    assert "late" not in found
    assert len(found) - len(set(found)) == 1
    newest = ids(client)[0]
    client.control("seed", {"quirks": {"delete_between_pages": [newest]}})
    assert len(set(ids(client))) == 60


def test_the_borders_of_the_time_range_belong_to_it_and_a_year_is_kept(client: Client) -> None:
    rows = [
        {"id": name, "form": 9, "person": 1, "at": at}
        for name, at in {
            "old": "2025-02-28T12:00:00+00:00", "start": "2026-02-01T10:00:00+00:00",
            "end": "2026-02-01T10:00:01+00:00", "ahead": "2026-03-01T12:04:00+00:00",
        }.items()
    ]  # fmt: skip
    client.control("seed", {"leads": rows})
    window = "&submittedAtTimeRange=(start:1769940000000,end:1769940001000)"
    assert sorted(row["id"] for row in client.get(RESPONSES + window)[1]["elements"]) == ["end", "start"]
    assert sorted(row["id"] for row in client.get(RESPONSES)[1]["elements"]) == ["ahead", "end", "start"]
    assert client.get(f"{RESPONSES}&submittedAtTimeRange=(end:1769940001000)")[0] == 400
    assert client.get(f"{RESPONSES}&submittedAtTimeRange=(start:yesterday)")[0] == 400
    assert client.get("/rest/leadFormResponses/old")[0] == 404


def test_the_type_has_to_fit_the_owner(client: Client) -> None:
    client.control("seed", {"organizations": {"7": "Acme"}})
    organization = "owner=(organization:urn%3Ali%3Aorganization%3A7)"
    path = "/rest/leadFormResponses?q=owner"
    assert client.get(f"{path}&{organization}&leadType=(leadType:COMPANY)")[0] == 200
    assert client.get(f"{path}&{organization}&leadType=(leadType:SPONSORED)")[0] == 400
    assert client.get(f"{path}&{OWNER}&leadType=(leadType:ORGANIC)")[0] == 400
    assert client.get(f"{path}&{OWNER}&leadType=SPONSORED")[0] == 400


def test_figures_count_leads_by_campaign_without_tests(client: Client) -> None:
    rows = leads(4, campaign=5)
    rows[0]["test"] = True
    client.control("seed", {"leads": rows})
    days = "dateRange=(start:(year:2026,month:2,day:1),end:(year:2026,month:2,day:3))"
    account = "accounts=List(urn%3Ali%3AsponsoredAccount%3A1)"
    _, answer = client.get(f"/rest/adAnalytics?q=analytics&pivot=CAMPAIGN&timeGranularity=ALL&{days}&{account}")
    assert [(r["pivotValues"], r["oneClickLeads"]) for r in answer["elements"]] == [(["urn:li:sponsoredCampaign:5"], 2)]


def test_many_responses_are_made_at_once_and_written_when_they_are_asked_for(client: Client) -> None:
    many = {"form": 9, "count": 20_000, "from": "2026-01-01T00:00:00+00:00", "to": NOW, "campaign": 5}
    assert client.control("seed", {"generate": [many]})["leads"] == 20_000
    _, page = client.get(f"{RESPONSES}&count=100&start=10000&fields=id,formResponse,form:(content)")
    mails = [
        a["answerDetails"]["textQuestionAnswer"]["answer"]
        for e in page["elements"]
        for a in e["formResponse"]["answers"]
        if a["questionId"] == 109
    ]
    assert (len(set(mails)), page["paging"]["total"]) == (100, 20_000)


# Pushes


class Hook(ThreadingHTTPServer):
    """An address that answers the challenge, rightly or not, and keeps what is pushed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HookHandler)
        self.secret, self.pushes = "sandbox-secret", []
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/in"


class HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_GET(self) -> None:
        code = dict(parse_qsl(urlsplit(self.path).query))["challengeCode"]
        answer = {"challengeCode": code, "challengeResponse": challenge_response(self.server.secret, code)}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.pushes.append((body, self.headers.get("X-LI-Signature")))
        self.send_response(200 if self.headers.get("X-LI-Signature") == signature(self.server.secret, body) else 401)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook
        hook.shutdown()


def subscribe(client: Client, url: str, owner: str = "urn:li:sponsoredAccount:1") -> tuple[int, Any, dict[str, str]]:
    body = json.dumps({"webhook": url, "owner": {"sponsoredAccount": owner}, "leadType": "SPONSORED"})
    return client.send("POST", "/rest/leadNotifications", body, Content_Type="application/json")


def test_signatures_are_those_of_the_documents() -> None:
    """Known answers: the prefix is signed, and the challenge goes without it."""
    body = (
        b'{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:'
        b'249592fc-d272-44ba-a7db-c2bdce579507-6","leadAction":"CREATED"}'
    )
    secret, code = "li-test-client-secret", "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    assert signature(secret, body) == "5ebaaa5c4caf88098bff42f89d923b3dfa6dc0c2d067598f22b34b54bd903632"
    assert challenge_response(secret, code) == "aff0b40e12a48e43fa48ee62321c5fd04244cd1a3cf27c7694fcafd0731ba872"


def test_subscriptions_are_made_found_and_ended(client: Client, hook: Hook) -> None:
    status, body, headers = subscribe(client, hook.url)
    assert (status, body) == (201, "")
    id_ = headers["x-restli-id"]
    assert subscribe(client, hook.url)[0] == 409
    assert subscribe(client, "http://crm.example.com/in")[0] == 400
    assert subscribe(client, hook.url, "urn:li:sponsoredAccount:99")[0] == 403
    criteria = OWNER.replace("owner=(", "owner=(value:(") + ")&leadType=(leadType:SPONSORED)"
    _, found = client.get(f"/rest/leadNotifications?q=criteria&{criteria}")
    assert [row["webhook"] for row in found["elements"]] == [hook.url]
    assert client.get(f"/rest/leadNotifications/{id_}")[1]["leadType"] == "SPONSORED"
    assert client.send("DELETE", f"/rest/leadNotifications/{id_}")[0] == 204
    assert client.get(f"/rest/leadNotifications/{id_}")[0] == 404


def test_pushes_come_signed_twice_shuffled_and_wrong_as_asked(client: Client, hook: Hook) -> None:
    subscribe(client, hook.url)
    client.control("seed", {"leads": leads(3)})
    assert client.control("deliver", {"times": 2, "shuffle": 3})["counts"] == {"200": 6}
    told = [json.loads(body) for body, _ in hook.pushes]
    order = [row["leadGenFormResponse"][-4:] for row in told]
    assert sorted(order) == ["l000", "l000", "l001", "l001", "l002", "l002"]
    assert order != ["l000", "l001", "l002"] * 2
    assert told[0]["leadGenForm"] == "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:9, 1)"
    assert client.control("deliver", {})["statuses"] == []
    for sign in ("bad", "none", "old-secret", "changed-body"):
        assert client.control("deliver", {"leads": ["l000"], "sign": sign})["statuses"] == [401]
    client.control("deliver", {"leads": ["gone"], "action": "DELETED", "seconds": True})
    last = json.loads(hook.pushes[-1][0])
    assert (last["leadAction"], last["occurredAt"]) == ("DELETED", 1_772_366_400)


def test_an_address_that_fails_the_challenge_three_times_is_blocked(client: Client, hook: Hook) -> None:
    subscribe(client, hook.url)
    client.control("seed", {"leads": leads(4)})
    hook.secret = "another"
    for number in range(3):
        client.control("deliver", {"leads": [f"l00{number}"]})
    hook.secret = "sandbox-secret"
    assert client.control("deliver", {"leads": ["l003"]})["blocked"] == [42]
    assert hook.pushes == []


def test_a_push_can_come_before_the_lead_is_readable(client: Client, hook: Hook) -> None:
    client.control("seed", {"leads": leads(1, readable_at="2026-03-01T12:00:30+00:00")})
    assert client.control("deliver", {"to": hook.url})["statuses"] == [200]
    assert client.get("/rest/leadFormResponses/l000")[0] == 404
    client.control("clock", {"advance_s": 31})
    assert client.get("/rest/leadFormResponses/l000")[0] == 200


# The built-in company


def test_untouched_it_is_a_company_with_two_months_behind_it(running: Running) -> None:
    with closing((client := Client(running, "new")).line):
        client.control("reset", {"now": NOW})
        client.sign_in()
        about = client.control("about", {})
        assert (about["accounts"], about["campaigns"], about["forms"]) == (4, 4, 4)
        assert 120 < about["leads"] < 300
        before = set(client.world.store.responses.by_id)
        client.control("reset", {"now": NOW})
        assert set(client.world.store.responses.by_id) == before
        client.control("clock", {"advance_s": 3 * 86_400})
        assert client.control("about", {})["leads"] > about["leads"]
        assert len(client.control("arrive", {"count": 3})["added"]) == 3


def test_a_restart_forgets_neither_tokens_nor_what_arrived(running: Running) -> None:
    with closing((client := Client(running, "kept")).line):
        client.control("reset", {"now": NOW})
        client.sign_in()
        added = client.control("arrive", {"count": 2})["added"]
        before = set(client.world.store.responses.by_id)
        kept = json.loads(json.dumps(client.world.dump()))
        client.control("reset", {"now": NOW})
        client.world.load(kept)
        assert set(client.world.store.responses.by_id) == before
        assert client.get(f"/rest/leadFormResponses/{added[0]}")[0] == 200
