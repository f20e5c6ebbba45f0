"""Lists as files, and the same fields in the admin: nothing in them computes."""

import csv
import io
from collections.abc import Callable

import pytest

from contacts import people
from contacts.cells import neutral
from contacts.models import Field
from leads import creation
from tenants.models import Member, Tenant, User
from tenants.scope import tenant_scope
from tests.cast import TenantClient

pytestmark = pytest.mark.django_db(transaction=True)
ClientOf = Callable[..., TenantClient]
FORMULA = "=cmd|'/c calc'!A1"


@pytest.mark.parametrize("text", [FORMULA, "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_compute_gets_a_quote(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Amara", "+493012345678", "-5", "a=b", "1+1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text


def rows_of(client: TenantClient, path: str) -> list[dict[str, str]]:
    """The lines of a file by the names of its columns."""
    answer = client.get(path)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type]
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def shown(acme: Tenant) -> None:
    """A contact with everything, one more, and a lead."""
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="plan", label="Plan")
        account = people.create_account({"name": FORMULA, "domain": "contoso.example", "employees": 12})
        amara = people.create_contact(
            {
                "email": "amara@contoso.example",
                "last_name": FORMULA,
                "phone": "+493012345678",
                "custom": {"plan": "Pro"},
            },
            account=account,
        )
        people.create_contact({"email": "wei@fabrikam.example", "last_name": "Chen"})
        creation.create_lead(FORMULA, contact=amara, source="manual")


def test_lists_are_exported_as_they_are_filtered(shown: None, sam: Member, client_of: ClientOf) -> None:
    client = client_of(sam)
    everybody = rows_of(client, "/audience/contacts/export/")
    assert [row["email"] for row in everybody] == ["amara@contoso.example", "wei@fabrikam.example"]
    assert everybody[0]["last_name"] == f"'{FORMULA}"
    assert (everybody[0]["phone"], everybody[0]["custom.plan"]) == ("+493012345678", "Pro")
    assert everybody[0]["company"] == f"'{FORMULA}"
    assert [row["email"] for row in rows_of(client, "/audience/contacts/export/?q=chen")] == ["wei@fabrikam.example"]
    assert rows_of(client, "/audience/accounts/export/")[0]["employees"] == "12"
    [lead] = rows_of(client, "/sales/leads/export/")
    assert (lead["topic"], lead["email"]) == (f"'{FORMULA}", "amara@contoso.example")


def test_an_export_takes_no_more_queries_for_more_rows(
    acme: Tenant, shown: None, sam: Member, client_of: ClientOf, django_assert_max_num_queries: Callable
) -> None:
    with tenant_scope(acme):
        for n in range(30):
            people.create_contact({"email": f"p{n}@b.example"})
    client = client_of(sam)
    with django_assert_max_num_queries(25):
        assert len(rows_of(client, "/audience/contacts/export/")) == 32


def test_the_admin_exports_the_same_fields(acme: Tenant, shown: None, client: TenantClient) -> None:
    client.force_login(User.objects.create_superuser("root@onward.example", "secret-root"))
    answer = client.post(
        "/admin/t/acme/contacts/contact/export/",
        {"format": "0", "resource": "", **{f"contactresource_{name}": "on" for name in ("email", "last_name")}},
    )
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "amara@contoso.example" in text
    assert "\n=cmd" not in text.replace(",", "\n")
