"""Cells as values, and columns as targets."""

from collections.abc import Callable
from typing import Any

import pytest

from contacts import cells, mapping, targets
from contacts.models import Field
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope


@pytest.mark.parametrize(
    ("cell", "text", "value"),
    [
        (cells.Cell(10), "  a \n b ", "a b"),
        (cells.Cell(10), "'=1+1", "=1+1"),
        (cells.Cell(10), " ", None),
        (cells.EmailCell(254), " mailto:Amara@Contoso.Example", "amara@contoso.example"),
        (cells.EmailCell(254), "o'hara@münchen.example", "o'hara@münchen.example"),
        (cells.CountryCell(100), "Deutschland", "DE"),
        (cells.CountryCell(100), "österreich", "AT"),
        (cells.CountryCell(100), "gb", "GB"),
        (cells.DomainCell(300), "https://www.Contoso.example/about?x=1", "contoso.example"),
        (cells.LinkCell(300), "linkedin.com/in/amara", "https://linkedin.com/in/amara"),
        (cells.LanguageCell(20), "DE_at", "de-at"),
        (cells.NumberCell(), "1,200", 1200),
        (cells.NumberCell(), "1.200.000", 1_200_000),
        (cells.NumberCell(), "1 200", 1200),
        (cells.NumberCell(), "-7.0", -7),
        (cells.BooleanCell(), "Ja", True),
        (cells.BooleanCell(), "0", False),
        (cells.DateCell(), "31.12.99", "1999-12-31"),
        (cells.DateCell(), "2026-04-03T10:00:00", "2026-04-03"),
        (cells.DateCell(is_day_first=False), "03/04/2026", "2026-03-04"),
        (cells.DateCell(is_day_first=False), "23/04/2026", "2026-04-23"),
        (cells.ChoiceCell(["Basic", "Pro"]), "PRO", "Pro"),
        (cells.Lines(100), "one\ntwo ", "one\ntwo"),
        (cells.Lines(100), "'=1+1\ntwo", "=1+1\ntwo"),
    ],
)
def test_a_cell_is_read_as_it_is_meant(cell: cells.Cell, text: str, value: Any) -> None:
    assert cell.clean(text) == value


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (cells.Cell(3), "four"),
        (cells.Lines(3), "a\nbc"),
        (cells.EmailCell(254), "a@b"),
        (cells.EmailCell(254), "a b@c.example"),
        (cells.PhoneCell(60), "030 12345678"),
        (cells.CountryCell(100), "Atlantis"),
        (cells.DomainCell(300), "no domain"),
        (cells.LinkCell(300), "javascript:alert(1)"),
        (cells.NumberCell(), "1,5"),
        (cells.NumberCell(), "12 apples"),
        (cells.BooleanCell(), "perhaps"),
        (cells.DateCell(), "31.02.2026"),
        (cells.DateCell(), "soon"),
        (cells.ChoiceCell(["Basic"]), "Pro"),
        (cells.MemberCell(), "Nobody"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(cell: cells.Cell, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        cell.clean(text)


def test_a_phone_is_read_as_one_of_the_row_s_country() -> None:
    assert cells.PhoneCell(60).clean("030 12345678", {"country": "DE"}) == "+493012345678"


@pytest.mark.django_db
def test_targets_are_declared_and_own_fields_and_know_the_company_s_people(
    acme: Tenant, sam: Member, rob: Member
) -> None:
    with tenant_scope(acme):
        Field.objects.create(entity="account", key="size", label="Size class", type="number")
        found = targets.of("contact", "account")
    assert found["account.custom.size"].is_custom
    assert not found["contact.email"].is_custom
    assert "contact.consent_level" not in found, "what is derived cannot be set"
    owner = found["contact.owner"].cell
    assert owner.clean("SAM@acme.example") == sam.pk
    with pytest.raises(ValueError, match="not a member"):
        owner.clean(rob.user.email)


@pytest.mark.django_db
def test_columns_are_guessed_by_their_names(acme: Tenant) -> None:
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="plan", label="Plan")
        offered = targets.of("contact", "account", "lead")
    names = ["E-Mail Address", "Vorname", "SURNAME", "Firma", "plan", "Company phone", "Phone", "email", "whatever", ""]
    assert targets.guess(names, offered) == [
        "contact.email", "contact.first_name", "contact.last_name", "account.name", "contact.custom.plan",
        "account.phone", "contact.phone", "", "", "",
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_number_of_queries_is_the_same_for_any_number_of_fields(
    acme: Tenant, sam: Member, django_assert_num_queries: Callable
) -> None:
    for n in range(10):
        with tenant_scope(acme):
            Field.objects.create(entity="contact", key=f"f{n}", label=f"F{n}")
            with django_assert_num_queries(3):
                targets.of("contact", "account", "lead")


def test_the_editor_sends_what_the_reader_reads() -> None:
    assert mapping.read({"to-0": "contact.email", "to-2": "x" * 200}, 3) == ["contact.email", "", "x" * 80]
