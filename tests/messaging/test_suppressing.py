"""Suppression belongs to the address and outlives the person: known by a fingerprint once she is erased."""

import hmac
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from psycopg import sql

from contacts import consent, erasure, mailability, people
from contacts.consent import OPT_OUT_SETTING
from contacts.models import Contact
from messaging import claiming, eligibility, outbox, outcomes, suppressing
from messaging.models import AddressKey, Email, EmailVersion, Message, Suppression
from tenants.models import Audit, Member, Setting, Tenant
from tenants.scope import tenant_scope


@pytest.fixture
def again(acme: Tenant, person: Any, newsletter: Any) -> Any:
    """`again(reason="complaint")`: Amara, suppressed, is erased; later somebody brings her address once more."""

    def make(**suppression: Any) -> Contact:
        amara = person("amara", first_name="Amara", last_name="Okafor")
        with tenant_scope(acme):
            if suppression:
                Suppression.objects.create(address=amara.email, detail=f"550 <{amara.email}>", **suppression)
            erasure.erase([amara.pk], by=None)
        return person("amara")

    return make


@pytest.mark.parametrize("reason", ["complaint", "manual", "hard_bounce"])
def test_an_erased_persons_suppressed_address_is_not_mailed_when_it_comes_again(
    acme: Tenant, email: Email, again: Any, reason: str
) -> None:
    amara = again(reason=reason)
    with tenant_scope(acme):
        row = Suppression.objects.get()
        assert (row.address, row.detail, row.reason) == (None, "", reason)
        assert eligibility.why_not(email, amara.pk) == "suppressed"


def test_nothing_is_kept_of_an_address_that_was_not_suppressed(acme: Tenant, email: Email, again: Any) -> None:
    amara = again()
    with tenant_scope(acme):
        assert not Suppression.objects.exists()
        assert not AddressKey.objects.exists()
        assert eligibility.why_not(email, amara.pk) == ""


def test_the_outbox_blocks_a_mail_to_an_erased_persons_suppressed_address(
    acme: Tenant, email: Email, again: Any
) -> None:
    amara = again(reason="complaint")
    with tenant_scope(acme):
        EmailVersion.objects.create(email=email, state="live")
        outbox.order("one", contact=amara, email=email)
        Message.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
        claimed, _has_more = claiming.claim(uuid4(), 10)
        assert [one.contact_id for one in claimed] == []
        assert list(Message.objects.filter(contact=amara).values_list("state", "reason")) == [("blocked", "suppressed")]


def test_the_database_computes_the_same_fingerprint_as_rfc_2104(acme: Tenant, again: Any) -> None:
    again(reason="complaint")
    with tenant_scope(acme), connection.cursor() as cursor:
        key = bytes.fromhex(AddressKey.objects.get().key.reveal())
        cursor.execute(sql.SQL("SELECT {}").format(suppressing.fingerprint_of(sql.Literal("müller@lead.example"))))
        expected = hmac.digest(key, "müller@lead.example".encode(), "sha256").hex()
        assert cursor.fetchone()[0] == expected


def test_another_company_knows_the_same_address_by_another_fingerprint(acme: Tenant, rival: Tenant, again: Any) -> None:
    again(reason="complaint")
    with tenant_scope(rival):
        Suppression.objects.create(address="amara@lead.example", reason="complaint")
        her = people.create_contact({"email": "amara@lead.example"})
        erasure.erase([her.pk], by=None)
        theirs = Suppression.objects.get().fingerprint
    with tenant_scope(acme):
        assert Suppression.objects.get().fingerprint != theirs


def test_the_fingerprints_survive_a_change_of_keys(acme: Tenant, email: Email, again: Any, settings: Any) -> None:
    amara = again(reason="complaint")
    new = Fernet.generate_key().decode()
    settings.SECRETS_KEYS = [new, *settings.SECRETS_KEYS]
    call_command("rotate_secrets", stdout=StringIO())
    settings.SECRETS_KEYS, settings.SECRET_KEY = [new], "another key of the sessions, which is no matter here"
    with tenant_scope(acme):
        assert eligibility.why_not(email, amara.pk) == "suppressed"


