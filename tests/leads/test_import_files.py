"""Every kind of file that people bring, and any text at all."""

import csv
import io
import json
import re
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact, Field, Purpose
from leads.importing import pieces, reading, running
from leads.models import Import
from tenants import jobs
from tenants.models import Job, Member, Tenant, Wakeup
from tenants.scope import tenant_scope
from tests.leads.files import PEOPLE, as_csv, as_workbook, begin, go, imported, refusals, sums

TEXT = as_csv(PEOPLE).decode()
SEMICOLONS = as_csv(PEOPLE, ";")


def read(content: bytes) -> tuple[list[str], list[list[str]]]:
    """(names of columns, rows) of a file."""
    table = reading.open_table(io.BytesIO(content))
    return table.headers, [row.cells for row in table.rows]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param(TEXT.encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(TEXT.encode("utf-16-be"), id="UTF-16, big-endian"),
        pytest.param(TEXT.encode("cp1252"), id="Windows-1252"),
        pytest.param(SEMICOLONS, id="semicolons"),
        pytest.param(as_csv(PEOPLE, "\t"), id="tabs"),
        pytest.param(as_csv(PEOPLE, "|"), id="bars"),
        pytest.param(b"sep=;\r\n" + SEMICOLONS, id="a line for spreadsheets"),
        pytest.param(TEXT.replace("\r\n", "\n").encode(), id="line feeds"),
        pytest.param(TEXT.replace("\r\n", "\r").encode(), id="carriage returns"),
        pytest.param(b"\n\n" + TEXT.encode() + b"\n,,,,\n\n", id="empty lines"),
        pytest.param(as_workbook(PEOPLE), id="workbook"),
    ],
)
def test_a_table_is_the_same_however_it_is_written(content: bytes) -> None:
    headers, rows = read(content)
    assert (headers, rows) == (PEOPLE[0], PEOPLE[1:])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_letters_survive_every_encoding(encoding: str) -> None:
    rows = [["Name", "Firma"], ["Müller", "Café Zürich – “Süd”"]]
    assert read(as_csv(rows, ";", encoding))[1] == rows[1:]


def test_quotation_marks_hold_delimiters_and_lines_together() -> None:
    rows = [["mail", "notes"], ["a@b.example", 'one, "two"\r\nthree\nfour'], ["c@b.example", "five"]]
    table = reading.open_table(io.BytesIO(as_csv(rows)))
    assert [(row.line, row.cells) for row in table.rows] == [(2, rows[1]), (5, rows[2])]


def test_two_columns_of_one_name_and_columns_without_one_can_be_told_apart() -> None:
    assert read(b"mail,mail,,mail\na,b,c,d\n")[0] == ["mail", "mail (2)", "Column 3", "mail (3)"]


def test_two_hundred_columns() -> None:
    names = [f"c{n}" for n in range(200)]
    assert read(as_csv([names, names])) == (names, [names])


def test_values_of_a_workbook_are_read_as_they_are_meant() -> None:
    cells: list[Any] = [datetime(2026, 11, 30), date(2026, 1, 2), 49301234.0, 1.5, True, None, "x"]
    headers = [f"c{n}" for n in range(7)]
    assert read(as_workbook([headers, cells]))[1] == [["2026-11-30", "2026-01-02", "49301234", "1.5", "yes", "", "x"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"\n\n  \n", "no rows|no line"),
        (b"mail,name\n", "no rows"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 100, "old kind"),
        (b"PK\x03\x04 no workbook at all", "not an Excel workbook"),
        (as_workbook(PEOPLE)[:-200], "not an Excel workbook|damaged"),
        (as_csv([[f"c{n}" for n in range(1_001)], ["x"]]), "more than 1000 columns"),
        (b'mail,name\na@b.example,"' + b"x" * (2 << 20), "quotation mark"),
    ],
)
def test_a_file_of_which_nothing_can_be_made_says_why(content: bytes, says: str) -> None:
    with pytest.raises(reading.Unusable, match=says):
        read(content)


