"""What an import writes: people, companies, leads, consent and timeline; whom it matches; what it refuses."""

import pytest

from contacts import consent, people, search
from contacts.models import Account, Consent, Contact, Field, Interaction, MatchAmbiguity, Purpose
from leads.models import Lead
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.leads.files import PEOPLE, as_csv, begin, go, imported, refusals, tried

pytestmark = pytest.mark.django_db(transaction=True)


def test_people_and_companies_are_made_and_found(acme: Tenant) -> None:
    counts = imported(acme, as_csv(PEOPLE))
    assert (counts["new"], counts["refused"], counts["accounts_new"]) == (3, 0, 2)
    with tenant_scope(acme):
        amara = Contact.objects.get(email="amara@contoso.example")
        assert (amara.first_name, amara.job_title, amara.sort_key) == ("Amara", "Head of IT", "okafor amara")
        assert amara.account == Account.objects.get(domain="contoso.example")
        assert Contact.objects.get(email="jonas@contoso.example").account_id == amara.account_id
        fabrikam = Account.objects.get(name="Fabrikam")
        assert fabrikam.domain == "", "a mail provider's domain is no company's"
        assert search.find("okaf") == [("contact", amara.pk)]
        assert set(search.find("contoso", kinds=["account"])) == {("account", amara.account_id)}
        rows = Interaction.objects.filter(kind="contact.created")
        assert {row.lane for row in rows} == {"bulk"}
        assert {row.account_id for row in rows} == {amara.account_id, fabrikam.pk}


def test_a_second_import_changes_what_differs_and_leaves_the_rest(acme: Tenant) -> None:
    imported(acme, as_csv(PEOPLE))
    rows = [PEOPLE[0], ["AMARA@contoso.example ", "", "", "", "CIO"], *PEOPLE[2:]]
    counts = imported(acme, as_csv(rows))
    assert (counts["new"], counts["changed"], counts["matched"]) == (0, 1, 2)
    with tenant_scope(acme):
        amara = Contact.objects.get(email="amara@contoso.example")
        assert (amara.first_name, amara.job_title) == ("Amara", "CIO"), "an empty cell changes nothing"
        told = Interaction.objects.get(kind="contact.changed")
        assert told.detail == {"fields": {"job_title": ["Head of IT", "CIO"]}, "names": "job title"}
        assert Account.objects.count() == 2


@pytest.mark.parametrize(
    ("policy", "title", "city"), [("overwrite", "CIO", "Bonn"), ("fill", "Buyer", "Bonn"), ("leave", "Buyer", "")]
)
def test_the_policy_says_what_becomes_of_known_values(acme: Tenant, policy: str, title: str, city: str) -> None:
    with tenant_scope(acme):
        known = people.create_contact({"email": "a@b.example", "job_title": "Buyer"})
    imported(acme, as_csv([["mail", "title", "city"], ["a@b.example", "CIO", "Bonn"]]), update=policy)
    with tenant_scope(acme):
        known.refresh_from_db()
        assert (known.job_title, known.city) == (title, city)


def test_rows_about_one_person_are_written_as_one_in_their_order(acme: Tenant) -> None:
    rows = [
        ["mail", "title", "city"],
        ["a@b.example", "CIO", ""],
        ["A@B.example", "CEO", "Bonn"],
        ["c@b.example", "", ""],
    ]
    counts = imported(acme, as_csv(rows))
    assert (counts["new"], counts["matched"]) == (2, 1)
    with tenant_scope(acme):
        assert Contact.objects.values_list("job_title", "city").get(email="a@b.example") == ("CEO", "Bonn")