def test_a_bounce_of_such_an_address_leaves_the_complaint_and_stands_in_clear_again(
    acme: Tenant, email: Email, again: Any
) -> None:
    amara = again(reason="complaint")
    with tenant_scope(acme):
        message = outbox.order("one", contact=amara, email=email)
        assert message is not None
        outcomes.suppress_hard([message.pk])
        row = Suppression.objects.get()
        assert (row.address, row.fingerprint, row.reason) == (amara.email, None, "complaint")


def test_soft_bounces_go_on_counting(acme: Tenant, email: Email, again: Any) -> None:
    amara = again(reason="soft_bounces", soft_bounces=4)
    with tenant_scope(acme):
        assert eligibility.why_not(email, amara.pk) == ""
        message = outbox.order("one", contact=amara, email=email)
        assert message is not None
        outcomes.count_soft([message.pk])
        assert Suppression.objects.get().soft_bounces == 5
        assert eligibility.why_not(email, amara.pk) == "suppressed"


def test_adding_such_an_address_by_hand_finds_the_row_that_is_there(acme: Tenant, max_: Member, again: Any) -> None:
    again(reason="complaint")
    with tenant_scope(acme):
        row = suppressing.suppress(" Amara@Lead.example", by=max_)
        assert (Suppression.objects.count(), row.reason) == (1, "complaint")


def test_the_contacts_page_says_that_her_address_is_suppressed(acme: Tenant, max_: Member, again: Any) -> None:
    amara = again(reason="manual")
    with tenant_scope(acme):
        assert mailability.answer(amara).words == "No: the address is suppressed (By hand)."
        suppressing.lift(Suppression.objects.get(), by=max_)
        assert mailability.answer(amara).may


def test_the_page_finds_an_erased_persons_suppression_by_the_address_alone(
    acme: Tenant, max_: Member, client_of: Any, again: Any
) -> None:
    again(reason="manual")
    client = client_of(max_)
    listed = client.get("/emails/suppressions/").content.decode()
    assert "amara@lead.example" not in listed
    assert "The address of somebody erased" in listed
    assert "lift" not in listed
    found = client.get("/emails/suppressions/?address=AMARA@lead.example").content.decode()
    with tenant_scope(acme):
        pk = Suppression.objects.get().pk
    assert f"/suppressions/{pk}/lift/" in found
    client.post(f"/emails/suppressions/{pk}/lift/")
    with tenant_scope(acme):
        assert not Suppression.objects.exists()
        assert "amara" not in str(list(Audit.objects.values_list("object_label", flat=True)))


@pytest.mark.parametrize("how", ["purpose", "flag"])
def test_a_refusal_outlives_erasure_even_where_silence_means_yes_until_a_new_consent(
    acme: Tenant, email: Email, person: Any, newsletter: Any, how: str
) -> None:
    bela = person("bela", agreed=False)
    with tenant_scope(acme):
        Setting.objects.create(key=OPT_OUT_SETTING, value=True)
        receipt = Email.objects.create(name="Receipt", designation=Email.Designation.TRANSACTIONAL)
        if how == "purpose":
            consent.refuse(bela, newsletter, source="link")
        else:
            Contact.objects.filter(pk=bela.pk).update(do_not_bulk_email=True)
        erasure.erase([bela.pk], by=None)
    bela = person("bela", agreed=False)
    with tenant_scope(acme):
        Contact.objects.filter(pk=bela.pk).update(consent_level=2)
        assert (eligibility.why_not(email, bela.pk), eligibility.why_not(receipt, bela.pk)) == ("suppressed", "")
        consent.grant(bela, newsletter, basis="double opt-in", source="form")
        assert eligibility.why_not(email, bela.pk) == ""
