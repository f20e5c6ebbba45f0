"""What becomes of submissions: mapped, matched, consent written, leads made; without any network."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from contacts import cells, consent, custom, erasure, people
from contacts.models import Account, Consent, Contact, Interaction, MatchAmbiguity, Purpose
from integrations.connections import verbs
from integrations.linkedin import answers, mapping, parsing, processing, rerun, storing
from integrations.linkedin.responses import Response
from integrations.models import Connection, LeadForm, LeadFormMapping, LeadSubmission
from integrations.sandbox.linkedin import elements, seeding
from integrations.sandbox.linkedin.store import Store
from leads import lifecycle
from leads.models import Lead
from tenants import jobs
from tenants.models import Job, Member, Tenant
from tenants.scope import tenant_scope
from tests.integrations.linkedin.world import FORM

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AMARA = {"EMAIL": "amara@firma.example", "FIRST_NAME": "Amara", "LAST_NAME": "Okafor", "COMPANY_NAME": "Firma GmbH"}
ODD = (
    {"formResponse": None},
    {"formResponse": {"answers": None, "consentResponses": [None, {"consentId": 7}]}},
    {"formResponse": {"answers": [{"questionId": 109}, 7, {"answerDetails": {"textQuestionAnswer": None}}]}},
    {"formResponse": {"answers": [{"questionId": 999, "answerDetails": {"textQuestionAnswer": {"answer": "?"}}}]}},
    {"leadMetadata": None, "owner": None, "submitter": None, "formResponse": []},
    {"versionedLeadGenFormUrn": "nonsense", "testLead": "maybe"},
)

Send = Callable[..., list[LeadSubmission]]


@pytest.fixture
def connection(acme: Tenant, ana: Member) -> Connection:
    with tenant_scope(acme):
        return verbs.add("linkedin", "LinkedIn", by=ana)


@pytest.fixture
def send(acme: Tenant, connection: Connection) -> Send:
    """Store what LinkedIn would show of people who submit the form, and process it unless it is to be left."""
    store = Store()
    form = seeding.form(FORM)
    store.forms[form.id, form.version] = form
    with tenant_scope(acme):
        storing.keep_form(connection, parsing.form(elements.form(form)))

    def go(*given: dict[str, Any], is_left: bool = False, **common: Any) -> list[LeadSubmission]:
        rows = [{"form": 9, "at": NOW.isoformat(), **common, **each} for each in given]
        found = [parsing.response(elements.response(store, seeding.lead(store, row, 0), {})) for row in rows]
        with tenant_scope(acme):
            storing.store(connection, found, "api")
            while not is_left and processing.process(connection).total:
                pass
            rows_ = LeadSubmission.objects.select_related("contact", "lead", "company", "form")
            by_id = {row.external_id: row for row in rows_}
        return [by_id[each.external_id] for each in found]

    return go


def people_of(*answers_: dict[str, str]) -> list[dict[str, Any]]:
    return [{"answers": each} for each in answers_]


pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_what_changes_between_the_reading_and_the_writing_of_a_batch_is_read_anew(
    acme: Tenant, connection: Connection, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "BATCH", 3)
    emails = [f"{name}@firma.example" for name in ("amara", "wei", "jonas", "ada")]
    given = people_of(*({"EMAIL": email} for email in emails))
    given = [{**each, "at": (NOW + timedelta(minutes=n)).isoformat()} for n, each in enumerate(given)]
    _first, second, third, _fourth = send(*given, is_left=True)
    with tenant_scope(acme):
        full = processing.next_batch(connection, before=NOW + timedelta(days=1))
        assert full is not None
        rest = processing.next_batch(connection, before=NOW + timedelta(days=1), after=full.submissions[-1])
        assert rest is not None
        batches = [full, rest]
        assert [len(batch.submissions) for batch in batches] == [3, 1]
        answers_ = [{**answer, "text": "mei@firma.example"} for answer in second.answers]
        LeadSubmission.objects.filter(pk=second.pk).update(answers=answers_, digest="another")
        storing.withdraw(connection, [third.external_id], "")
        done = [processing.write(connection, batch) for batch in batches]
        assert [dict(each.states) for each in done] == [{"lead_created": 2}, {"lead_created": 1}]
        found = set(Contact.objects.values_list("email", flat=True))
        assert found == {"amara@firma.example", "mei@firma.example", "ada@firma.example"}
        again = [processing.write(connection, batch).total for batch in batches]
        assert again == [0, 0], "what was processed meanwhile is not processed again"
        assert Lead.objects.count() == 3


def test_contact_company_and_lead_are_made_and_told(acme: Tenant, send: Send) -> None:
    (row,) = send({"answers": AMARA | {"PHONE_NUMBER": "030 901820", "Team": ["6+", "7"]}}, consents={"0": True})
    assert (row.contact.phone, row.company.name, row.is_contact_new) == ("+4930901820", "Firma GmbH", True)
    with tenant_scope(acme):
        shown = {line.label: line.text for line in answers.Questions([row]).shown(row)}
        fact = Interaction.objects.get(kind="linkedin.submitted")
    assert (shown["Team"], shown["utm_source"], shown["Phone number"]) == ("6+, 7", "li", "030 901820")
    assert (fact.contact_id, fact.lead_id, fact.object_id) == (row.contact_id, row.lead_id, row.form_id)
    assert fact.occurred_at == NOW
    assert fact.detail["form"] == "Guide"


def test_the_same_again_changes_nothing_and_other_contents_make_no_second_lead(acme: Tenant, send: Send) -> None:
    send({"id": "a-1", "answers": AMARA})
    (row,) = send({"id": "a-1", "answers": AMARA})
    assert row.state == "lead_created"
    (row,) = send({"id": "a-1", "answers": AMARA | {"FIRST_NAME": "Amy"}})
    assert (row.state, row.contact.first_name) == ("lead_created", "Amy")
    with tenant_scope(acme):
        assert (Contact.objects.count(), Lead.objects.count(), LeadSubmission.objects.count()) == (1, 1, 1)
        assert Interaction.objects.filter(kind="linkedin.submitted").count() == 1
    (row,) = send({"id": "a-1", "answers": {"Team": "6+"}})
    assert (row.state, row.contact.first_name, row.is_contact_new) == ("failed", "Amy", True), "what it came to stays"
    assert row.lead is not None


def test_the_work_address_counts_only_where_it_is_preferred_or_alone(acme: Tenant, connection, ana, send: Send) -> None:
    both = {"EMAIL": "amara@home.example", "WORK_EMAIL": "amara@firma.example", "LAST_NAME": "Okafor"}
    alone = {"WORK_EMAIL": "bo@firma.example", "LAST_NAME": "Berg"}
    first, second = send(*people_of(both, alone))
    assert (first.contact.email, second.contact.email) == ("amara@home.example", "bo@firma.example")
    with tenant_scope(acme):
        mapping.save(connection, None, {"targets": mapping.DEFAULT_TARGETS, "prefers_work": True}, by=ana)
    (third,) = send({"answers": both})
    assert third.contact.email == "amara@firma.example"


def test_known_people_are_found_and_several_are_offered_for_merging(acme: Tenant, connection, ana, send: Send) -> None:
    with tenant_scope(acme):
        old = people.create_contact({"last_name": "Okafor", "phone": "+4930901820"})
        new = people.create_contact({"last_name": "Okafor", "phone": "+4930901820"})
        mapping.save(connection, None, {"targets": mapping.DEFAULT_TARGETS, "contact_by": "phone"}, by=ana)
    (row,) = send({"answers": {"PHONE_NUMBER": "+49 30 901820", "LAST_NAME": "Okafor"}})
    assert (row.contact_id, row.other_contacts, row.is_contact_new) == (new.pk, [old.pk], False)
    assert row.reason == "2 contacts answer to “Phone”: the one changed last was taken."
    with tenant_scope(acme):
        assert MatchAmbiguity.objects.get().others == [old.pk]


def test_without_contact_creation_the_lead_waits_for_matching(acme: Tenant, connection, ana, send: Send) -> None:
    with tenant_scope(acme):
        mapping.save(connection, None, {"targets": mapping.DEFAULT_TARGETS, "creates_contacts": False}, by=ana)
    (row,) = send({"answers": AMARA})
    assert (row.contact, row.lead.contact_id, row.lead.email) == (None, None, "amara@firma.example")
    assert (row.lead.company, row.lead.last_name) == ("Firma GmbH", "Okafor")
    with tenant_scope(acme):
        assert not Account.objects.exists()
        people.create_contact({"email": "bo@firma.example", "last_name": "Berg"})
    (known,) = send({"answers": {"EMAIL": "bo@firma.example", "LAST_NAME": "Berg"}})
    assert known.contact.email == "bo@firma.example"


def test_always_new_or_match_an_open_lead(acme: Tenant, connection, ana, send: Send) -> None:
    later = {"at": (NOW + timedelta(hours=1)).isoformat()}
    second, first = send({"answers": AMARA | {"FIRST_NAME": "Amy"}, **later}, {"answers": AMARA})
    assert first.lead_id != second.lead_id
    assert first.contact.first_name == "Amy", "what she said last, in whatever order it came"
    assert first.contact_id == second.contact_id
    values = {"targets": mapping.DEFAULT_TARGETS, "leads": "match", "lead_by": ["email", "form"], "update": "fill"}
    with tenant_scope(acme):
        mapping.save(connection, None, values, by=ana)
    (third,) = send({"answers": AMARA})
    assert third.lead_id == second.lead_id, "the latest"
    assert third.state == "lead_matched"
    with tenant_scope(acme):
        for lead in Lead.objects.all():
            lifecycle.disqualify(lead, "no budget")
    fourth, fifth = send(*people_of(AMARA, AMARA))
    assert fourth.lead_id == fifth.lead_id
    assert {fourth.state, fifth.state} == {"lead_created", "lead_matched"}
    with tenant_scope(acme):
        mapping.save(connection, None, values | {"creates_contacts": False}, by=ana)
    stranger = {"EMAIL": "nobody@firma.example", "LAST_NAME": "Nobody"}
    sixth, seventh = send({"answers": stranger}), send({"answers": stranger})
    assert sixth[0].lead_id == seventh[0].lead_id, "found by the address, without a contact"


def test_a_resting_lead_is_engaged_by_a_new_submission(acme: Tenant, connection, ana, send: Send) -> None:
    (first,) = send({"answers": AMARA})
    with tenant_scope(acme):
        lifecycle.recycle(first.lead, "too early")
        values = {"targets": mapping.DEFAULT_TARGETS, "leads": "match", "lead_by": ["email"]}
        mapping.save(connection, None, values, by=ana)
    (second,) = send({"answers": AMARA})
    assert (second.lead_id, second.lead.stage) == (first.lead_id, "engaged")


def test_consent_is_written_as_the_mapping_says_and_never_against_a_later_refusal(
    acme: Tenant, connection, ana, send: Send
) -> None:
    send({"answers": AMARA}, consents={"0": True})
    with tenant_scope(acme):
        assert not Consent.objects.exists(), "a lead is no opt-in"
        news = Purpose.objects.create(key="news", name="News")
        values = {"targets": mapping.DEFAULT_TARGETS, "consents": {"*": {"purpose": news.pk, "level": 4}}}
        mapping.save(connection, None, values, by=ana)
        bo = people.create_contact({"email": "bo@firma.example", "last_name": "Berg"})
        consent.refuse(bo, news, source="told us")
    yes, no, refused = send(
        *people_of(AMARA, {"EMAIL": "cy@firma.example", "LAST_NAME": "Cy"}, {"EMAIL": "bo@firma.example"}),
        consents={"0": True},
    )
    (late_no,) = send({"answers": {"EMAIL": "di@firma.example", "LAST_NAME": "Di"}}, consents={"0": False})
    with tenant_scope(acme):
        rows = {row.contact_id: row for row in Consent.objects.filter(state="granted")}
        assert set(rows) == {yes.contact_id, no.contact_id}
        assert refused.contact_id not in rows
        assert late_no.contact_id not in rows
        row = rows[yes.contact_id]
        assert (row.text_shown, row.at, row.address) == ("Write to me", NOW, "amara@firma.example")
        assert row.source == "LinkedIn: Guide (1)"
        assert Contact.objects.get(pk=yes.contact_id).consent_level == 4
    send({"id": yes.external_id, "answers": AMARA | {"FIRST_NAME": "Amy"}}, consents={"0": True})
    with tenant_scope(acme):
        assert Consent.objects.filter(contact=yes.contact_id).count() == 1, "once per submission"


def test_odd_records_stop_nobody(acme: Tenant, send: Send) -> None:
    long, emoji = "x" * 300, "Zoë 👩🏽‍🚀 שלום"
    odd = [{"id": f"odd-{n}", "answers": {}, "overlay": overlay} for n, overlay in enumerate(ODD)]
    rows = send(
        {"answers": AMARA | {"LAST_NAME": long}},
        *odd,
        {"answers": {"EMAIL": " ZOË@Firma.example\x00", "LAST_NAME": f"{emoji}\x00"}},
        {"answers": {"EMAIL": "no address", "LAST_NAME": "Berg", "PHONE_NUMBER": "call me"}},
        {"answers": {"EMAIL": "", "Team": "six"}},
        {"answers": AMARA, "test": True},
    )
    states = [row.state for row in rows]
    assert states[0] == "lead_created"
    assert rows[0].left_out == ["Last name: at most 100 characters"]
    assert set(states[1:7]) <= {"failed", "held", "lead_created"}
    assert all(row.reason for row in rows)
    zoe, berg, nobody, test = rows[7:]
    assert zoe.contact.last_name == emoji
    assert (berg.contact.email, berg.contact.phone, len(berg.left_out)) == ("", "", 2)
    assert (nobody.state, nobody.reason) == ("failed", "Nothing that is mapped says who it is.")
    assert (test.state, test.lead_id, test.contact_id) == ("test", None, None)


def test_what_the_database_refuses_fails_alone(acme: Tenant, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that no check has foreseen: here, one that the column cannot hold."""
    monkeypatch.setattr(cells.EmailCell, "clean", lambda self, text, row: text + "x" * 300 * ("refused" in text))
    good = [{"answers": {"EMAIL": f"p{n}@firma.example", "LAST_NAME": "P"}} for n in range(4)]
    rows = send(*good[:2], {"answers": {"EMAIL": "refused@firma.example", "LAST_NAME": "Q"}}, *good[2:])
    assert [row.state for row in rows] == ["lead_created"] * 2 + ["failed"] + ["lead_created"] * 2
    assert rows[2].reason == "It cannot be stored: DataError"