def test_people_are_matched_by_what_is_chosen_and_by_a_taken_address(acme: Tenant) -> None:
    with tenant_scope(acme):
        by_id = people.create_contact({"email": "old@b.example", "external_id": "7"})
        taken = people.create_contact({"email": "taken@b.example"})
    rows = [
        ["id", "mail", "city"],
        ["7", "new@b.example", "Bonn"],
        ["8", "taken@b.example", "Ulm"],
        ["9", "x@b.example", "Jena"],
    ]
    counts = imported(acme, as_csv(rows), match_by="external_id")
    assert (counts["new"], counts["changed"]) == (1, 2)
    with tenant_scope(acme):
        assert Contact.objects.get(pk=by_id.pk).email == "new@b.example"
        assert Contact.objects.values_list("city", "external_id").get(pk=taken.pk) == ("Ulm", "8")


def test_no_contact_gets_an_address_that_another_has(acme: Tenant) -> None:
    with tenant_scope(acme):
        people.create_contact({"email": "old@b.example", "external_id": "7"})
        people.create_contact({"email": "taken@b.example"})
    imported(acme, as_csv([["id", "mail", "city"], ["7", "taken@b.example", "Bonn"]]), match_by="external_id")
    with tenant_scope(acme):
        assert Contact.objects.values_list("email", "city").get(external_id="7") == ("old@b.example", "Bonn")


def test_of_several_candidates_the_latest_is_taken_and_the_others_are_offered(acme: Tenant) -> None:
    with tenant_scope(acme):
        first = people.create_contact({"phone": "+493012345678", "last_name": "One"})
        second = people.create_contact({"phone": "+493012345678", "last_name": "Two"})
        people.update_contact(first, {"city": "Bonn"})
        Contact.objects.filter(pk=second.pk).update(updated_at="2020-01-01T00:00Z")
    counts = imported(acme, as_csv([["phone", "city"], ["030 12345678", "Ulm"]]), match_by="phone")
    assert counts["ambiguous"] == 1
    with tenant_scope(acme):
        offered = MatchAmbiguity.objects.get()
        assert (offered.chosen_id, offered.others) == (first.pk, [second.pk])
        assert Contact.objects.get(pk=first.pk).city == "Ulm"


def test_names_match_within_a_company(acme: Tenant) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": "Contoso"})
        priya = people.create_contact({"first_name": "Priya", "last_name": "Raman"}, account=account)
    rows = [
        ["first", "last", "company", "city"],
        ["Priya", "Raman", "CONTOSO Ltd.", "Bonn"],
        ["Priya", "Raman", "Initech", "Ulm"],
    ]
    counts = imported(acme, as_csv(rows), match_by="name")
    assert (counts["new"], counts["changed"]) == (1, 1)
    with tenant_scope(acme):
        priya.refresh_from_db()
        assert priya.city == "Bonn"


def test_flags_are_raised_and_never_lowered(acme: Tenant) -> None:
    with tenant_scope(acme):
        people.create_contact({"email": "a@b.example", "do_not_email": True})
        people.create_contact({"email": "c@b.example"})
    imported(acme, as_csv([["mail", "do not email"], ["a@b.example", "no"], ["c@b.example", "yes"]]))
    with tenant_scope(acme):
        assert set(Contact.objects.values_list("do_not_email", flat=True)) == {True}


def test_own_fields_are_made_and_filled(acme: Tenant) -> None:
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="plan", label="Plan", type="choice", options=["Basic", "Pro"])
    rows = [
        ["mail", "plan", "Seats", "Since"],
        ["a@b.example", "pro", "1,200", "3/4/2025"],
        ["b@b.example", "gold", "1", ""],
    ]
    columns = {
        "mail": "contact.email",
        "plan": "contact.custom.plan",
        "Seats": "new:contact:number",
        "Since": "new:contact:date",
    }
    counts = imported(acme, as_csv(rows), columns, is_day_first=True)
    assert (counts["new"], counts["refused"]) == (1, 1)
    with tenant_scope(acme):
        assert Contact.objects.get().custom == {"plan": "Pro", "seats": 1200, "since": "2025-04-03"}
        assert Field.objects.get(key="since").type == "date"
    assert refusals(acme) == [(3, "plan: “gold” – not one of Basic, Pro")]


