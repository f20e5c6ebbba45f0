"""The ways in without LinkedIn's approval: files of Campaign Manager, and the signed address."""

import io
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from contacts.models import Contact
from integrations.connections import verbs
from integrations.linkedin import files, inbound, processing, storing, syncing
from integrations.linkedin.responses import FormRef, Response
from integrations.models import Connection, LeadInbox, LeadSubmission
from integrations.webhooks import signing
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.leads.files import as_csv

pytestmark = pytest.mark.django_db
HEAD = ["Lead ID", "Submitted At", "Form Name", "Campaign Name", "Test Lead", "Email Address", "First Name",
        "Last Name", "Company Name", "What do you use?"]  # fmt: skip
AMARA = [
    "a-1",
    "2026-03-01 10:00:00",
    "Guide",
    "Spring",
    "FALSE",
    "amara@firma.example",
    "Amara",
    "Okafor",
    "Firma",
    "Xi",
]
MESSAGE: dict[str, Any] = {
    "id": "fair-7",
    "form": "Trade fair",
    "submitted_at": "2026-03-01T10:00:00Z",
    "campaign": "Spring",
    "answers": {"EMAIL": "bo@firma.example", "LAST_NAME": "Berg", "Which day?": ["Monday", "Tuesday"]},
    "consents": [{"id": "news", "text": "Write to me", "accepted": True}],
    "hidden": {"utm_source": "fair"},
}


@pytest.fixture
def connection(acme: Tenant, ana: Member) -> Connection:
    with tenant_scope(acme):
        return verbs.add("linkedin", "LinkedIn", by=ana)


def stored(acme: Tenant, connection: Connection) -> list[LeadSubmission]:
    with tenant_scope(acme):
        processing.process(connection)
        return list(LeadSubmission.objects.select_related("form", "campaign", "contact", "version").order_by("pk"))


def test_an_export_is_read_by_the_names_of_its_columns(acme: Tenant, ana: Member, connection: Connection) -> None:
    test = ["a-2", "3/1/2026 4:05 PM", "Guide", "Spring", "TRUE", "t@firma.example", "T", "T", "T", "T"]
    bare = ["", "", "", "", "", "cy@firma.example", "Cy", "Young", "", "0\x00"]
    file = io.BytesIO(as_csv([HEAD, AMARA, test, bare]))
    with tenant_scope(acme):
        taken = files.take(connection, file, "leads.csv", by=ana)
        assert (taken.rows, taken.new, taken.known) == (3, 3, 0)
        assert dict(taken.faults) == {"no moment that can be read: taken for now": 1}
    by_id = {row.external_id: row for row in stored(acme, connection)}
    amara = by_id["a-1"]
    assert (amara.state, amara.channel, amara.form.name, amara.campaign.name) == (
        "lead_created", "file", "Guide", "Spring",
    )  # fmt: skip
    assert amara.submitted_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert (amara.contact.email, amara.contact.first_name) == ("amara@firma.example", "Amara")
    assert [question["key"] for question in amara.version.questions][-2:] == [
        "COMPANY_NAME",
        "question:What do you use?",
    ]
    assert by_id["a-2"].state == "test"
    (made,) = (row for id_, row in by_id.items() if id_.startswith("made:"))
    assert (made.form.name, made.contact.last_name) == ("leads.csv", "Young")
    with tenant_scope(acme):
        again = files.take(connection, io.BytesIO(as_csv([HEAD, AMARA, test])), "leads.csv", by=ana)
        assert (again.new, again.changed, again.known) == (0, 0, 2)
        with pytest.raises(files.Unusable):
            files.take(connection, io.BytesIO(as_csv([["Form Name"], ["Guide"]])), "leads.csv", by=ana)


@pytest.fixture
def post(acme: Tenant, ana: Member, connection: Connection) -> Any:
    """Send a message in, signed by whatever the keywords say."""
    with tenant_scope(acme):
        secret = inbound.open_inbox(connection, by=ana)
    path = urlsplit(inbound.address(connection)).path

    def send(message: Any, **more: Any) -> Any:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        stamp = int(timezone.now().timestamp()) + more.get("late", 0)
        headers = signing.headers(more.get("id", "m-1"), stamp, body, [more.get("secret", secret)])
        sent = more.get("body", body)
        return Client().post(
            path, sent, content_type="application/json", headers={**headers, **more.get("headers", {})}
        )

    send.secret = secret  # type: ignore[attr-defined]
    return send


