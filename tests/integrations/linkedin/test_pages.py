"""The pages of LinkedIn: what came, what became of it, where answers go, the ways in without the API."""

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, Field, Purpose
from integrations.linkedin import processing
from integrations.models import Connection, LeadForm, LeadFormMapping, LeadSubmission
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.integrations.linkedin.pages import ANN, ClientOf, only, text
from tests.integrations.linkedin.world import LinkedInWorld

OPTIONS = {"contact_by": "email", "creates_contacts": "on", "update": "overwrite", "leads": "new"}


@pytest.mark.django_db
def test_without_a_connection_the_page_says_what_linkedin_is_good_for(
    ana: Member, max_: Member, client_of: ClientOf
) -> None:
    assert "Connect LinkedIn" in text(client_of(ana).get("/integrations/linkedin/"))
    assert "An owner of the company can connect it" in text(client_of(max_).get("/integrations/linkedin/"))
    assert "Nothing here" in text(client_of(ana).get("/integrations/linkedin/submissions/"))


def test_what_came_is_shown_with_what_became_of_it(
    linkedin: LinkedInWorld, ana: Member, max_: Member, sam: Member, client_of: ClientOf
) -> None:
    """One company, several looks: making it is what takes time."""
    linkedin.connect()
    linkedin.leads({**ANN, "Team": "6+"}, consents={"0": True})
    linkedin.leads({"FIRST_NAME": "Bo"}, {"EMAIL": "not an address", "LAST_NAME": "Cy"})
    linkedin.leads({**ANN, "EMAIL": "test@firma.example"}, test=True)
    linkedin.sync()
    rows = linkedin.stored()
    ann = next(row for row in rows.values() if row.lead and row.contact and row.contact.email == ANN["EMAIL"])

    client = client_of(sam)
    home = text(client.get("/integrations/linkedin/"))
    assert "Guide" in home
    assert "Spring" in home
    listed = text(client.get("/integrations/linkedin/submissions/"))
    assert "Ann Berg" in listed
    assert "Test lead, kept apart" in listed
    only_tests = text(client.get("/integrations/linkedin/submissions/?tab=tests"))
    assert "Ann Berg" not in only_tests
    assert "Nothing here" in text(client.get("/integrations/linkedin/submissions/?until=2020-01-01"))
    for odd in ("tab=x", "form=x", "campaign=99999999999999999999", "since=x", "after=x"):
        assert "Ann Berg" in text(client.get(f"/integrations/linkedin/submissions/?{odd}"))

    page = text(client.get(f"/integrations/linkedin/submissions/{ann.pk}/"))
    for said in (
        "ann@firma.example",
        "6+",
        "utm_source",
        "Write to me",
        "New lead created",
        "Guide",
        "Spring",
        "Acme EMEA",
    ):
        assert said in page
    assert "form_mapping" not in page
    lead = text(client.get(f"/sales/leads/{ann.lead_id}/"))
    link = f"/integrations/linkedin/submissions/{ann.pk}/"
    assert link in lead
    assert link in text(client.get(f"/audience/contacts/{ann.contact_id}/"))

    forms = f"/integrations/linkedin/{linkedin.connection.pk}/forms/"
    assert "Guide" in text(client.get(forms))
    assert client.get(f"/integrations/linkedin/{linkedin.connection.pk}/").status_code == 403
    form = next(iter(rows.values())).form_id
    assert client.get(f"/integrations/linkedin/forms/{form}/mapping/").status_code == 403
    map_a_form(client_of(max_), linkedin, form)


