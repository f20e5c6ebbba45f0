"""Refusing: for one purpose, for the address, by links that never die and change nothing by being looked at."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contacts import consent, deletion, mailability, merging, people
from contacts.consent import OPT_OUT_SETTING
from contacts.models import Consent, Contact, Purpose
from messaging import eligibility, hits, outbox, tokens
from messaging.models import Email, Hit, Message
from tenants.models import Member, Setting, Tenant
from tenants.scope import tenant_scope


@pytest.fixture
def events(acme: Tenant) -> Purpose:
    """A second purpose; the newsletter is the default one."""
    with tenant_scope(acme):
        return Purpose.objects.create(key="events", name="Events")


@pytest.fixture
def invitation(acme: Tenant, email: Email, events: Purpose, person: Any) -> Message:
    """A message to Amara, who agreed to both purposes, that was sent for the events."""
    amara = person("amara")
    with tenant_scope(acme):
        consent.grant(amara, events, basis="form", source="test")
        Email.objects.filter(pk=email.pk).update(purpose=events)
        message = outbox.order("v:1", contact=amara, email=email)
        assert message is not None
        Message.objects.update(state="sent", finished_at=timezone.now())
        return message


def place(message: Message, purpose: Purpose) -> str:
    own = tokens.Own(message.tenant_id, message.pk, message.contact_id or 0, purpose.pk)
    return f"/m/{tokens.pages_token(own)}/"


def refused(acme: Tenant) -> set[tuple[int, str]]:
    """(contact, purpose) of every refusal."""
    with tenant_scope(acme):
        rows = Consent.objects.filter(state="refused").values_list("contact_id", "purpose__key")
        return set(rows)


def test_the_page_refuses_the_purpose_of_its_mail_alone(acme: Tenant, invitation: Message, events: Purpose) -> None:
    Client().post(place(invitation, events))
    assert refused(acme) == {(invitation.contact_id, "events")}


def test_one_click_refuses_the_purpose_of_its_mail_alone(acme: Tenant, invitation: Message, events: Purpose) -> None:
    with tenant_scope(acme):
        Hit.objects.create(message_id=invitation.pk, kind="unsubscribe", link_id=events.pk)
    hits.work(acme.pk, float("inf"))
    assert refused(acme) == {(invitation.contact_id, "events")}


def test_what_the_mail_was_sent_for_counts_and_not_what_its_email_is_for_now(
    acme: Tenant, invitation: Message, events: Purpose, newsletter: Purpose
) -> None:
    with tenant_scope(acme):
        Email.objects.update(purpose=newsletter)
    Client().post(place(invitation, events))
    assert refused(acme) == {(invitation.contact_id, "events")}


@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("page", ["", "preferences/", "view/"])
def test_looking_changes_nothing(acme: Tenant, invitation: Message, events: Purpose, method: str, page: str) -> None:
    getattr(Client(), method)(place(invitation, events) + page + "?none=on&purpose=1")
    assert refused(acme) == set()
    with tenant_scope(acme):
        assert not Contact.objects.filter(do_not_bulk_email=True).exists()


@pytest.mark.parametrize("change", ["message gone", "archived", "purpose gone", "address changed", "deleted"])
def test_the_link_works_whatever_happened_since(
    acme: Tenant, invitation: Message, events: Purpose, ana: Member, change: str
) -> None:
    address = place(invitation, events)
    with tenant_scope(acme):
        amara = Contact.objects.get()
        if change == "message gone":
            Message.objects.all().delete()
        elif change == "archived":
            Email.objects.update(is_archived=True)
        elif change == "purpose gone":
            Consent.objects.filter(purpose=events).delete()
            Email.objects.update(purpose=None)
            events.delete()
        elif change == "address changed":
            people.update_contact(amara, {"email": "new@lead.example"})
        else:
            deletion.deactivate(amara, by=ana)
    assert Client().get(address).status_code == 200
    assert Client().post(address).status_code == 200
    expected = "newsletter" if change == "purpose gone" else "events"
    assert refused(acme) == {(invitation.contact_id, expected)}


def test_who_was_merged_since_is_refused_as_whom_she_is_now(
    acme: Tenant, invitation: Message, events: Purpose, newsletter: Purpose, person: Any, ana: Member
) -> None:
    address = place(invitation, events)
    survivor = person("amara.o")
    with tenant_scope(acme):
        merging.merge(survivor, Contact.objects.get(pk=invitation.contact_id), by=ana)
    Client().post(address)
    assert (survivor.pk, "events") in refused(acme)


def test_a_deleted_contact_with_the_address_is_refused_too_and_comes_back_so(
    acme: Tenant, email: Email, person: Any, newsletter: Purpose, ana: Member
) -> None:
    first = person("amara")
    with tenant_scope(acme):
        deletion.deactivate(first, by=ana)
    second = person("amara")
    with tenant_scope(acme):
        consent.refuse(second, newsletter, source="link")
        deletion.deactivate(second, by=ana)
        deletion.restore(first, by=ana)
        assert eligibility.why_not(email, first.pk) == "no_consent"


def test_in_opt_out_mode_a_new_contact_with_a_refusing_address_is_not_mailed(
    acme: Tenant, email: Email, person: Any, newsletter: Purpose, events: Purpose, ana: Member
) -> None:
    first = person("amara", agreed=False)
    with tenant_scope(acme):
        Setting.objects.create(key=OPT_OUT_SETTING, value=True)
        consent.refuse(first, newsletter, source="link")
        deletion.deactivate(first, by=ana)
    second = person("amara", agreed=False)
    other = person("bela", agreed=False)
    with tenant_scope(acme):
        assert eligibility.why_not(email, second.pk) == "no_consent"
        assert eligibility.why_not(email, other.pk) == ""
        Email.objects.update(purpose=events)
        email.refresh_from_db()
        assert eligibility.why_not(email, second.pk) == "", "another purpose was not refused"
        Email.objects.update(purpose=newsletter)
        email.refresh_from_db()
        consent.grant(second, newsletter, basis="double opt-in", source="form")
        assert eligibility.why_not(email, second.pk) == ""


@pytest.mark.parametrize("level", range(6))
def test_commercial_mail_needs_level_four_and_transactional_mail_level_two(
    acme: Tenant, email: Email, person: Any, newsletter: Purpose, level: int
) -> None:
    amara = person("amara", agreed=False)
    with tenant_scope(acme):
        receipt = Email.objects.create(name="Receipt", designation=Email.Designation.TRANSACTIONAL)
        consent.grant(amara, newsletter, level=level, basis="form", source="test")
        assert (eligibility.why_not(email, amara.pk) == "") is (level >= 4)
        assert (eligibility.why_not(receipt, amara.pk) == "") is (level >= 2)


def test_the_ledger_only_grows(acme: Tenant, person: Any, newsletter: Purpose) -> None:
    amara = person("amara")
    with tenant_scope(acme):
        before = list(Consent.objects.values_list("pk", "state", "at"))
        consent.refuse(amara, newsletter, source="link")
        consent.grant(amara, newsletter, basis="form", source="test")
        assert list(Consent.objects.order_by("pk").values_list("pk", "state", "at"))[:1] == before
        assert list(Consent.objects.order_by("pk").values_list("state", flat=True)) == ["granted", "refused", "granted"]


def test_the_contacts_page_says_what_the_sender_will_do_in_either_mode(
    acme: Tenant, email: Email, person: Any, newsletter: Purpose
) -> None:
    silent = person("bela", agreed=False)
    with tenant_scope(acme):
        assert (mailability.answer(silent).may, eligibility.why_not(email, silent.pk)) == (False, "no_consent")
        Setting.objects.create(key=OPT_OUT_SETTING, value=True)
        assert (mailability.answer(silent).may, eligibility.why_not(email, silent.pk)) == (True, "")
        consent.refuse(silent, newsletter, source="link")
        assert (mailability.answer(silent).may, eligibility.why_not(email, silent.pk)) == (False, "no_consent")
