"""Who can be mailed, and the one reason why not."""

from datetime import timedelta

import pytest
from django.utils import timezone
from psycopg import sql

from contacts import consent
from contacts.consent import OPT_OUT_SETTING
from contacts.models import ConsentLevel, Contact, Purpose
from messaging import eligibility
from messaging.models import Email, Suppression
from tenants.models import Setting
from tenants.scope import tenant_scope


def reason(email: Email, contact: Contact) -> str:
    return eligibility.why_not(email, contact.pk)


def test_who_agreed_can_be_mailed_and_who_said_nothing_cannot(acme, email, person) -> None:
    amara, bela = person("amara"), person("bela", agreed=False)
    with tenant_scope(acme):
        assert (reason(email, amara), reason(email, bela)) == ("", "no_consent")


def test_the_latest_word_holds_and_only_for_its_purpose(acme, email, person, newsletter) -> None:
    amara = person("amara")
    with tenant_scope(acme):
        other = Purpose.objects.create(key="events", name="Events")
        consent.refuse(amara, other, source="test")
        assert reason(email, amara) == ""
        consent.refuse(amara, newsletter, source="test")
        assert reason(email, amara) == "no_consent"
        consent.grant(amara, newsletter, basis="form", source="test")
        assert reason(email, amara) == ""
        consent.grant(amara, newsletter, level=ConsentLevel.SUBSCRIPTIONS, basis="form", source="test")
        assert reason(email, amara) == "no_consent"


def test_in_opt_out_mode_silence_means_yes(acme, email, person, newsletter) -> None:
    bela = person("bela", agreed=False)
    with tenant_scope(acme):
        Setting.objects.create(key=OPT_OUT_SETTING, value=True)
        assert reason(email, bela) == ""
        consent.refuse(bela, newsletter, source="test")
        assert reason(email, bela) == "no_consent"


@pytest.mark.parametrize(
    ("change", "commercial", "transactional"),
    [
        ({"is_active": False}, "inactive", "inactive"),
        ({"email": ""}, "no_address", "no_address"),
        ({"do_not_email": True}, "do_not_email", "do_not_email"),
        ({"do_not_bulk_email": True}, "do_not_bulk_email", ""),
        ({"consent_level": 1}, "", "no_consent"),
    ],
)
def test_what_stops_which_kind_of_mail(acme, email, person, change, commercial, transactional) -> None:
    amara = person("amara")
    with tenant_scope(acme):
        notice = Email.objects.create(name="Receipt", designation=Email.Designation.TRANSACTIONAL)
        Contact.objects.filter(pk=amara.pk).update(**change)
        assert (reason(email, amara), reason(notice, amara)) == (commercial, transactional)


@pytest.mark.parametrize(
    ("suppression", "stops"),
    [
        ({"reason": "complaint"}, True),
        ({"reason": "hard_bounce", "until": timedelta(days=1)}, True),
        ({"reason": "hard_bounce", "until": timedelta(days=-1)}, False),
        ({"reason": "soft_bounces", "soft_bounces": 4}, False),
        ({"reason": "soft_bounces", "soft_bounces": 5}, True),
    ],
)
def test_a_suppressed_address_is_not_mailed(acme, email, person, suppression, stops) -> None:
    amara = person("amara")
    with tenant_scope(acme):
        until = suppression.pop("until", None)
        moment = timezone.now() + until if until else None
        Suppression.objects.create(address=amara.email, until=moment, **suppression)
        assert reason(email, amara) == ("suppressed" if stops else "")


def test_the_summary_counts_reasons_among_the_contacts_asked_about(acme, email, person) -> None:
    asked = [person("amara"), person("bela", agreed=False), person("cleo", agreed=False)]
    person("dora", agreed=False)
    with tenant_scope(acme):
        Contact.objects.filter(pk=asked[2].pk).update(do_not_email=True)
        ids = sql.SQL("SELECT unnest({}::bigint[])").format(sql.Literal([contact.pk for contact in asked]))
        assert eligibility.summary(email, ids) == {"do_not_email": 1, "no_consent": 1}
