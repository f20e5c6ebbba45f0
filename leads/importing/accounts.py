"""The companies of a piece: found by domain or name, made, and changed, in sets."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from contacts.models import Account
from leads.importing import staging
from leads.importing.folding import Firm
from leads.importing.staging import Change, Record

MODEL = Account
_TEXT = ("name", "name_key", "domain", "country", "city", "industry", "phone")
ACCOUNT = Record(
    "account",
    "contacts_account",
    columns={**dict.fromkeys(_TEXT, "text"), "employees": "integer", "owner_id": "bigint", "custom": "jsonb"},
    blanks={**dict.fromkeys(_TEXT, ""), "custom": {}},
)


def find(firms: Sequence[Firm]) -> None:
    """Note the account of each company that is known: by its own domain, by its people's, else by its name.

    As `contacts.matching.match_account`, for all at once. Indexes: account_by_domain, account_by_name.
    """
    for attribute in ("domain", "mail_domain"):
        _by_domain([firm for firm in firms if firm.account_id is None and getattr(firm, attribute)], attribute)
    _by_name([firm for firm in firms if firm.account_id is None and firm.key])


def make(firms: Sequence[Firm], numbers_seen: set[int]) -> None:
    """Make the companies that somebody needs and nobody knows; one without a name is never made.

    `numbers_seen` are those that earlier pieces of a trial would have made: they are no longer new.
    """
    wanted = [f for f in firms if f.account_id is None and f.is_needed and f.key]
    for firm, account_id in zip(wanted, staging.next_ids(ACCOUNT.table, len(wanted)), strict=True):
        firm.account_id = account_id
        firm.is_new = not numbers_seen or firm.number not in numbers_seen
    rows = [{**_row(f), "domain": f.domain or f.mail_domain, "country": f.country} for f in wanted]
    staging.insert(ACCOUNT, rows)


def change(firms: Sequence[Firm], policy: str, *, is_main: bool) -> list[Change]:
    """Change the known companies by what the rows say of them.

    Rows about people only fill in what is empty of a company's name and domain: a person's idea of her employer's name
    is no reason to rename it.
    """
    said = {name for firm in firms for name in firm.values} - ({"name"} if not is_main else set())
    known = [firm for firm in firms if firm.account_id and not firm.is_new] if said else []
    rows: dict[int, dict[str, Any]] = {}
    for firm in known:
        row = _row(firm)
        if not is_main:
            row = {name: value for name, value in row.items() if name not in ("name", "name_key")}
        rows[row["id"]] = {**rows.get(row["id"], {}), **{name: v for name, v in row.items() if v is not None}}
    changes = staging.update(ACCOUNT if is_main else _OF_PEOPLE, list(rows.values()), policy)
    changed = {change.id for change in changes}
    for firm in known:
        firm.is_changed = firm.account_id in changed
    return changes


_OF_PEOPLE = Record("account", ACCOUNT.table, ACCOUNT.columns, ACCOUNT.blanks, only_filled=frozenset({"domain"}))


def _row(firm: Firm) -> dict[str, Any]:
    values = {name: value for name, value in firm.values.items() if name != "owner"}
    return {
        "id": firm.account_id,
        **values,
        **({"name_key": firm.key} if firm.key else {}),
        "owner_id": firm.values.get("owner"),
    }


def _by_domain(firms: list[Firm], attribute: str) -> None:
    if not firms:
        return
    domains = "\n".join(getattr(firm, attribute) for firm in firms)  # which have no line breaks
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT given.place, found.id
               FROM unnest(string_to_array(%s, E'\n')) WITH ORDINALITY AS given (domain, place)
               CROSS JOIN LATERAL (SELECT id FROM contacts_account account
                                   WHERE account.domain = given.domain AND account.is_active
                                   ORDER BY account.updated_at DESC, account.id LIMIT 1) found""",
            [domains],
        )
        for place, account_id in cursor.fetchall():
            firms[place - 1].account_id = account_id


def _by_name(firms: list[Firm]) -> None:
    if not firms:
        return
    staging.stage_keys("given_names", ([firm.key, firm.country] for firm in firms), name_key="text", country="text")
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT given.place, found.id FROM given_names given
               CROSS JOIN LATERAL (
                 SELECT id FROM contacts_account account
                 WHERE account.name_key = given.name_key AND account.is_active
                   AND (given.country = '' OR account.country IN ('', given.country))
                 ORDER BY account.updated_at DESC, account.id LIMIT 1) found"""
        )
        for place, account_id in cursor.fetchall():
            firms[place].account_id = account_id