def test_letters_that_mean_something_to_the_database_are_kept(acme: Tenant) -> None:
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="path", label="Path", type="text")
    said = ["\\N", "\\.", "a\\tb\\", 'C:\\new "x"\u2028']
    imported(acme, as_csv([["mail", "first", "last", "title", "path"], ["a@b.example", *said]]))
    with tenant_scope(acme):
        known = Contact.objects.get()
        assert (known.first_name, known.last_name, known.job_title) == tuple(said[:3])
        assert known.custom == {"path": 'C:\\new "x"'}
    turned = [["mail", "first", "path"], ["a@b.example", "\\\\N", '"\\"']]
    assert imported(acme, as_csv(turned))["changed"] == 1
    with tenant_scope(acme):
        known.refresh_from_db()
        assert (known.first_name, known.custom) == ("\\\\N", {"path": '"\\"'})


def test_a_value_that_cannot_be_read_may_be_left_out_instead(acme: Tenant) -> None:
    rows = [["mail", "phone"], ["a@b.example", "call me"], ["no address", "030 12345678"]]
    counts = imported(acme, as_csv(rows), on_fault="drop")
    assert (counts["new"], counts["refused"]) == (1, 1)
    assert refusals(acme)[0][1].endswith("not an e-mail address")


def test_who_keeps_another_address_than_the_files_agrees_to_nothing_by_it(acme: Tenant) -> None:
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="News", is_default=True)
        known = people.create_contact({"last_name": "Okafor", "phone": "+4930901820", "email": "hers@contoso.example"})
    rows = [["email", "phone"], ["old@contoso.example", "030 901820"], ["new@contoso.example", "030 901821"]]
    imported(acme, as_csv(rows), match_by="phone", update="fill", purpose_id=news.pk, basis="fair")
    with tenant_scope(acme):
        known.refresh_from_db()
        assert (known.email, known.consent_level) == ("hers@contoso.example", 0)
        assert list(Consent.objects.values_list("address", flat=True)) == ["new@contoso.example"]


def test_consent_is_noted_with_basis_source_and_date(acme: Tenant) -> None:
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="News", is_default=True)
        known = people.create_contact({"email": "amara@contoso.example"})
        gone = people.create_contact({"email": "jonas@contoso.example"})
        consent.refuse(gone, news, source="link")
    answers = {"purpose_id": news.pk, "basis": "fair", "consent_source": "Hannover 2026", "consented_on": "2026-04-20"}
    counts = imported(acme, as_csv(PEOPLE), **answers)
    assert (counts["agreed"], counts["mailable"], counts["refused_before"]) == (2, 2, 1)
    with tenant_scope(acme):
        row = Consent.objects.get(contact=known)
        assert (row.basis, row.source, row.at.date().isoformat()) == ("fair", "Hannover 2026", "2026-04-20")
        levels = dict(Contact.objects.values_list("email", "consent_level"))
        assert levels == {"amara@contoso.example": 4, "jonas@contoso.example": 0, "wei@gmail.com": 4}
        told = Interaction.objects.get(kind="consent.granted", contact_id=known.pk)
        assert told.occurred_at == row.at
    assert imported(acme, as_csv(PEOPLE), **answers)["agreed"] == 0, "whoever has agreed need not again"


def test_a_refusal_holds_for_the_address_though_its_contact_is_gone(acme: Tenant) -> None:
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="News", is_default=True)
        gone = people.create_contact({"email": "amara@contoso.example"})
        consent.refuse(gone, news, source="link")
        Contact.objects.filter(pk=gone.pk).update(is_active=False)
    counts = imported(acme, as_csv(PEOPLE), purpose_id=news.pk, basis="fair")
    assert (counts["new"], counts["refused_before"], counts["mailable"]) == (3, 1, 2)