def test_a_file_does_not_replace_what_linkedin_itself_has_sent(
    acme: Tenant, ana: Member, connection: Connection
) -> None:
    """The export names neither the consent nor the form's version."""
    ours = Response("a-1", timezone.now(), FormRef("9", 1), consents=[{"id": "0", "accepted": True}])
    table = as_csv([["Lead ID", "Email"], ["a-1", "amara@firma.example"], ["a-2", "bo@firma.example"]])
    with tenant_scope(acme):
        storing.store(connection, [ours], "api")
        storing.announce(connection, [("a-2", timezone.now())])
        taken = files.take(connection, io.BytesIO(table), "Fair", by=ana)
        assert (taken.rows, taken.changed, taken.known) == (2, 1, 1)
        kept = LeadSubmission.objects.get(external_id="a-1")
        assert (kept.form.external_id, kept.consents) == ("9", ours.consents)
        assert LeadSubmission.objects.get(external_id="a-2").answers, "announced only, and brought by the file"


def test_a_large_file_gives_way_when_the_workers_time_is_up(
    acme: Tenant, ana: Member, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "BATCH", 2)
    rows = [["E-Mail"], *([f"p{n}@firma.example"] for n in range(5))]
    with tenant_scope(acme):
        files.take(connection, io.BytesIO(as_csv(rows)), "Fair", by=ana)
    left = []
    for _turn in range(3):
        outcome = syncing.work(acme.pk, deadline=0.0)
        with tenant_scope(acme):
            left.append((LeadSubmission.objects.filter(state="received").count(), outcome.has_more))
    assert left == [(3, True), (1, True), (0, False)]


def test_a_signed_message_is_taken_once(acme: Tenant, connection: Connection, post: Any) -> None:
    assert [post(MESSAGE).json() for _ in range(2)] == [{"new": 1}, {"new": 0}]
    assert post(MESSAGE, id="m-2").json() == {"new": 0}, "the same submission by another message"
    (row,) = stored(acme, connection)
    assert (row.state, row.channel, row.form.name, row.hidden_fields) == (
        "lead_created", "inbound", "Trade fair", {"utm_source": "fair"},
    )  # fmt: skip
    assert row.contact.email == "bo@firma.example"
    assert row.answers[-1] == {"question": "Which day?", "text": "Monday, Tuesday"}
    assert (row.version.consents[0]["text"], row.consents[0]["accepted"]) == ("Write to me", True)
    many = {"submissions": [{"form": "Fair", "answers": {"EMAIL": f"p{n}@firma.example"}} for n in range(3)]}
    assert post(many, id="m-3").json() == {"new": 3}
    with tenant_scope(acme):
        assert LeadInbox.objects.get().last_received_at


def test_a_message_that_is_not_signed_so_is_refused(acme: Tenant, ana, connection: Connection, post: Any) -> None:
    body = json.dumps(MESSAGE).encode()
    assert post(MESSAGE, secret=signing.new_secret()).status_code == 401
    assert post(MESSAGE, late=-400).status_code == 401
    assert post(MESSAGE, late=400).status_code == 401
    assert post(MESSAGE, headers={"webhook-signature": "é"}).status_code == 401
    assert post(MESSAGE, headers={"webhook-id": "another"}).status_code == 401
    for at in range(0, len(body), 23):
        assert post(MESSAGE, body=body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]).status_code == 401
    with tenant_scope(acme):
        new = inbound.open_inbox(connection, by=ana)
    assert post(MESSAGE).status_code == 202, "the secret before counts for a day"
    assert post({**MESSAGE, "id": "8"}, id="m-8", secret=new).status_code == 202
    with tenant_scope(acme):
        LeadInbox.objects.update(previous_until=timezone.now())
    assert post({**MESSAGE, "id": "9"}, id="m-9").status_code == 401
    with tenant_scope(acme):
        inbound.close_inbox(connection, by=ana)
    assert post(MESSAGE).status_code == 404


@pytest.mark.parametrize(
    "message",
    [b"[", [], {}, {"form": "x"}, {"answers": {"a": "b"}}, {"submissions": []}, MESSAGE | {"submitted_at": "soon"}],
    ids=str,
)
def test_a_message_that_makes_no_sense_is_told_why(acme: Tenant, post: Any, message: Any) -> None:
    answer = post(message)
    assert answer.status_code == 422
    assert answer.json()["error"]
    with tenant_scope(acme):
        assert (LeadSubmission.objects.count(), Contact.objects.count()) == (0, 0)
