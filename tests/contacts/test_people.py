import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from contacts import consent, matching, normalise, people, search
from contacts.models import Account, Contact, Field, Interaction, MatchAmbiguity, Purpose
from tenants.models import Tenant
from tenants.scope import tenant_scope


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH", "MUELLER"),
        ("Acme Inc.", "acme, inc"),
        ("L.M.N. S.A.", "LMN"),
        ("Société Générale SA", "Societe Generale"),
    ],
)
def test_company_names_compare_without_case_accents_and_legal_form(one: str, other: str) -> None:
    same = normalise.company_key(one) == normalise.company_key(other)
    assert same is (other != "MUELLER"), (normalise.company_key(one), normalise.company_key(other))


def test_a_company_that_is_only_a_legal_form_keeps_its_name() -> None:
    assert normalise.company_key("Group AG") == "group ag"


@pytest.mark.parametrize(
    ("entered", "country", "stored"),
    [
        ("030 901820", "DE", "+4930901820"),
        ("+44 20 7946 0123", "", "+442079460123"),
        ("(312) 555-0123", "us", "+13125550123"),
    ],
)
def test_phones_are_stored_as_e164(entered: str, country: str, stored: str) -> None:
    assert normalise.phone(entered, country) == stored


_CODES = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]


@given(code=st.sampled_from(_CODES), national=st.from_regex(r"[0-9]{3,12}", fullmatch=True))
@example(code="49", national="030901820")  # the 0 that is dialled within the country is no part of the number
@example(code="39", national="0612345678")  # in Italy it is
@example(code="44", national="2079460123")
@example(code="1", national="3125550123")
@example(code="999", national="123456789")
def test_numbers_in_e164_come_to_what_the_library_makes_of_them(code: str, national: str) -> None:
    text = f"+{code}{national}"
    try:
        parsed = phonenumbers.parse(text)
        is_possible = phonenumbers.is_possible_number(parsed)
    except phonenumbers.NumberParseException:
        is_possible = False
    if is_possible:
        assert normalise.phone(text) == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    else:
        with pytest.raises(ValueError, match=r"\S"):
            normalise.phone(text)


def test_a_contact_is_stored_normalised_found_by_search_and_on_the_timeline(acme: Tenant) -> None:
    with tenant_scope(acme):
        made = people.create_contact({"first_name": " Zoë ", "last_name": "Lindström", "email": " Zoe@Example.COM "})
        assert (made.email, made.first_name, made.sort_key) == ("zoe@example.com", "Zoë", "lindstrom zoe")
        assert search.find("linds zo") == [("contact", made.pk)]
        assert search.find("zoe@example") == [("contact", made.pk)]
        assert search.find("lindx") == []
        assert Interaction.objects.filter(kind="contact.created", contact_id=made.pk).exists()


def test_wrong_values_are_refused_by_the_name_of_their_field(acme: Tenant) -> None:
    with tenant_scope(acme), pytest.raises(ValidationError) as caught:
        people.create_contact({"first_name": "x" * 101, "phone": "what?", "email": "a@example.com"})
    assert set(caught.value.message_dict) == {"first_name", "phone"}


def test_an_own_field_is_checked_by_its_type(acme: Tenant) -> None:
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="seats", label="Seats", type="number")
        made = people.create_contact({"first_name": "A", "custom": {"seats": "12"}})
        assert made.custom == {"seats": 12}
        with pytest.raises(ValidationError, match="whole number"):
            people.update_contact(made, {"custom": {"seats": "many"}})
        with pytest.raises(ValidationError, match="no field"):
            people.update_contact(made, {"custom": {"gone": "1"}})


def test_a_change_that_changes_nothing_is_not_recorded(acme: Tenant) -> None:
    with tenant_scope(acme):
        made = people.create_contact({"first_name": "A", "city": "Bonn"})
        assert people.update_contact(made, {"city": "Bonn"}) == {}
        assert people.update_contact(made, {"city": "Ulm"}) == {"city": ["Bonn", "Ulm"]}
        assert Interaction.objects.filter(kind="contact.changed").count() == 1


def test_a_submission_matches_by_address_whatever_its_case_and_fills_what_is_known(acme: Tenant) -> None:
    with tenant_scope(acme):
        known = people.create_contact({"email": "eva@firma.example", "first_name": "Eva"})
        match = matching.match_contact(
            {"email": "EVA@firma.example", "job_title": "Head of IT", "first_name": "", "company": "Firma GmbH"},
            source="t",
        )
        assert (match.contact.pk, match.is_new) == (known.pk, False)
        known.refresh_from_db()
        assert (known.first_name, known.job_title, known.account.name) == ("Eva", "Head of IT", "Firma GmbH")
        assert known.account.domain == "firma.example"


def test_values_that_lack_the_strategys_field_make_a_new_contact(acme: Tenant) -> None:
    with tenant_scope(acme):
        first = matching.match_contact({"first_name": "No", "last_name": "Address"}, source="t")
        second = matching.match_contact({"first_name": "No", "last_name": "Address"}, source="t")
        assert first.is_new
        assert second.is_new
        assert first.contact.pk != second.contact.pk


def test_of_several_hits_the_latest_is_taken_and_the_ambiguity_kept(acme: Tenant) -> None:
    with tenant_scope(acme):
        old = people.create_contact({"phone": "+4930901820", "last_name": "Old"})
        new = people.create_contact({"phone": "+4930901820", "last_name": "New"})
        Contact.objects.filter(pk=old.pk).update(updated_at="2020-01-01 00:00+00")
        match = matching.match_contact({"phone": "030 901820", "country": "DE"}, strategy=("phone",), source="t")
        assert (match.contact.pk, match.ambiguous) == (new.pk, [old.pk])
        assert MatchAmbiguity.objects.get().others == [old.pk]


def test_a_mail_providers_domain_never_makes_or_finds_an_account(acme: Tenant) -> None:
    with tenant_scope(acme):
        Account.objects.create(name="Google", name_key="google", domain="gmail.com")
        match = matching.match_contact({"email": "someone@gmail.com"}, source="t")
        assert match.contact.account is None
        assert Account.objects.count() == 1


def test_companies_of_one_name_in_two_countries_are_two_accounts(acme: Tenant) -> None:
    with tenant_scope(acme):
        german = matching.match_or_create_account(name="Beacon GmbH", country="DE")
        british = matching.match_or_create_account(name="Beacon Ltd", country="GB")
        assert german != british
        assert matching.match_account(name="beacon", country="GB") == british


def test_refusing_holds_for_the_address_and_lowers_the_level(acme: Tenant) -> None:
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="News", is_default=True)
        contact = people.create_contact({"email": "a@example.com"})
        consent.grant(contact, news, basis="opt-in", source="form")
        assert contact.consent_level == 4
        assert consent.refuse("A@example.com", news, source="link") == 1
        contact.refresh_from_db()
        assert contact.consent_level == 0
        assert [s.state for s in consent.state_of(contact)] == ["refused"]


def test_the_ledger_keeps_every_statement(acme: Tenant) -> None:
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="News")
        contact = people.create_contact({"email": "a@example.com"})
        for _ in range(2):
            consent.grant(contact, news, basis="opt-in", source="form", text_shown="Yes, please")
        consent.refuse(contact, news, source="link")
        assert list(contact.consents.order_by("pk").values_list("state", flat=True)) == [
            "granted",
            "granted",
            "refused",
        ]
