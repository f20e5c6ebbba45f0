"""The wizard, the page of its job, and what they cost."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts import people, search
from contacts.models import Contact, Field, Purpose
from leads.importing import erasing, running
from leads.models.imports import Import, ImportPiece
from tenants import files, wakeups
from tenants.models import File, FilePiece, Job, Member, Tenant
from tenants.scope import tenant_scope
from tests.cast import TenantClient
from tests.concurrency import processes, threads
from tests.leads.files import PEOPLE, as_csv, begin, go

pytestmark = pytest.mark.django_db(transaction=True)
ClientOf = Callable[..., TenantClient]
ANSWERS = {
    "match_by": "email", "update": "overwrite", "on_fault": "refuse", "is_day_first": "True", "consent_level": "4",
    "strangers": "create", "source": "Fair",
}  # fmt: skip


def refused_file(tenant: Tenant, batch: Import) -> str:
    """The text of the file with an import's refused rows."""
    from leads.importing import refusals

    with tenant_scope(tenant):
        job = batch.job
        assert job
    return "".join(refusals.lines(job))


def upload(client: TenantClient, content: bytes, name: str = "people.csv", entity: str = "contact") -> Any:
    return client.post("/sales/imports/new/", {"file": SimpleUploadedFile(name, content), "entity": entity})


def work(tenant: Tenant) -> None:
    """What the worker does."""
    assert wakeups.run_due(30)


def test_a_file_goes_through_the_wizard(acme: Tenant, sam: Member, client_of: ClientOf) -> None:
    with tenant_scope(acme):
        news = Purpose.objects.create(key="news", name="Newsletter", is_default=True)
    client = client_of(sam)
    answer = upload(client, as_csv([*PEOPLE, ["nobody", "", "", "", ""]]))
    with tenant_scope(acme):
        batch = Import.objects.get()
    assert answer["Location"] == f"/t/acme/sales/imports/{batch.pk}/columns/"
    page = client.get(answer["Location"]).content.decode()
    assert "amara@contoso.example" in page
    given = {"to-0": "contact.email", "to-1": "contact.first_name", "to-2": "contact.last_name", "to-3": "account.name"}
    answer = client.post(answer["Location"], {**given, "to-4": "new:contact:text"})
    with tenant_scope(acme):
        assert Field.objects.get().key == "title"
    page = client.get(answer["Location"]).content.decode()
    assert "Newsletter" in page
    refused = client.post(answer["Location"], {**ANSWERS, "purpose_id": news.pk})
    assert refused.status_code == 422
    assert "proof" in refused.content.decode()
    proof = {
        "purpose_id": news.pk,
        "basis": "form at our stand",
        "consent_source": "Fair",
        "consented_on": "2026-04-20",
    }
    answer = client.post(answer["Location"], {**ANSWERS, **proof})
    check = answer["Location"]
    assert "progress" in client.get(check).content.decode()
    work(acme)
    page = client.get(check).content.decode()
    assert "Import 3 rows" in page
    assert "not an e-mail address" in page
    assert "Become mailable" in page
    with tenant_scope(acme):
        assert not Contact.objects.exists()
    answer = client.post(f"/sales/imports/{batch.pk}/start/", {})
    work(acme)
    page = client.get(answer["Location"]).content.decode()
    assert "Refused rows, with reasons" in page
    with tenant_scope(acme):
        job = Job.objects.get(kind=running.RUN)
        assert Contact.objects.count() == 3
    text = b"".join(client.get(f"/company/jobs/{job.pk}/files/refused/")).decode()  # type: ignore[arg-type]
    assert text.startswith("\ufeffE-Mail,")
    assert "nobody" in text
    assert client.get("/sales/imports/").status_code == 200
    assert client.get(check)["Location"].endswith(f"/company/jobs/{job.pk}/"), "there is no way back into the wizard"


def test_an_unusable_file_is_refused_on_the_spot(acme: Tenant, sam: Member, client_of: ClientOf) -> None:
    answer = upload(client_of(sam), b"%PDF-1.7")
    assert answer.status_code == 422
    assert "PDF" in answer.content.decode()
    with tenant_scope(acme):
        assert not File.objects.exists()


def test_columns_must_say_who_it_is_and_go_to_one_place_each(acme: Tenant, sam: Member, client_of: ClientOf) -> None:
    client, batch = client_of(sam), begin(acme, as_csv(PEOPLE))
    path = f"/sales/imports/{batch.pk}/columns/"
    for given in (
        {"to-0": "contact.city"},
        {"to-0": "contact.email", "to-1": "contact.email"},
        {"to-0": "user.password"},
    ):
        assert client.post(path, given).status_code == 422


def test_a_thousand_columns_can_be_mapped(acme: Tenant, sam: Member, client_of: ClientOf) -> None:
    names = ["E-Mail", *(f"c{n}" for n in range(999))]
    batch = begin(acme, as_csv([names, ["a@b.example", *names[1:]]]))
    given = {f"to-{place}": "contact.email" if place == 0 else "" for place in range(1_000)}
    answer = client_of(sam).post(f"/sales/imports/{batch.pk}/columns/", {"csrfmiddlewaretoken": "x", **given})
    assert answer["Location"].endswith("/options/")


