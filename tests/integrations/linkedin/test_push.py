"""LinkedIn's notifications: known by their signature, counted once, in whatever order they come."""

import hashlib
import hmac
from urllib.parse import urlsplit

import pytest
from django.test import Client

from contacts.models import Contact
from integrations.linkedin import announced, push
from integrations.models import AdAccount
from leads.models import Lead
from tenants.scope import tenant_scope
from tests.integrations.linkedin.world import LinkedInWorld

AMARA = {"EMAIL": "amara@firma.example", "LAST_NAME": "Okafor"}
SECRET = "li-test-client-secret"
# LinkedIn's own test body and what its secret makes of it.
BODY = (
    b'{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:'
    b'249592fc-d272-44ba-a7db-c2bdce579507-6","leadAction":"CREATED"}'
)
SIGNED = "5ebaaa5c4caf88098bff42f89d923b3dfa6dc0c2d067598f22b34b54bd903632"


def with_secret(linkedin: LinkedInWorld, secret: str) -> None:
    with tenant_scope(linkedin.tenant):
        push.replace_secret(linkedin.connection, secret, by=linkedin.owner)


def test_the_challenge_and_the_signature_are_the_documented_ones(linkedin: LinkedInWorld) -> None:
    with_secret(linkedin, SECRET)
    path = urlsplit(push.address(linkedin.connection)).path
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    answer = Client().get(path, {"challengeCode": code, "applicationId": "7"})
    expected = "aff0b40e12a48e43fa48ee62321c5fd04244cd1a3cf27c7694fcafd0731ba872"
    assert answer.json() == {"challengeCode": code, "challengeResponse": expected}
    assert push.is_signed(linkedin.connection, BODY, SIGNED)


def test_one_flipped_byte_of_body_or_signature_is_refused(linkedin: LinkedInWorld) -> None:
    with_secret(linkedin, SECRET)
    flipped = [BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :] for at in range(len(BODY))]
    assert not any(push.is_signed(linkedin.connection, body, SIGNED) for body in flipped)
    wrong = [SIGNED[:at] + ("0" if SIGNED[at] != "0" else "1") + SIGNED[at + 1 :] for at in range(len(SIGNED))]
    assert not any(push.is_signed(linkedin.connection, BODY, signature) for signature in (*wrong, "", "é", SIGNED[1:]))
    assert linkedin.push("a-1", secret="another secret") == 403
    assert linkedin.push("a-1", body=b"{}") == 403
    token = urlsplit(push.address(linkedin.connection)).path.split("/")[3]
    forged = token.replace(f".{linkedin.connection.pk}:", f".{linkedin.connection.pk + 1}:")
    assert [Client().get(f"/hooks/linkedin/{each}/").status_code for each in (forged, "1.1", "x")] == [404] * 3
    assert linkedin.counts() == (0, 0, 0)


