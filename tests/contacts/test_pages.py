"""The pages of contacts and accounts."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts import consent, duplicates, facts, people, roles, timeline
from contacts.models import Account, Contact, ContactFacts, Field, Interaction, MatchAmbiguity, Purpose
from segments import membership
from segments.models import Segment
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

Clients = Callable[..., Client]
XSS = "<script>alert(1)</script>"


@pytest.fixture
def amara(acme: Tenant) -> Contact:
    """A contact at a company, with a note on her timeline."""
    with tenant_scope(acme):
        account = people.create_account({"name": "Tailspin GmbH", "domain": "tailspin.example", "city": "Bonn"})
        values = {"first_name": "Amara", "last_name": "Okafor", "email": "amara@tailspin.example", "job_title": "CFO"}
        return people.create_contact(values, account=account)


def queries_of(client: Client, path: str) -> int:
    """How many queries of tables a page makes; what opens and closes transactions and scopes is not counted."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return sum(" FROM " in query["sql"] for query in captured.captured_queries)


def test_the_list_shows_who_there_is(amara: Contact, max_: Member, client_of: Clients) -> None:
    page = client_of(max_).get("/audience/contacts/").content.decode()
    assert "Amara Okafor" in page
    assert "Tailspin GmbH" in page
    assert "1 contact" in page


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("q=oka", True),
        ("q=tailspin+ama", True),
        ("q=nobody", False),
        ("consent=none", True),
        ("consent=granted", False),
        ("owner=none", True),
        ("owner=me", False),
        ("order=score", True),
        ("order=latest", True),
        ("stage=what&consent=ever&owner=x&order=y&after=!!&before=%00&in=a:b", True),
        ("owner=99999999999999999999", True),
    ],
)
def test_filters_narrow_the_list_and_unknown_ones_are_ignored(
    query: str, is_found: bool, amara: Contact, acme: Tenant, max_: Member, client_of: Clients
) -> None:
    with tenant_scope(acme):
        facts.refresh([amara.pk])
    page = client_of(max_).get(f"/audience/contacts/?{query}")
    assert page.status_code == 200
    assert ("Amara Okafor" in page.content.decode()) is is_found


def test_a_swap_answers_with_the_rows_alone(amara: Contact, max_: Member, client_of: Clients) -> None:
    page = client_of(max_).get("/audience/contacts/", headers={"HX-Request": "true"}).content.decode()
    assert page.strip().startswith('<div id="rows">')
    assert "Amara" in page


def test_a_chip_takes_its_filter_off_and_leaves_the_others(amara: Contact, max_: Member, client_of: Clients) -> None:
    page = client_of(max_).get("/audience/contacts/?owner=none&consent=none&after=x").content.decode()
    assert 'href="/t/acme/audience/contacts/?owner=none"' in page
    assert 'href="/t/acme/audience/contacts/?consent=none"' in page