def map_a_form(client: Client, linkedin: LinkedInWorld, form: int) -> None:
    """A marketer tries a mapping on what has come in, is told what is wrong with it, saves it and takes it back."""
    path = f"/integrations/linkedin/forms/{form}/mapping/"
    page = text(client.get(path))
    assert "ann@firma.example" in page
    labels = re.findall(r'id="column-(\d+)"> ?([^<]+?) ?<', page)
    place = {label: number for number, label in labels}
    given = {**OPTIONS, f"to-{place['Email']}": "contact.email", f"to-{place['Team']}": "contact.job_title"}

    wrong = text(client.post(path, {**given, "leads": "match", "lead_by": ["company"]}), 422)
    assert "The e-mail address has to be among them." in wrong
    assert 'id="id_lead_by_error"' in wrong
    assert "There is no field" in text(client.post(path, {**given, "to-0": "contact.no_such"}), 422)
    refused = {**given, f"to-{place['Team']}": "new:lead:text", "leads": "match"}
    text(client.post(path, refused), 422)
    with tenant_scope(linkedin.tenant):
        assert not Field.objects.exists()

    tried = text(client.post(path, {**given, "do": "preview"}))
    assert "6+" in tried.partition('id="preview"')[2]
    assert "has the address of" in tried
    with tenant_scope(linkedin.tenant):
        Contact.objects.update(is_active=False)
    assert "has the address of" not in text(client.post(path, {**given, "do": "preview"})), "nobody who is active"
    with tenant_scope(linkedin.tenant):
        Contact.objects.update(is_active=True)
        assert not LeadFormMapping.objects.filter(form=form).exists()
        purpose = Purpose.objects.create(key="news", name="News")
    consent = {"consent-0-purpose": purpose.pk, "consent-0-level": "4"}
    assert client.post(path, {**given, **consent}).status_code == 302
    with tenant_scope(linkedin.tenant):
        kept = LeadFormMapping.objects.get(form=form)
    shown = {key: target for key, target in kept.targets.items() if key in ("EMAIL", "FIRST_NAME", kept_key(kept))}
    assert shown == {"EMAIL": "contact.email", kept_key(kept): "contact.job_title"}
    assert kept.consents == {"0": {"purpose": purpose.pk, "level": 4}}
    assert "Its own" in text(client.get(f"/integrations/linkedin/{linkedin.connection.pk}/forms/"))
    apply_it(client, linkedin, form)
    client.post(path, {**given, f"to-{place['Team']}": "new:lead:text"})
    with tenant_scope(linkedin.tenant):
        assert Field.objects.get().label == "Team"
        assert LeadFormMapping.objects.get(form=form).targets[kept_key(kept)] == "lead.custom.team"
    client.post(f"{path}forget/")
    with tenant_scope(linkedin.tenant):
        assert not LeadFormMapping.objects.filter(form=form).exists()


def apply_it(client: Client, linkedin: LinkedInWorld, form: int) -> None:
    """The changed mapping on what is stored: first what would change, then for good."""
    rerun = f"/integrations/linkedin/{linkedin.connection.pk}/rerun/"
    assert client.post(rerun, {"form": form + 100}).status_code == 404
    trial = client.post(rerun, {"form": form})["Location"]
    linkedin.work()
    page = text(client.get(trial))
    assert ("6+" in page, "Job title" in page, "job_title" in page) == (True, True, False)
    assert "Nothing is changed yet." in page
    with tenant_scope(linkedin.tenant):
        assert not Contact.objects.filter(job_title="6+").exists()
    client.post(rerun, {"form": form, "do": "apply"})
    linkedin.work()
    with tenant_scope(linkedin.tenant):
        assert Contact.objects.get(job_title="6+").email == ANN["EMAIL"]
    again = client.post(rerun, {"form": form})["Location"]
    linkedin.work()
    page = text(client.get(again))
    assert ("Nothing would change." in page, "Apply it" in page) == (True, False)


def kept_key(kept: LeadFormMapping) -> str:
    """The key of the form's own question."""
    return next(key for key in kept.targets if key.startswith("question:"))


@pytest.mark.django_db
def test_without_the_api_there_is_nothing_to_authorise(acme: Tenant, ana: Member, client_of: ClientOf) -> None:
    client = client_of(ana)
    assert text(client.post("/integrations/linkedin/new/without/", {"name": ""}), 422)
    client.post("/integrations/linkedin/new/without/", {"name": "By file"})
    row = only(Connection, acme)
    page = text(client.get(f"/integrations/linkedin/{row.pk}/"))
    assert (row.state, row.next_sync_at) == ("active", None)
    assert "Authorise" not in page
    assert "Sync now" not in page
    default = f"/integrations/linkedin/{row.pk}/mapping/"
    assert "Work e-mail address" in text(client.get(default))
    assert client.post(default, {**OPTIONS, "to-0": "contact.first_name", "topic": "From LinkedIn"}).status_code == 302
    kept = only(LeadFormMapping, acme)
    assert (kept.form_id, kept.topic, kept.targets) == (None, "From LinkedIn", {"FIRST_NAME": "contact.first_name"})


@pytest.mark.django_db
def test_a_stranger_finds_no_connection_form_or_submission(
    acme: Tenant, ana: Member, rob: Member, client_of: ClientOf
) -> None:
    client_of(ana).post("/integrations/linkedin/new/without/", {"name": "By file"})
    row = only(Connection, acme)
    with tenant_scope(acme):
        form = LeadForm.objects.create(connection=row, external_id="name:x", name="X")
        sent = LeadSubmission.objects.create(
            connection=row, form=form, external_id="x", channel="file", submitted_at="2026-01-01T00:00:00+00:00"
        )
    client = client_of(rob)
    for path in (f"{row.pk}/", f"{row.pk}/forms/", f"forms/{form.pk}/mapping/", f"submissions/{sent.pk}/"):
        assert client.get(f"/integrations/linkedin/{path}").status_code == 404


