"""What of contacts and accounts goes into files and comes out of them: django-import-export's Resources.

They declare the fields and how a cell is read and written; `contacts.targets` offers them to mappings, exports write
by them. Writing into the database is the verbs' business, so they are never used to save.
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from import_export.fields import Field
from import_export.resources import Resource

from contacts import cells, custom
from contacts.models import Account, Contact


class Column(Field):
    """A field of a resource, with the other names under which files have it."""

    def __init__(self, attribute: str, widget: cells.Cell, *also_called: str, is_export_only: bool = False) -> None:
        super().__init__(attribute, attribute, widget, readonly=is_export_only)
        self.also_called = also_called


class RecordResource(Resource):
    """A resource whose tenant's own fields are columns as well."""

    entity: ClassVar[str]
    model: ClassVar[type[Model]]

    @classmethod
    def get_display_name(cls) -> str:
        """What the admin calls it."""
        return str(cls.model._meta.verbose_name_plural)

    def own_columns(self) -> dict[str, Column]:
        """A column for each of the tenant's own fields in use, by key."""
        return {key: Column(key, cell_of(field), field.label) for key, field in custom.fields(self.entity).items()}

    def head(self) -> list[str]:
        return [*self.fields, *(f"custom.{key}" for key in self.own_columns())]

    def lines(self, rows: Iterable[Any]) -> Iterator[list[str]]:
        """A line of cells per record, neutral in spreadsheets; two queries for all that are no field of the records."""
        own = self.own_columns()
        for row in rows:
            named = [field.widget.render(field.get_value(row), row) for field in self.fields.values()]
            yield named + [column.widget.render(row.custom.get(key), row) for key, column in own.items()]


def cell_of(field: Any) -> cells.Cell:
    """How a cell of one of the tenant's own fields is read."""
    kind = field.type
    if kind == field.Type.CHOICE:
        return cells.ChoiceCell(field.options)
    types = {
        field.Type.NUMBER: cells.NumberCell,
        field.Type.DATE: cells.DateCell,
        field.Type.BOOLEAN: cells.BooleanCell,
    }
    return types.get(kind, cells.Cell)()


class ContactResource(RecordResource):
    """A contact's fields."""

    entity = "contact"
    model = Contact
    email = Column("email", cells.EmailCell(254), "e mail", "mail", "email address", "e mail address", "mail address")
    first_name = Column(
        "first_name", cells.Cell(100), "first", "given name", "forename", "vorname", "prenom", "firstname"
    )
    last_name = Column("last_name", cells.Cell(100), "last", "surname", "family name", "nachname", "nom", "lastname")
    job_title = Column("job_title", cells.Cell(150), "title", "position", "job", "function", "role", "stelle", "poste")
    country = Column("country", cells.CountryCell(100), "country code", "land", "pays", "nation", "country region")
    phone = Column("phone", cells.PhoneCell(60), "telephone", "mobile", "tel", "phone number", "telefon", "cell")
    city = Column("city", cells.Cell(100), "town", "ort", "stadt", "ville")
    language = Column("language", cells.LanguageCell(10), "sprache", "langue", "locale")
    linkedin_url = Column("linkedin_url", cells.LinkCell(300), "linkedin", "linkedin profile", "profile url")
    external_id = Column(
        "external_id", cells.Cell(100), "id", "contact id", "customer number", "record id", "kundennummer"
    )
    owner = Column("owner", cells.MemberCell(), "contact owner", "account manager", "sales rep")
    do_not_email = Column("do_not_email", cells.BooleanCell(), "email opt out", "no email")
    do_not_bulk_email = Column("do_not_bulk_email", cells.BooleanCell(), "bulk email opt out", "no bulk email")
    do_not_phone = Column("do_not_phone", cells.BooleanCell(), "do not call", "no calls")
    do_not_track = Column("do_not_track", cells.BooleanCell(), "no tracking")
    company = Column("account__name", cells.Cell(), is_export_only=True)
    consent_level = Column("consent_level", cells.NumberCell(), is_export_only=True)
    source = Column("source", cells.Cell(), is_export_only=True)
    created_at = Column("created_at", cells.Cell(), is_export_only=True)

    @staticmethod
    def rows(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
        """The contacts with all that their lines show, in one query."""
        return contacts.select_related("account", "owner__user")


class AccountResource(RecordResource):
    """An account's fields."""

    entity = "account"
    model = Account
    name = Column(
        "name", cells.Cell(200), "company", "company name", "account", "account name", "organization", "organisation",
        "firma", "unternehmen", "entreprise", "societe", "employer",
    )  # fmt: skip
    domain = Column("domain", cells.DomainCell(253), "website", "web site", "web domain", "url", "homepage", "web")
    country = Column("country", cells.CountryCell(100), "company country", "account country")
    city = Column("city", cells.Cell(100), "company city", "headquarters")
    industry = Column("industry", cells.Cell(100), "branche", "sector", "secteur")
    employees = Column("employees", cells.NumberCell(100_000_000), "number of employees", "company size", "mitarbeiter")
    phone = Column("phone", cells.PhoneCell(60), "company phone", "switchboard")
    owner = Column("owner", cells.MemberCell(), "account owner")
    created_at = Column("created_at", cells.Cell(), is_export_only=True)

    @staticmethod
    def rows(accounts: QuerySet[Account]) -> QuerySet[Account]:
        """The accounts with all that their lines show, in one query."""
        return accounts.select_related("owner__user")