def test_pages_by_key_show_everybody_once(acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        for number in range(120):
            people.create_contact(
                {"first_name": "Same", "last_name": f"Name{number:03}", "email": f"{number}@example.com"}
            )
        facts.refresh(Contact.objects.values_list("pk", flat=True))
    client = client_of(max_)
    for order in ("name", "latest", "score"):
        seen: list[int] = []
        query = f"?order={order}"
        while query:
            listing = client.get(f"/audience/contacts/{query}").context["listing"]
            seen += [contact.pk for contact in listing.page.rows]
            query = f"?order={order}&after={listing.page.after}" if listing.page.after else ""
        assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("path", ["/audience/contacts/", "/audience/contacts/?order=score", "/audience/accounts/"])
def test_a_list_asks_as_often_for_fifty_as_for_one(path: str, acme: Tenant, max_: Member, client_of: Clients) -> None:
    def add(count: int, start: int) -> None:
        with tenant_scope(acme):
            for number in range(start, start + count):
                account = people.create_account({"name": f"Company {number}"})
                people.create_contact({"last_name": f"N{number}", "owner": max_}, account=account)
            facts.refresh(Contact.objects.values_list("pk", flat=True))

    client = client_of(max_)
    add(1, 0)
    few = queries_of(client, path)
    add(49, 1)
    assert queries_of(client, path) == few
    assert few <= 13


def test_a_contacts_page_asks_as_often_for_a_long_life_as_for_a_short_one(
    amara: Contact, acme: Tenant, max_: Member, client_of: Clients
) -> None:
    client = client_of(max_)
    with tenant_scope(acme):
        people.write_note("First", by=max_, contact=amara)
    few = queries_of(client, f"/audience/contacts/{amara.pk}/")
    with tenant_scope(acme):
        for number in range(50):
            people.write_note(f"Note {number}", by=max_, contact=amara)
    assert queries_of(client, f"/audience/contacts/{amara.pk}/") == few
    assert few <= 20, "panels of other apps and the shell included"


def test_markup_in_names_is_shown_as_text_everywhere(acme: Tenant, ana: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        account = people.create_account({"name": XSS, "city": XSS, "industry": XSS})
        contact = people.create_contact(
            {"first_name": XSS, "job_title": XSS, "email": "x@example.com"}, account=account
        )
        twin = people.create_contact({"first_name": XSS, "last_name": XSS}, account=account)
        people.write_note(XSS, by=ana, contact=contact)
        people.update_contact(contact, {"city": XSS}, by=ana)
        roles.give(account, contact, "champion", by=ana)
        Field.objects.create(entity="contact", key="own", label=XSS)
        people.update_contact(contact, {"custom": {"own": XSS}}, by=ana)
        MatchAmbiguity.objects.create(chosen=contact, others=[twin.pk], reason=XSS)
    client = client_of(ana)
    for path in [
        "contacts/", f"contacts/?q={XSS}", f"contacts/{contact.pk}/", f"contacts/{contact.pk}/edit/", "accounts/",
        f"accounts/{account.pk}/", f"accounts/{account.pk}/edit/", f"accounts/{account.pk}/people/", "duplicates/",
        f"duplicates/compare/?keep={contact.pk}&other={twin.pk}", "fields/", f"contact/{contact.pk}/timeline/",
        f"account/{account.pk}/timeline/", "contacts/companies/?company=script",
    ]:  # fmt: skip
        page = client.get(f"/audience/{path}")
        assert page.status_code == 200, path
        assert "<script>alert" not in page.content.decode(), path


def test_a_contact_is_added_with_her_company_and_own_fields(acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="seats", label="Seats", type="number")
    form = {"first_name": "Eva", "email": "Eva@New.example", "company": "New Ltd", "country": "GB", "custom_seats": "7"}
    assert client_of(max_).post("/audience/contacts/new/", form).status_code == 302
    with tenant_scope(acme):
        eva = Contact.objects.select_related("account").get(email="eva@new.example")
        assert (eva.account.name, eva.account.domain, eva.custom) == ("New Ltd", "new.example", {"seats": 7})


def test_a_contact_without_anything_is_refused(max_: Member, client_of: Clients) -> None:
    answer = client_of(max_).post("/audience/contacts/new/", {"city": "Bonn"})
    assert answer.status_code == 422
    assert 'value="Bonn"' in answer.content.decode()


def test_an_address_that_somebody_has_is_refused_at_its_field(amara: Contact, max_: Member, client_of: Clients) -> None:
    answer = client_of(max_).post("/audience/contacts/new/", {"email": amara.email})
    assert answer.status_code == 422
    assert "Another contact already has this e-mail address." in answer.content.decode()


def test_editing_changes_what_was_changed_and_says_so_on_the_timeline(
    amara: Contact, acme: Tenant, max_: Member, client_of: Clients
) -> None:
    client = client_of(max_)
    form = client.get(f"/audience/contacts/{amara.pk}/edit/").context["form"]
    values = {name: form[name].value() or "" for name in form.fields if form[name].value()}
    client.post(f"/audience/contacts/{amara.pk}/edit/", {**values, "job_title": "CEO", "company": ""})
    with tenant_scope(acme):
        amara.refresh_from_db()
        assert (amara.job_title, amara.account) == ("CEO", None)
        change = Interaction.objects.get(kind="contact.changed")
        assert set(change.detail["fields"]) == {"job_title", "account"}
        assert change.actor_id == max_.pk
    page = client.get(f"/audience/contacts/{amara.pk}/").content.decode()
    assert "CFO → CEO" in page


def test_an_analyst_may_look_but_not_change(amara: Contact, ava: Member, client_of: Clients) -> None:
    client = client_of(ava)
    page = client.get(f"/audience/contacts/{amara.pk}/").content.decode()
    assert "Add note" not in page
    assert client.post(f"/audience/contact/{amara.pk}/note/", {"text": "x"}).status_code == 403
    assert client.post("/audience/contacts/bulk/", {"action": "delete", "ids": amara.pk}).status_code == 403


def test_consent_is_said_in_words_and_noted_with_proof(
    amara: Contact, acme: Tenant, max_: Member, client_of: Clients
) -> None:
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="Newsletter")
    client, path = client_of(max_), f"/audience/contacts/{amara.pk}/"
    assert "No: never agreed to anything." in client.get(path).content.decode()
    assert client.post(f"{path}consent/", {"purpose": news.pk, "state": "granted"}).status_code == 422
    client.post(f"{path}consent/", {"purpose": news.pk, "state": "granted", "basis": "on the phone"})
    assert "Yes, about: Newsletter." in client.get(path).content.decode()
    client.post(f"{path}consent/", {"purpose": news.pk, "state": "refused"})
    assert "No: unsubscribed from Newsletter" in client.get(path).content.decode()
    with tenant_scope(acme):
        assert consent.refused_among([amara.pk]) == {amara.pk}


def test_the_timeline_is_narrowed_by_group_and_continues(
    amara: Contact, acme: Tenant, max_: Member, client_of: Clients
) -> None:
    with tenant_scope(acme):
        for number in range(60):
            people.write_note(f"Note-{number:02}-", by=max_, contact=amara)
    client, path = client_of(max_), f"/audience/contact/{amara.pk}/timeline/"
    first = client.get(path)
    mark = first.context["timeline"].before
    older = client.get(path, {"before": mark}).content.decode()
    notes = [f"Note-{number:02}-" for number in range(60)]
    assert all((note in first.content.decode()) != (note in older) for note in notes)
    assert "Contact created" not in older
    assert "Was created" in older
    assert "Was created" not in client.get(path, {"group": "sales"}).content.decode()
    for bad in ("x", "2026-01-01|1", "2026-13-01T00:00Z|1", "2026-01-01T00:00:00+00:00|x"):
        assert client.get(path, {"before": bad, "group": "what"}).status_code == 200


def test_the_timeline_says_why(amara: Contact, acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        cause = timeline.record("consent.granted", contact=amara, detail={"purpose": "News", "source": "form 7"})
        row = Interaction.objects.get(pk=cause)
        timeline.record("note.written", contact=amara, cause=row, detail={"text": "Call her"})
    page = client_of(max_).get(f"/audience/contacts/{amara.pk}/").content.decode()
    assert "Because: agreed to News (form 7)" in page


def test_an_accounts_timeline_names_its_people(amara: Contact, max_: Member, client_of: Clients) -> None:
    page = client_of(max_).get(f"/audience/accounts/{amara.account_id}/").content.decode()
    assert ">Amara Okafor</a> was created (manual)" in page
    assert ">Tailspin GmbH</a> was created" in page


def test_roles_show_who_is_known_and_who_is_missing(
    amara: Contact, acme: Tenant, max_: Member, client_of: Clients
) -> None:
    client, path = client_of(max_), f"/audience/accounts/{amara.account_id}/"
    assert client.get(path).content.decode().count("Nobody known") == 4
    form = {"contact": amara.pk, "kind": "decision_maker"}
    assert client.post(f"{path}roles/", form).status_code == 302
    assert client.get(path).content.decode().count("Nobody known") == 3
    with tenant_scope(acme):
        role = amara.roles.get()
    assert client.post(f"/audience/roles/{role.pk}/take/").status_code == 302
    assert client.get(path).content.decode().count("Nobody known") == 4


def test_bulk_actions_say_what_they_did(amara: Contact, acme: Tenant, max_: Member, client_of: Clients) -> None:
    client = client_of(max_)
    done = client.post(
        "/audience/contacts/bulk/", {"action": "owner", "ids": [amara.pk], "choice-owner": max_.pk}, follow=True
    )
    assert "1 contact has a new owner." in done.content.decode()
    with tenant_scope(acme):
        amara.refresh_from_db()
        assert amara.owner_id == max_.pk
    for bad in (
        {},
        {"action": "what"},
        {"action": "owner", "ids": "x"},
        {"action": "owner", "ids": 1, "choice-owner": "x"},
    ):
        assert client.post("/audience/contacts/bulk/", bad).status_code == 302


def test_a_deleted_contact_can_be_restored(amara: Contact, acme: Tenant, max_: Member, client_of: Clients) -> None:
    client = client_of(max_)
    client.post(f"/audience/contacts/{amara.pk}/delete/")
    assert client.get("/audience/contacts/").context["listing"].page.rows == []
    page = client.get(f"/audience/contacts/{amara.pk}/").content.decode()
    assert "Restore" in page
    client.post(f"/audience/contacts/{amara.pk}/restore/")
    assert client.get("/audience/contacts/").context["listing"].page.rows == [amara]


def test_search_finds_contacts_and_accounts(amara: Contact, max_: Member, client_of: Clients) -> None:
    page = client_of(max_).get("/company/search/?q=tails").content.decode()
    assert f"/t/acme/audience/contacts/{amara.pk}/" in page
    assert f"/t/acme/audience/accounts/{amara.account_id}/" in page


def test_own_fields_are_managed_by_the_owner_alone(acme: Tenant, ana: Member, max_: Member, client_of: Clients) -> None:
    assert client_of(max_).get("/audience/fields/").status_code == 403
    client = client_of(ana)
    form = {"entity": "contact", "label": "Plan", "key": "plan", "type": "choice", "options": "Basic\nPro\nBasic"}
    assert client.post("/audience/fields/new/", form).status_code == 302
    assert client.post("/audience/fields/new/", form).status_code == 422
    assert client.post("/audience/fields/new/", {**form, "key": "p2", "options": ""}).status_code == 422
    with tenant_scope(acme):
        field = Field.objects.get()
        assert field.options == ["Basic", "Pro"]
    client.post(f"/audience/fields/{field.pk}/retire/")
    assert "Use again" in client.get("/audience/fields/").content.decode()


def test_what_looks_alike_is_offered_for_comparison(
    amara: Contact, acme: Tenant, max_: Member, client_of: Clients
) -> None:
    with tenant_scope(acme):
        twin = people.create_contact({"first_name": "amara", "last_name": "OKAFOR"})
        assert duplicates.similar(amara) == [twin]
    client = client_of(max_)
    link = f"keep={amara.pk}&amp;other={twin.pk}"
    assert link in client.get(f"/audience/contacts/{amara.pk}/").content.decode()
    assert client.get(f"/audience/duplicates/compare/?keep={amara.pk}&other={twin.pk}").status_code == 200
    assert client.get(f"/audience/duplicates/compare/?keep={amara.pk}&other=x").status_code == 422


def test_another_companys_records_are_not_found(amara: Contact, rob: Member, client_of: Clients) -> None:
    client: Any = client_of(rob)
    assert client.get(f"/audience/contacts/{amara.pk}/").status_code == 404
    assert client.get(f"/audience/accounts/{amara.account_id}/").status_code == 404
    assert "Amara" not in client.get(f"/audience/contact/{amara.pk}/timeline/").content.decode()


def test_an_account_is_added_and_changed(acme: Tenant, max_: Member, client_of: Clients) -> None:
    client = client_of(max_)
    client.post("/audience/accounts/new/", {"name": "Litware AG", "domain": "https://www.litware.example/x"})
    with tenant_scope(acme):
        account = Account.objects.get()
        assert account.domain == "litware.example"
    answer = client.post(f"/audience/accounts/{account.pk}/edit/", {"name": "Litware AG", "employees": "many"})
    assert answer.status_code == 422
    client.post(f"/audience/accounts/{account.pk}/edit/", {"name": "Litware Health AG", "employees": "12"})
    with tenant_scope(acme):
        account.refresh_from_db()
        assert (account.name_key, account.employees, account.domain) == ("litware health", 12, "")


def test_segments_stand_as_tabs_over_the_list(acme: Tenant, amara: Contact, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        segment = Segment.objects.create(name="Friends", kind="static", state="live")
        membership.add(segment, [amara.pk], max_)
        facts.refresh([amara.pk])
        ContactFacts.objects.update(score=5)
    page = client_of(max_).get(f"/audience/contacts/?in=segment:{segment.pk}&order=score").content.decode()
    assert f'<a class="nav-link active" href="?in=segment:{segment.pk}" aria-current="page">' in page
    assert 'aria-sort="descending"' in page


def test_a_contact_page_asks_no_more_for_more_segments_and_purposes(
    acme: Tenant, amara: Contact, max_: Member, client_of: Clients
) -> None:
    client, path = client_of(max_), f"/audience/contacts/{amara.pk}/"
    with tenant_scope(acme):
        membership.add(Segment.objects.create(name="S", kind="static", state="live"), [amara.pk], max_)
    few = queries_of(client, path)
    with tenant_scope(acme):
        for number in range(5):
            Purpose.objects.create(key=f"p{number}", name=f"Purpose {number}")
            segment = Segment.objects.create(name=f"S{number}", kind="static", state="live")
            membership.add(segment, [amara.pk] if number % 2 else [], max_)
    assert queries_of(client, path) == few
    page = client.get(path).content.decode()
    assert "Purpose 4" in page
    assert page.index(">S1<") < page.index('aria-label="Segment"') < page.index(">S0<")
