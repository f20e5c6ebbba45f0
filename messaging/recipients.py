"""The values that personalization may print, per recipient: plain, and nothing beyond the list in `names`."""

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection
from psycopg import sql

from contacts.models import Field
from messaging import personalization
from messaging.models import ContentSettings
from tenants.models import Tenant

Values = dict[str, Any]
# As long as names get in earnest, and without a place to break it.
LONG = "Wolfeschlegelsteinhausenbergerdorff & Donaudampfschifffahrtsgesellschaft"


def custom_keys() -> dict[str, str]:
    """Custom fields of contacts that mails may name, with their labels; sensitive ones are left out."""
    fields = Field.objects.filter(entity=Field.Entity.CONTACT, is_sensitive=False, retired_at=None)
    return dict(fields.values_list("key", "label"))


def names() -> set[str]:
    """Every name that the tenant's templates may use."""
    return personalization.names(custom_keys())


def load(contact_ids: Iterable[int]) -> dict[int, Values]:
    """{contact: {"contact": …, "account": …}}, by one query; a step along two primary keys each."""
    keys = list(custom_keys())
    ids = list(contact_ids)
    if not ids:
        return {}
    columns = [*_columns("contact", personalization.CONTACT), *_columns("account", personalization.ACCOUNT)]
    if keys:
        columns.append(sql.SQL("contact.custom::text"))
    statement = sql.SQL(
        """SELECT contact.id, {columns} FROM contacts_contact contact
           LEFT JOIN LATERAL (SELECT * FROM contacts_account WHERE id = contact.account_id OFFSET 0) account ON true
           WHERE contact.id = ANY(%s)"""
    ).format(columns=sql.SQL(", ").join(columns))
    with connection.cursor() as cursor:
        cursor.execute(statement, [ids])
        return {row[0]: _values(row[1:], keys) for row in cursor.fetchall()}


def shared(tenant: Tenant, settings: ContentSettings) -> Values:
    """The values that are the same for all recipients of a mail."""
    address = ", ".join(line.strip() for line in settings.postal_address.splitlines() if line.strip())
    return {
        "sender": {"name": settings.from_name, "email": settings.from_email},
        "content": {"company": tenant.name, "postal_address": address},
    }


def nobody() -> Values:
    """Empty values under every name of a contact: what the worst recipient looks like."""
    return _values(("",) * (len(personalization.CONTACT) + len(personalization.ACCOUNT)), list(custom_keys()))


def longest() -> Values:
    """Very long values under every name of a contact: what breaks a narrow line."""
    columns = len(personalization.CONTACT) + len(personalization.ACCOUNT)
    return _values((LONG,) * columns, list(custom_keys()))


def _columns(table: str, columns: tuple[str, ...]) -> list[sql.Composable]:
    return [sql.Identifier(table, column) for column in columns]


def _values(row: tuple[Any, ...], keys: list[str]) -> Values:
    end = len(personalization.CONTACT)
    contact: Values = dict(zip(personalization.CONTACT, row[:end], strict=True))
    custom = json.loads(row[-1] or "{}") if keys and len(row) > end + len(personalization.ACCOUNT) else {}
    contact["custom"] = {key: custom.get(key) for key in keys}
    account = dict(zip(personalization.ACCOUNT, row[end : end + len(personalization.ACCOUNT)], strict=True))
    return {"contact": contact, "account": account}