def test_decisions_about_rows_are_taken_and_only_for_those_shown(
    acme: Tenant, sam: Member, client_of: ClientOf
) -> None:
    with tenant_scope(acme):
        known = people.create_contact({"first_name": "Amara", "last_name": "Okafor"})
        other = people.create_contact({"first_name": "Somebody", "last_name": "Else"})
    batch = begin(acme, as_csv(PEOPLE))
    go(acme, batch, running.TRIAL)
    client = client_of(sam)
    page = client.get(f"/sales/imports/{batch.pk}/check/").content.decode()
    assert "It is Amara Okafor" in page
    client.post(f"/sales/imports/{batch.pk}/start/", {"row-2": str(known.pk), "row-3": str(other.pk)})
    work(acme)
    with tenant_scope(acme):
        known.refresh_from_db()
        assert known.email == "amara@contoso.example"
        assert Contact.objects.filter(email="jonas@contoso.example").exclude(pk=other.pk).exists()


def test_an_import_is_started_once_however_often_somebody_clicks(
    acme: Tenant, sam: Member, client_of: ClientOf
) -> None:
    batch = begin(acme, as_csv(PEOPLE))
    go(acme, batch, running.TRIAL)
    client, answers = client_of(sam), []
    with threads.beside(lambda: answers.append(client.post(f"/sales/imports/{batch.pk}/start/"))):
        with tenant_scope(acme):
            running.start(Import.objects.select_for_update().get(pk=batch.pk), running.RUN, sam)
            processes.until(processes.somebody_waits, "the second click waits for the first one")
    with tenant_scope(acme):
        job = Job.objects.get(kind=running.RUN)
    assert answers[0]["Location"].endswith(f"/company/jobs/{job.pk}/")


def test_only_what_has_been_tried_by_the_last_answers_can_be_started(
    acme: Tenant, sam: Member, client_of: ClientOf
) -> None:
    client, batch = client_of(sam), begin(acme, as_csv(PEOPLE))
    options, check, start = (f"/sales/imports/{batch.pk}/{step}/" for step in ("options", "check", "start"))
    for update in ("overwrite", "leave"):
        client.post(options, {**ANSWERS, "update": update})
        assert client.post(start)["Location"].endswith(check)
    work(acme)
    with tenant_scope(acme):
        first, second = Job.objects.order_by("pk")
        assert (first.state, second.state) == (Job.State.CANCELLED, Job.State.DONE)
        assert second.result["counts"]["rows"] == 3
    client.post(options, ANSWERS)
    with tenant_scope(acme):
        third = Job.objects.latest("pk")
    client.post(f"/company/jobs/{third.pk}/cancel/")
    page = client.get(check).content.decode()
    assert "The trial was cancelled" in page
    assert "Import 0 rows" not in page
    assert client.post(start)["Location"].endswith(check)
    with tenant_scope(acme):
        assert Import.objects.get().state == Import.State.DRAFT


def test_a_trial_by_other_columns_is_forgotten(acme: Tenant, sam: Member, client_of: ClientOf) -> None:
    client, batch = client_of(sam), begin(acme, as_csv(PEOPLE))
    columns, check = (f"/sales/imports/{batch.pk}/{step}/" for step in ("columns", "check"))
    for is_open in (False, True):
        with tenant_scope(acme):
            job = running.start(batch, running.TRIAL, sam)
        if not is_open:
            work(acme)
        client.post(columns, {"to-0": "contact.email", "to-1": "contact.first_name"})
        assert client.get(check)["Location"].endswith("/options/")
        with tenant_scope(acme):
            job.refresh_from_db()
            assert job.state == (Job.State.CANCELLED if is_open else Job.State.DONE)


def test_a_draft_is_discarded_with_its_file(acme: Tenant, sam: Member, client_of: ClientOf) -> None:
    batch = begin(acme, as_csv(PEOPLE))
    client_of(sam).post(f"/sales/imports/{batch.pk}/discard/")
    with tenant_scope(acme):
        assert not Import.objects.exists()
        assert not FilePiece.objects.exists()