@pytest.mark.django_db
def test_a_file_is_taken_in_and_the_inbound_address_shows_its_secret_once(
    acme: Tenant, ana: Member, client_of: ClientOf
) -> None:
    client = client_of(ana)
    client.post("/integrations/linkedin/new/without/", {"name": "By file"})
    row = only(Connection, acme)
    path = f"/integrations/linkedin/{row.pk}/upload/"
    assert 'id="id_file_error"' in text(client.post(path, {"name": "Fair"}), 422)
    assert 'id="id_file_error"' in text(client.post(path, {"name": "Fair", "file": csv_file("Lead ID\n1\n")}), 422)
    given = {"name": "Fair", "file": csv_file("Email,Team\nann@firma.example,6+\n")}
    assert "1 row, 1 of them new." in text(client.post(path, given, follow=True))

    path = f"/integrations/linkedin/{row.pk}/inbox/"
    assert "Make the address" in text(client.get(path))
    answer = client.post(path)
    shown = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", text(answer)))
    assert len(shown) == 1
    assert answer["Cache-Control"] == "no-store"
    page = text(client.get(path))
    assert "whsec_" not in page
    assert "/hooks/leads/" in page
    assert set(re.findall(r"whsec_[A-Za-z0-9+/=]+", text(client.post(path)))) != shown
    client.post(f"{path}close/")
    assert "Make the address" in text(client.get(path))


def csv_file(content: str) -> Any:
    return SimpleUploadedFile("leads.csv", content.encode(), "text/csv")


def lines_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"), newline="")))


@pytest.mark.django_db(transaction=True)
def test_submissions_and_charts_are_saved_as_files(
    acme: Tenant, ana: Member, ava: Member, client_of: ClientOf, django_assert_max_num_queries: Any
) -> None:
    client = client_of(ana)
    client.post("/integrations/linkedin/new/without/", {"name": "By file"})
    row = only(Connection, acme)
    people = "".join(f"p{n}@firma{n}.example,Guide,=1+{n}\n" for n in range(20))
    content = f"Email,Form Name,Budget\nann@firma.example,Fair,high\n{people}"
    client.post(f"/integrations/linkedin/{row.pk}/upload/", {"name": "Fair", "file": csv_file(content)})
    with tenant_scope(acme):
        processing.process(row)
        fair, guide = LeadForm.objects.order_by("name").values_list("pk", flat=True)
    with django_assert_max_num_queries(25):
        everything = lines_of(client.get("/integrations/linkedin/submissions/export/"))
    assert len(everything) == 21
    assert {"Budget: =1+19", "Budget: high"} <= {line["answers"].splitlines()[1] for line in everything}
    assert "Budget" not in everything[0], "the questions of many forms are no columns"
    [ann] = lines_of(client.get(f"/integrations/linkedin/submissions/export/?form={fair}"))
    assert (ann["email"], ann["Budget"], ann["state"]) == ("ann@firma.example", "high", "lead_created")
    answered = lines_of(client.get(f"/integrations/linkedin/submissions/export/?form={guide}"))
    assert {line["Budget"] for line in answered} == {f"'=1+{n}" for n in range(20)}, "nothing in them computes"
    path = "/integrations/linkedin/figures/"
    shares = [tuple(line.values()) for line in lines_of(client.get(f"{path}?by=form"))]
    assert shares == [("Guide", "20", "20"), ("Fair", "1", "1")]
    assert lines_of(client.get(f"{path}?by=campaign")) == []
    weeks = lines_of(client.get(path))
    assert (len(weeks), weeks[-1]["submissions"]) == (12, "21")
    assert client.get(f"{path}?by=nothing").status_code == 404
    analyst = client_of(ava)
    assert analyst.get(path).status_code == 200
    assert analyst.get("/integrations/linkedin/submissions/export/").status_code == 403


@pytest.mark.django_db
def test_a_longer_list_of_submissions_takes_no_more_queries(acme: Tenant, ana: Member, client_of: ClientOf) -> None:
    client = client_of(ana)
    client.post("/integrations/linkedin/new/without/", {"name": "By file"})
    row = only(Connection, acme)
    counted = []
    for count in (1, 20):
        lines = "".join(f"p{n}@firma{n}.example,Form {n}\n" for n in range(count))
        client.post(
            f"/integrations/linkedin/{row.pk}/upload/", {"name": "Fair", "file": csv_file(f"Email,Form Name\n{lines}")}
        )
        with tenant_scope(acme):
            processing.process(row)
        for path in ("submissions/", "", f"{row.pk}/forms/", f"{row.pk}/"):
            client.get(f"/integrations/linkedin/{path}")
            with CaptureQueriesContext(database) as queries:
                text(client.get(f"/integrations/linkedin/{path}"))
            counted.append(len(queries))
    assert counted[:4] == counted[4:]