def test_a_form_that_is_read_later_lets_its_submissions_go_on(acme: Tenant, connection, send: Send) -> None:
    with tenant_scope(acme):
        form = LeadForm.objects.get()
        kept = form.versions.get()
        form.versions.update(questions=[], problem=storing.UNREAD)
    (row,) = send({"answers": AMARA})
    assert (row.state, row.lead) == ("held", None)
    with tenant_scope(acme):
        found = parsing.form({"id": 9, "versionId": 1, "content": {}})
        found.questions = kept.questions
        storing.keep_form(connection, found)
        processing.process(connection)
        assert LeadSubmission.objects.get().state == "lead_created"


def test_a_changed_mapping_is_tried_and_then_applied_to_what_is_stored(
    acme: Tenant, connection, ana, send: Send
) -> None:
    (row,) = send({"answers": AMARA | {"Team": "6+"}})
    with tenant_scope(acme):
        custom.create("lead", "team", "Team", "text", by=ana)
        form = LeadForm.objects.get()
        team = f"question:{form.versions.get().questions[-1]['id']}"
        targets = {**mapping.DEFAULT_TARGETS, team: "lead.custom.team", "hidden:utm_source": "contact.city"}
        mapping.save(connection, form, {"targets": targets, "update": "fill"}, by=ana)
        trial = rerun.order(connection, form, is_trial=True, by=ana)
    facts = counted(acme)
    assert rerun.work(acme.pk, float("inf"))
    with tenant_scope(acme):
        trial.refresh_from_db()
        assert trial.state == Job.State.DONE
        assert {f.label: f.value for f in jobs.kinds.of(trial).figures(trial)} == {
            "Submissions": 1, "Changed contacts": 1, "Changed leads": 1,
        }  # fmt: skip
        found = [example["fields"] for example in trial.result["examples"]]
        assert found == [[["city", "", "li"]], [["custom.team", None, "6+"]]]
        assert Lead.objects.get().custom == {}
        rerun.order(connection, form, is_trial=False, by=ana)
    assert counted(acme) == facts
    assert rerun.work(acme.pk, float("inf"))
    with tenant_scope(acme):
        assert (Lead.objects.get().custom, Contact.objects.get().city) == ({"team": "6+"}, "li")
        assert LeadSubmission.objects.get().lead_id == row.lead_id
        erasure.erase([row.contact_id], by=None)
        erased = LeadSubmission.objects.get()
        assert (erased.state, erased.answers, erased.submitter) == ("erased", [], "")
        assert "examples" not in Job.objects.get(pk=trial.pk).result
    (again,) = send({"id": row.external_id, "answers": AMARA})
    assert (again.state, again.answers) == ("erased", []), "it never comes back"


def counted(acme: Tenant) -> int:
    with tenant_scope(acme):
        return Interaction.objects.count()


def test_a_mapping_names_only_what_there_is(acme: Tenant, connection, ana) -> None:
    wrong: list[dict[str, Any]] = [
        {"targets": {"EMAIL": "contact.shoe_size"}},
        {"consents": {"0": {"purpose": 777777777}}},
        {"contact_by": "shoe_size"},
        {"lead_by": ["shoe_size"]},
        {"leads": "match", "lead_by": ["phone"]},
    ]
    with tenant_scope(acme):
        for values in wrong:
            with pytest.raises(ValidationError):
                mapping.save(connection, None, values, by=ana)
        assert not LeadFormMapping.objects.exists()


def test_moments_in_seconds_and_milliseconds_and_their_borders() -> None:
    found = [Response("a", NOW, submitter="x"), Response("a", NOW + timedelta(seconds=1))]
    assert len({each.digest_of(each.contents) for each in found}) == 1, "when it came and by whom is no content"