def test_a_cancelled_import_keeps_what_it_had_done_and_can_be_undone(
    acme: Tenant, sam: Member, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leads.importing.pieces.SIZE", 1)
    batch = begin(acme, as_csv(PEOPLE))
    with tenant_scope(acme):
        job = running.start(batch, running.RUN, sam)
    assert not running.run(acme.pk, job, deadline=0), "the first piece is written, then the deadline has come"
    client = client_of(sam)
    client.post(f"/company/jobs/{job.pk}/cancel/")
    work(acme)
    with tenant_scope(acme):
        job.refresh_from_db()
        assert job.state == Job.State.CANCELLED
        assert Contact.objects.count() == 1
        assert search.find("amara") or search.find("jonas"), "what there is can be found"
    answer = client.post(f"/company/jobs/{job.pk}/undo/")
    work(acme)
    assert "Taken back" in client.get(answer["Location"]).content.decode()
    with tenant_scope(acme):
        assert Contact.objects.count() == 0
    client.post(f"/company/jobs/{job.pk}/undo/")
    with tenant_scope(acme):
        assert Job.objects.filter(kind="leads.undo_import").count() == 1, "once is enough"


def test_an_analyst_may_look_at_jobs_but_neither_cancel_nor_download(
    acme: Tenant, ava: Member, client_of: ClientOf
) -> None:
    batch = begin(acme, as_csv([*PEOPLE, ["nobody", "", "", "", ""]]))
    job, client = go(acme, batch), client_of(ava)
    page = client.get(f"/company/jobs/{job.pk}/")
    assert page.status_code == 200
    assert "Refused rows, with reasons" not in page.content.decode()
    for path in ("cancel", "undo"):
        assert client.post(f"/company/jobs/{job.pk}/{path}/").status_code == 403
    assert client.get(f"/company/jobs/{job.pk}/files/refused/").status_code == 403
    assert client.get("/sales/imports/").status_code == 403


@pytest.mark.parametrize(
    "path", ["/sales/imports/", "/company/jobs/", "/company/jobs/{job}/", "/sales/imports/{batch}/check/"]
)
def test_no_page_costs_more_queries_for_more_rows(acme: Tenant, sam: Member, client_of: ClientOf, path: str) -> None:
    client, counts = client_of(sam), []
    for number in (1, 20):
        with tenant_scope(acme):
            for n in range(number):
                people.create_contact({"first_name": f"Amara{number}{n}", "last_name": "Okafor"})
        rows = [PEOPLE[0], *([f"p{n}@{number}.example", f"Amara{number}{n}", "Okafor", "", ""] for n in range(number))]
        rows += [["nobody", "", "", "", ""]] * number
        batch = begin(acme, as_csv(rows))
        job = go(acme, batch, running.TRIAL)
        address = path.format(job=job.pk, batch=batch.pk)
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("entity", ["contact", "account"])
def test_a_piece_costs_the_same_number_of_statements_however_many_rows_it_has(acme: Tenant, entity: str) -> None:
    counts = []
    # By the third import the planner knows of so many rows, so that no further statement asks it.
    for turn, number in enumerate((600, 600, 600, 3_000)):
        head = ["mail", "first", "last", "company"] if entity == "contact" else ["a", "b", "c", "company"]
        rows = [head, *([f"p{n}@c{n}.{turn}.example", "A", "B", f"Company {turn} {n}"] for n in range(number))]
        batch = begin(acme, as_csv(rows), entity=entity)
        with tenant_scope(acme):
            job = running.order(batch, running.RUN, None)
        with CaptureQueriesContext(connection) as queries:
            running.run(acme.pk, job)
        counts.append(len(queries))
    assert counts[2] == counts[3]


def test_files_end_when_their_time_has_come(acme: Tenant) -> None:
    with tenant_scope(acme):
        kept = files.store("a.csv", iter([b"x" * (3 << 20), b"y"]), by=None)
        assert b"".join(files.pieces(kept)) == b"x" * (3 << 20) + b"y"
        assert FilePiece.objects.count() == 4
        with files.spool(kept) as copy:
            assert isinstance(copy, io.IOBase)
            assert len(copy.read()) == kept.size
    files.expire()
    with tenant_scope(acme):
        assert File.objects.count() == 1
        File.objects.update(expires_at="2020-01-01T00:00Z")
    files.expire()
    with tenant_scope(acme):
        assert not File.objects.exists()
        assert not FilePiece.objects.exists()


def test_rows_are_forgotten_with_the_files_that_they_were_in(acme: Tenant) -> None:
    batch = begin(acme, as_csv([*PEOPLE, ["nobody", "Nobody", "", "", ""]]))
    go(acme, batch)
    for expires_at, is_left in (("2100-01-01T00:00Z", True), ("2020-01-01T00:00Z", False)):
        with tenant_scope(acme):
            File.objects.update(expires_at=expires_at)
        files.expire()
        erasing.forget()
        with tenant_scope(acme):
            batch.refresh_from_db()
            assert (bool(batch.samples), bool(ImportPiece.objects.get().refused)) == (is_left, is_left)


def test_erasing_a_person_empties_the_files_that_she_was_in(acme: Tenant) -> None:
    from contacts import erasure

    with tenant_scope(acme):
        known = people.create_contact({"email": "amara@contoso.example", "first_name": "Ama"})
    batch = begin(acme, as_csv([*PEOPLE, ["amara@contoso.example", "x" * 101, "", "", ""]]))
    go(acme, batch)
    with tenant_scope(acme):
        erasure.erase([known.pk], by=None)
        assert not FilePiece.objects.exists()
        piece = ImportPiece.objects.get()
        assert (piece.changed["contact"], piece.refused) == ({}, [])
        assert known.pk not in piece.contact_ids
        batch.refresh_from_db()
        assert batch.samples == []
