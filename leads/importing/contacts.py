"""The people of a piece: found by what the import matches by, made, and changed, in sets.

What the rows say of them is copied once (`given_contact`, each at its place); every statement takes it from there.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import connection
from psycopg import sql

from contacts import normalise
from contacts.models import Contact
from leads.importing import staging
from leads.importing.folding import Person
from leads.importing.options import MatchBy, Options
from leads.importing.staging import Change, Record, Spelled

_TEXT = (
    "email", "first_name", "last_name", "sort_key", "job_title", "phone", "country", "city", "time_zone", "language",
    "linkedin_url", "external_id", "source",
)  # fmt: skip
_FLAGS = ("do_not_email", "do_not_bulk_email", "do_not_phone", "do_not_track")
CONTACT = Record(
    "contact",
    "contacts_contact",
    columns={
        **dict.fromkeys(_TEXT, "text"),
        **dict.fromkeys(_FLAGS, "boolean"),
        "account_id": "bigint",
        "owner_id": "bigint",
        "consent_level": "smallint",
        "custom": "jsonb",
    },
    blanks={**dict.fromkeys(_TEXT, ""), **dict.fromkeys(_FLAGS, False), "consent_level": 0, "custom": {}},
    on_conflict="ON CONFLICT (tenant_id, email) WHERE is_active AND email <> '' DO NOTHING",
    # A file never takes back what somebody has asked for, nor a person from her company.
    only_raised=frozenset(_FLAGS),
    only_filled=frozenset({"account_id"}),
)
MODEL = Contact
# More hits than this say no more than that there are many.
HITS = 10


def spell(people: Sequence[Person]) -> Spelled:
    """What the rows say of the people, for `find` and `make`; needs no database."""
    return staging.spell(CONTACT, [_said(person) for person in people])


def find(people: Sequence[Person], spelled: Spelled, options: Options) -> None:
    """Note the contact of each person who is known, and the others who would answer too, the latest changed first.

    By what the import matches by; whoever is not found that way, or lacks it, by her address, which only one active
    contact can have. Indexes: contact_by_email, _by_phone, _by_external_id, _by_linkedin, _of_account.
    """
    staging.put(CONTACT, spelled)
    for person in people:
        if person.decided.isdecimal():
            person.contact_id = int(person.decided)
    _check_decided([person for person in people if person.contact_id])
    _look_up([p for p in people if p.contact_id is None and p.key and p.key[0] != "decided"], options.match_by)
    if options.match_by != MatchBy.EMAIL:
        find_by_address(people)


def find_by_address(people: Sequence[Person]) -> None:
    """Note the contacts of those whose address is taken."""
    _look_up([p for p in people if p.contact_id is None and p.values.get("email")], MatchBy.EMAIL)


def make(people: Sequence[Person], spelled: Spelled, options: Options, numbers_seen: set[int]) -> set[int]:
    """Make contacts of those who are not known; returns their ids.

    An address that was taken this moment leads to its contact. `numbers_seen` are those whom earlier pieces of a trial
    would have made: they are no longer new.
    """
    new = [person for person in people if person.contact_id is None]
    ids = staging.next_ids(CONTACT.table, len(new))
    rows = [
        {"id": id_, "place": person.place, "account_id": _account_of(person), "consent_level": _level(person, options)}
        for person, id_ in zip(new, ids, strict=True)
    ]
    record = replace(CONTACT, blanks={**CONTACT.blanks, "source": (options.source or "import")[:60]})
    made = staging.insert(record, rows, beside=spelled.names)
    for person, id_ in zip(new, ids, strict=True):
        if id_ in made:
            person.contact_id = id_
            person.is_new = not numbers_seen or person.number not in numbers_seen
    find_by_address([person for person in new if person.contact_id is None])
    return made


def change(people: Sequence[Person], made: set[int], policy: str) -> list[Change]:
    """Change the contacts that were known; several rows about one contact change it as the last of them says."""
    rows: dict[int, dict[str, Any]] = {}
    known = [person for person in people if person.contact_id and person.contact_id not in made]
    for person in known:
        row = {**_values(person), "id": person.contact_id, "account_id": _account_of(person)}
        if person.key and person.key[0] == MatchBy.EMAIL:
            # She was found by it.
            row["email"] = None
        rows[row["id"]] = {**rows.get(row["id"], {}), **{name: v for name, v in row.items() if v is not None}}
    _leave_taken_addresses(rows)
    changes = staging.update(CONTACT, list(rows.values()), policy)
    changed = {change.id for change in changes}
    for person in known:
        person.is_changed = person.contact_id in changed
    _sort_anew([c for c in changes if {"first_name", "last_name", "email"} & set(c.after)])
    return changes


def _said(person: Person) -> dict[str, Any]:
    """What the rows say of a person, by column, with what follows from it."""
    values = _values(person)
    names = (values.get("first_name", ""), values.get("last_name", ""), values.get("email", ""))
    return {"place": person.place, **values, "sort_key": normalise.person_key(*names)}


def _values(person: Person) -> dict[str, Any]:
    values = person.values
    if "owner" in values:
        values = {("owner_id" if name == "owner" else name): value for name, value in values.items()}
    return values


def _account_of(person: Person) -> int | None:
    return person.firm.account_id if person.firm else None


def _level(person: Person, options: Options) -> int:
    return options.consent_level if person.may_agree else 0


def _check_decided(people: list[Person]) -> None:
    """Of the contacts that somebody recognised, only active ones of this company count."""
    if not people:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM contacts_contact WHERE id = ANY(%s) AND is_active", [[p.contact_id for p in people]]
        )
        there = {id_ for (id_,) in cursor.fetchall()}
    for person in people:
        if person.contact_id not in there:
            person.contact_id = None


def _look_up(asked: Sequence[Person], match_by: str) -> None:
    """One look-up per person of the piece into an index; what is found of those who are asked for is noted."""
    if not asked:
        return
    source: sql.Composable = sql.SQL("")
    where: sql.Composable
    # Only one active contact has an address, so there is nothing to put into an order.
    order, hits = sql.SQL("ORDER BY contact.updated_at DESC, contact.id DESC"), HITS
    if match_by == MatchBy.EMAIL:
        order, hits = sql.SQL(""), 1
    if match_by == MatchBy.NAME:
        firms = ([person.place, _account_of(person)] for person in asked)
        staging.stage("given_firms", {"place": "integer", "account_id": "bigint"}, firms)
        source = sql.SQL("JOIN given_firms firm USING (place)")
        where = sql.SQL("contact.account_id = firm.account_id AND contact.sort_key = given.sort_key")
    else:
        # The second condition is what the partial index of a column asks for.
        where = sql.SQL("contact.{0} = given.{0} AND contact.{0} <> ''").format(sql.Identifier(str(match_by)))
    statement = sql.SQL(
        """SELECT place, ids
           FROM given_contact given {source}
           CROSS JOIN LATERAL (SELECT ARRAY(SELECT contact.id FROM contacts_contact contact
                                            WHERE {where} AND contact.is_active
                                            {order} LIMIT {hits}) AS ids
                               OFFSET 0) found
           WHERE cardinality(ids) > 0"""
    ).format(source=source, where=where, order=order, hits=sql.Literal(hits))
    by_place = {person.place: person for person in asked}
    with connection.cursor() as cursor:
        cursor.execute(statement)
        for place, ids in cursor.fetchall():
            if person := by_place.get(place):
                person.contact_id, person.others = ids[0], ids[1:]


def _leave_taken_addresses(rows: dict[int, dict[str, Any]]) -> None:
    """A contact does not get an address that another has, or that another row of the piece gives to another."""
    given: dict[str, int] = {}
    for id_, row in rows.items():
        if (email := row.get("email")) and given.setdefault(email, id_) != id_:
            del row["email"]
    if not given:
        return
    staging.stage_keys("given_emails", ([email] for email in given), email="text")
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT given.email, contact.id FROM given_emails given
               CROSS JOIN LATERAL (SELECT id FROM contacts_contact contact
                                   WHERE contact.email = given.email AND contact.is_active LIMIT 1) contact"""
        )
        for email, owner in cursor.fetchall():
            if owner != given[email]:
                del rows[given[email]]["email"]


def _sort_anew(changes: Sequence[Change]) -> None:
    """Compute the sort keys of contacts whose names have changed, and keep the old one with what was before."""
    if not changes:
        return
    by_id = {change.id: change for change in changes}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, first_name, last_name, email, sort_key FROM contacts_contact WHERE id = ANY(%s)", [list(by_id)]
        )
        keys = {}
        for id_, first_name, last_name, email, sort_key in cursor.fetchall():
            keys[id_] = normalise.person_key(first_name, last_name, email)
            by_id[id_].before["sort_key"] = sort_key
        cursor.execute(
            """UPDATE contacts_contact contact SET sort_key = given.key
               FROM unnest(%s::bigint[], %s::text[]) AS given (id, key) WHERE contact.id = given.id""",
            [list(keys), list(keys.values())],
        )