@pytest.mark.django_db(transaction=True)
class TestThroughTheImport:
    """What becomes of such files in the database."""

    def test_a_spreadsheet_renamed_to_csv(self, acme: Tenant) -> None:
        assert imported(acme, as_workbook(PEOPLE), name="people.csv")["new"] == 3

    def test_ragged_rows(self, acme: Tenant) -> None:
        content = b"mail,first,last\na@b.example,A\nb@b.example,B,B,,\nc@b.example,C,C,surplus\n"
        counts = imported(acme, content)
        assert (counts["new"], counts["refused"]) == (2, 1)
        assert refusals(acme)[0][0] == 4

    def test_dates_in_five_formats(self, acme: Tenant) -> None:
        with tenant_scope(acme):
            Field.objects.create(entity="contact", key="since", label="Since", type="date")
        days = ["2026-04-03", "03.04.2026", "03/04/2026", "3 April 2026", "Apr 3, 2026", "46115", "20260403", "3.4.26"]
        rows = [["mail", "since"], *([f"p{n}@b.example", day] for n, day in enumerate(days))]
        imported(acme, as_csv(rows), is_day_first=True)
        with tenant_scope(acme):
            assert set(Contact.objects.values_list("custom__since", flat=True)) == {"2026-04-03"}
            assert Contact.objects.count() == len(days)
        bad = as_csv([["mail", "since"], ["x@b.example", "31.02.2026"], ["y@b.example", "soon"]])
        assert imported(acme, bad)["refused"] == 2

    def test_the_first_day_over_twelve_says_which_comes_first(self, acme: Tenant) -> None:
        us = as_csv([["mail", "since"], ["a@b.example", "04/03/2026"], ["b@b.example", "04/23/2026"]])
        assert begin(acme, us).options["is_day_first"] is False

    def test_the_last_mapping_of_these_columns_is_remembered(self, acme: Tenant) -> None:
        rows = [["Wer", "Was"], ["a@b.example", "CEO"]]
        imported(acme, as_csv(rows), {"Wer": "contact.email", "Was": "contact.job_title"}, update="fill")
        turned = begin(acme, as_csv([["Was", "Wer"], ["CIO", "b@b.example"]]))
        assert turned.mapping == ["contact.job_title", "contact.email"]
        assert turned.options["update"] == "fill"

    def test_a_mended_file_of_refused_rows_can_be_imported(self, acme: Tenant) -> None:
        from tests.leads.test_import_pages import refused_file

        batch = begin(acme, as_csv([*PEOPLE, ["no address", "Bo", "Day", "=cmd|'/c calc'!A1", ""]]))
        go(acme, batch)
        text = refused_file(acme, batch)
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == [*PEOPLE[0], "Why refused"]
        assert rows[1][3] == "'=cmd|'/c calc'!A1", "a spreadsheet must not take it for a formula"
        rows[1][0] = "bo@b.example"
        counts = imported(acme, as_csv(rows))
        assert counts["new"] == 1
        with tenant_scope(acme):
            assert Contact.objects.get(email="bo@b.example").account.name == "=cmd|'/c calc'!A1"  # type: ignore[union-attr]

    def test_the_columns_of_refused_rows_go_where_they_went(self, acme: Tenant) -> None:
        from tests.leads.test_import_pages import refused_file

        batch = begin(
            acme, as_csv([["Wer", "Was"], ["nobody", "CEO"]]), {"Wer": "contact.email", "Was": "contact.job_title"}
        )
        go(acme, batch)
        again = begin(acme, refused_file(acme, batch).encode())
        assert again.headers == ["Wer", "Was", "Why refused"]
        assert again.mapping == ["contact.email", "contact.job_title", ""]

    def test_a_hundred_megabytes_in_flat_memory(self, acme: Tenant) -> None:
        line = ("x" * 4000).encode()
        content = io.BytesIO(b"mail,notes\n" + b"".join(b"a%d@b.example,%s\n" % (n, line) for n in range(27_000)))
        assert content.getbuffer().nbytes > 100 << 20
        before = psutil.Process().memory_info().rss
        table, peak, count = reading.open_table(content), 0, 0
        for length, _packed in pieces.cut(table.rows):
            count += length
            peak = max(peak, psutil.Process().memory_info().rss - before)
        assert count == 27_000
        # One piece of 5,000 such rows is 20 MB of text, held as cells and as JSON at once.
        assert peak < 150 << 20

    def test_the_command_says_what_it_did_and_refuses_what_is_unusable(
        self, acme: Tenant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file, mapping = tmp_path / "people.csv", tmp_path / "map.json"
        file.write_bytes(as_csv([*PEOPLE, ["nobody", "", "", "", ""]]))
        mapping.write_text(json.dumps({"columns": {"E-Mail": "contact.email"}, "options": {"source": "fair"}}))
        call_command("import_people", str(file), "--tenant", "acme", "--dry-run")
        tried = json.loads(capsys.readouterr().out)
        assert (tried["dry_run"], tried["new"], tried["refused"]) == (True, 3, 1)
        with tenant_scope(acme):
            assert not Contact.objects.exists()
        call_command("import_people", str(file), "--tenant", "acme", "--mapping", str(mapping))
        did = json.loads(capsys.readouterr().out)
        assert (did["new"], did["refusals"][0]["line"]) == (3, 5)
        with tenant_scope(acme):
            assert set(Contact.objects.values_list("first_name", "source")) == {("", "fair")}
        for content in (b"", b"%PDF-1.7", b"a,b\n1,2\n"):
            file.write_bytes(content)
            with pytest.raises(CommandError) as refused:
                call_command("import_people", str(file), "--tenant", "acme")
            assert refused.value.returncode == 1
            assert json.loads(capsys.readouterr().out)["error"]

    def test_the_command_asks_for_what_the_wizard_asks_for(
        self, acme: Tenant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file, mapping = tmp_path / "people.csv", tmp_path / "map.json"
        file.write_bytes(as_csv(PEOPLE))
        with tenant_scope(acme):
            news = Purpose.objects.create(key="news", name="News", is_default=True).pk
        proof = {"basis": "fair", "consent_source": "Hannover", "consented_on": "2026-04-20"}

        def run(answers: Any, *more: str) -> dict[str, Any]:
            mapping.write_text(json.dumps(answers))
            with suppress(CommandError):
                call_command("import_people", str(file), "--tenant", "acme", "--mapping", str(mapping), *more)
            return json.loads(capsys.readouterr().out)

        for wrong, says in (
            ([], "JSON object"),
            ({"columns": ["E-Mail"]}, "JSON object"),
            ({"column": {}}, "JSON object"),
            ({"columns": {"Mail": "contact.email"}}, "no column 'Mail'"),
            ({"columns": {"E-Mail": 5}}, "no field “5”"),
            ({"options": {"colour": "red"}}, "no option colour"),
            ({"options": {"update": "perhaps"}}, "update: .*perhaps"),
            ({"options": {"match_by": "phone"}}, "match_by: .*phone"),
            ({"options": {"purpose_id": news}}, "basis: .*proof"),
            ({"options": {"purpose_id": news + 1, **proof}}, "purpose_id: "),
            ({"options": {"purpose_id": news, **proof, "consented_on": "20.4."}}, "consented_on: "),
        ):
            assert re.search(says, run(wrong)["error"]), wrong
        with tenant_scope(acme):
            assert not Import.objects.exists()
        assert re.search("no option purpose_id", run({"options": {"purpose_id": news}}, "--accounts")["error"])
        assert run({"options": {"purpose_id": news, **proof, "update": "fill"}})["agreed"] == 3
        file.write_bytes(as_csv([PEOPLE[0], ["ida@contoso.example", "", "", "", ""]]))
        assert run({})["agreed"] == 0, "nobody agrees because others did"
        with tenant_scope(acme):
            assert Import.objects.latest("pk").options["update"] == "fill", "the other answers are the last ones"

    def test_a_command_whose_import_was_cancelled_says_so(
        self,
        acme: Tenant,
        sam: Member,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (file := tmp_path / "people.csv").write_bytes(as_csv(PEOPLE))

        def cancel_and_run(tenant_id: int, job: Job) -> bool:
            assert Wakeup.objects.filter(queue=running.QUEUE).exists(), "a worker goes on if the command is killed"
            with tenant_scope(tenant_id):
                jobs.cancel(job, by=sam)
            return run(tenant_id, job)

        run = running.run
        monkeypatch.setattr(running, "run", cancel_and_run)
        with pytest.raises(CommandError, match="cancelled") as refused:
            call_command("import_people", str(file), "--tenant", "acme")
        assert refused.value.returncode == 1
        assert json.loads(capsys.readouterr().out)["state"] == "cancelled"


CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["a@b.example", "A@B.example ", "b@b.example", '"', '""', "\r\n", ";", ",", "\x00", "=1+1", "", "'", "\t"]
)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=12),
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_is_written_every_row_is_made_matched_or_refused(
    acme: Tenant, rows: list[list[str]], delimiter: str, quoting: Any, encoding: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
    writer.writerows([["E-Mail", "First name", "Notes"], ["a@b.example", "A", "x"], *rows])
    written = list(csv.reader(io.StringIO(text.getvalue().replace("\x00", ""), newline=""), delimiter=delimiter))
    with_content = sum(1 for row in written[1:] if any(row))
    columns = {"E-Mail": "contact.email", "First name": "contact.first_name"}
    batch = begin(acme, text.getvalue().encode(encoding), columns)
    assert batch.headers == ["E-Mail", "First name", "Notes"]
    counts = sums(go(acme, batch))
    assert counts["rows"] == with_content
    with tenant_scope(acme):
        assert Contact.objects.filter(email="a@b.example").count() == 1


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=400) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    """A file is a table, or it is refused in words; nothing else."""
    with suppress(reading.Unusable):
        headers, rows = read(content)
        assert headers
        assert rows
        assert len(set(headers)) == len(headers)
        assert "\x00" not in "".join(map("".join, rows))


@pytest.mark.django_db(transaction=True)
def test_a_file_that_breaks_off_later_fails_with_a_reason(acme: Tenant) -> None:
    content = as_csv([*PEOPLE, *PEOPLE[1:] * 100]) + b'x@y.example,"' + b"x" * (2 << 20)
    job = go(acme, begin(acme, content))
    assert job.state == Job.State.FAILED
    assert "quotation mark" in job.error
    with tenant_scope(acme):
        assert Import.objects.get().row_count is None
        assert not Contact.objects.exists()