def test_the_secret_before_signs_for_a_day_more(linkedin: LinkedInWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    linkedin.connect()
    (id_,) = linkedin.leads(AMARA)
    with_secret(linkedin, SECRET)
    assert linkedin.push(id_, secret="sandbox-secret") == 200
    assert linkedin.push(id_, secret=SECRET, at=1) == 200
    monkeypatch.setattr(push, "ROTATION", -push.ROTATION)
    with_secret(linkedin, "the next one")
    assert linkedin.push(id_, secret=SECRET, at=2) == 403


def test_a_notification_brings_the_lead_at_once_and_counts_once(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    linkedin.work()
    (id_,) = linkedin.leads(AMARA)
    linkedin.place.journal.clear()
    assert [linkedin.push(id_, at=1_772_366_400) for _ in range(3)] == [200] * 3
    assert linkedin.push(id_, at=1_772_366_400_000) == 200
    linkedin.work()
    row = linkedin.stored()[id_]
    assert (row.state, row.channel, row.contact.email) == ("lead_created", "push", "amara@firma.example")
    assert len(linkedin.asked(f"/leadFormResponses/{id_}")) == 1
    linkedin.sync()
    assert linkedin.counts() == (1, 1, 1)


def test_what_was_withdrawn_is_forgotten_before_and_after_it_has_come(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    early, late = linkedin.leads(AMARA, {"EMAIL": "bo@firma.example", "LAST_NAME": "Berg"})
    assert linkedin.push(early, "DELETED") == 200
    assert linkedin.push(early, at=5) == 200
    linkedin.sync()
    linkedin.work()
    assert linkedin.stored()[early].state == "withdrawn"
    assert linkedin.stored()[late].state == "lead_created"
    linkedin.push(late, "DELETED")
    linkedin.sync()
    gone = linkedin.stored()[late]
    assert (gone.state, gone.answers, gone.consents, gone.submitter) == ("withdrawn", [], [], "")
    with tenant_scope(linkedin.tenant):
        assert list(Contact.objects.values_list("email", flat=True)) == ["bo@firma.example"]
        assert Lead.objects.count() == 1


def test_a_lead_that_is_not_readable_yet_is_asked_for_again_and_left_to_the_run(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    linkedin.work()
    (id_,) = linkedin.leads(AMARA, readable_at="2999-01-01T00:00:00+00:00")
    linkedin.push(id_)
    linkedin.work()
    row = linkedin.stored()[id_]
    assert (row.state, row.attempt_count) == ("announced", 1)
    assert row.next_attempt_at is not None
    assert "404" in row.reason
    linkedin.sync()
    assert linkedin.stored()[id_].state == "lead_created"


def test_what_is_announced_and_never_shown_fails_until_it_is(
    linkedin: LinkedInWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announced, "WAITS", ())
    linkedin.connect()
    linkedin.work()
    (id_,) = linkedin.leads(AMARA, broken=True)
    linkedin.push(id_)
    linkedin.work()
    assert linkedin.states() == {"announced": 1}
    linkedin.sync()
    row = linkedin.stored()[id_]
    assert (row.state, row.reason) == ("failed", "LinkedIn has announced it and does not show it.")
    linkedin.seed(mend=True)
    linkedin.sync()
    assert linkedin.states() == {"lead_created": 1}


def test_accounts_that_are_not_read_and_nonsense_are_dropped(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    assert linkedin.push("a-1", owner="urn:li:sponsoredAccount:77") == 200
    assert linkedin.push("a-1", "EXPLODED") == 200
    for body in (b"[]", b"null", b"{", b'{"leadAction": {"a": 1}}'):
        signed = hmac.new(b"sandbox-secret", b"hmacsha256=" + body, hashlib.sha256).hexdigest()
        assert linkedin.push("a-1", body=body, signature=signed) == 200
    assert linkedin.counts() == (0, 0, 0)


def test_the_stand_in_is_answered_over_tcp(linkedin: LinkedInWorld, live_server, settings) -> None:
    settings.PUBLIC_URL = live_server.url
    linkedin.connect()
    assert push.subscribe(linkedin.connection) == []
    with tenant_scope(linkedin.tenant):
        AdAccount.objects.update(subscription_id="")
    assert push.subscribe(linkedin.connection) == [], "a second time finds the one that there is"
    with tenant_scope(linkedin.tenant):
        assert AdAccount.objects.get().subscription_id == "42"
    with tenant_scope(linkedin.tenant):
        AdAccount.objects.create(connection=linkedin.connection, external_id="3", subscription_id="404")
        AdAccount.objects.create(connection=linkedin.connection, external_id="2", is_chosen=True)
    (refusal,) = push.subscribe(linkedin.connection)
    assert refusal.startswith("2: 403"), "one that is refused does not keep the others"
    with tenant_scope(linkedin.tenant):
        assert AdAccount.objects.get(external_id="3").subscription_id == "", "of one that is not read any more"
    (id_,) = linkedin.leads(AMARA)
    told = linkedin.here.pushing.deliver({"leads": [id_], "times": 2, "seconds": True})
    assert (told["counts"], told["blocked"]) == ({"200": 2}, [])
    linkedin.work()
    assert linkedin.stored()[id_].state == "lead_created"
    push.unsubscribe(linkedin.connection)
    assert linkedin.here.store.subscriptions == {}


def test_many_notifications_at_once_are_left_to_one_run(
    linkedin: LinkedInWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announced, "AT_ONCE", 2)
    linkedin.connect()
    linkedin.work()
    ids = linkedin.leads(*({"EMAIL": f"p{n}@firma.example", "LAST_NAME": "Okafor"} for n in range(3)))
    for id_ in ids:
        linkedin.push(id_)
    linkedin.place.journal.clear()
    linkedin.work()
    assert linkedin.states() == {"lead_created": 3}
    assert linkedin.asked("/leadFormResponses/") == [], "none is asked for alone"