def test_rows_make_leads_once_however_often_the_file_comes(acme: Tenant) -> None:
    rows = [
        ["mail", "company", "subject", "notes"],
        ["a@b.example", "B", "Pumps", "by spring"],
        ["a@b.example", "B", "Valves", ""],
    ]
    assert imported(acme, as_csv(rows))["leads_new"] == 2
    assert imported(acme, as_csv(rows))["leads_new"] == 0
    with tenant_scope(acme):
        lead = Lead.objects.get(topic="Pumps")
        assert lead.contact == Contact.objects.get(email="a@b.example")
        assert (lead.description, lead.email, lead.source) == ("by spring", "", "import")
        assert Interaction.objects.filter(kind="lead.created").count() == 2


def test_leads_of_strangers_may_wait_for_matching(acme: Tenant) -> None:
    with tenant_scope(acme):
        people.create_contact({"email": "a@b.example"})
    rows = [
        ["mail", "last", "company", "subject"],
        ["a@b.example", "A", "B", "Pumps"],
        ["x@y.example", "X", "Y", "Valves"],
    ]
    counts = imported(acme, as_csv(rows), strangers="leave")
    assert counts["leads_new"] == 2
    with tenant_scope(acme):
        waiting = Lead.objects.get(contact=None)
        assert (waiting.email, waiting.last_name, waiting.company) == ("x@y.example", "X", "Y")
        assert Contact.objects.count() == 1
        assert not Account.objects.filter(name="Y").exists()


def test_companies_alone(acme: Tenant) -> None:
    with tenant_scope(acme):
        people.create_account({"name": "Contoso", "domain": "contoso.example"})
    rows = [
        ["Company", "Website", "Employees"],
        ["Contoso AG", "https://www.contoso.example/x", "1.200"],
        ["Fabrikam", "", "7"],
        ["", "a.example", ""],
    ]
    counts = imported(acme, as_csv(rows), entity="account")
    assert (counts["new"], counts["changed"], counts["refused"]) == (1, 1, 1)
    with tenant_scope(acme):
        contoso = Account.objects.get(domain="contoso.example")
        assert (contoso.name, contoso.employees) == ("Contoso AG", 1200)
        assert Account.objects.get(name="Fabrikam").employees == 7
        assert Contact.objects.count() == 0


def test_a_trial_counts_the_same_and_changes_nothing(acme: Tenant) -> None:
    with tenant_scope(acme):
        people.create_contact({"email": "amara@contoso.example", "first_name": "Amara"})
        before = list(Contact.objects.values())
    counts = tried(acme, as_csv(PEOPLE))
    with tenant_scope(acme):
        assert list(Contact.objects.values()) == before
        assert not Account.objects.exists()
        assert Interaction.objects.filter(lane="bulk").count() == 0
    assert counts == imported(acme, as_csv(PEOPLE))


def test_a_trial_counts_a_person_of_two_pieces_once(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leads.importing.pieces.SIZE", 2)
    content = as_csv([*PEOPLE, *PEOPLE[1:]])
    assert tried(acme, content)["new"] == 3
    assert imported(acme, content)["new"] == 3


def test_a_trial_shows_who_may_be_known_and_the_answer_counts(acme: Tenant) -> None:
    with tenant_scope(acme):
        known = people.create_contact({"first_name": "Amara", "last_name": "Okafor", "email": "old@contoso.example"})
    batch = begin(acme, as_csv(PEOPLE))
    go(acme, batch, "leads.import_trial")
    with tenant_scope(acme):
        [entry] = batch.pieces.get(is_trial=True).alike
        assert (entry["line"], entry["ids"], entry["why"]) == (2, [known.pk], "name")
        batch.options["decided"] = {"2": str(known.pk), "3": "skip"}
        batch.save()
    counts = go(acme, batch).result["counts"]
    assert (counts["new"], counts["changed"], counts["refused"]) == (1, 1, 1)
    with tenant_scope(acme):
        known.refresh_from_db()
        assert known.email == "amara@contoso.example"
