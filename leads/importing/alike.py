"""Rows beside those whom they may be about: shown in a trial, for a person to decide."""

from collections.abc import Iterable
from typing import Any

from django.db import connection

from contacts import normalise
from leads.importing.folding import Person

# So many of a piece are kept to look at.
KEPT = 20
SHOWN = ("first_name", "last_name", "email", "phone", "job_title", "city", "country")


def of(people: Iterable[Person], made: set[int]) -> list[dict[str, Any]]:
    """The first rows that several contacts answer to, and new people who have the name or phone of somebody known."""
    several = [_entry(p, "several", [p.contact_id, *p.others]) for p in people if p.others]
    new = [person for person in people if person.is_new]
    found = _look_up(new, made)
    similar = [_entry(new[place], why, ids) for place, (why, ids) in sorted(found.items())]
    return (several + similar)[:KEPT]


def _entry(person: Person, why: str, ids: list[Any]) -> dict[str, Any]:
    values = {name: person.values[name] for name in SHOWN if person.values.get(name)}
    company = person.firm.values.get("name") if person.firm else None
    return {
        "line": person.rows[0].row.line,
        "values": {**values, **({"company": company} if company else {})},
        "ids": ids[:5],
        "why": why,
    }


def _look_up(people: list[Person], made: set[int]) -> dict[int, tuple[str, list[int]]]:
    """By place: who has the same name or phone. Indexes: contact_by_name, contact_by_phone."""
    keys = [
        normalise.person_key(p.values["first_name"], p.values["last_name"])
        if p.values.get("first_name") and p.values.get("last_name")
        else None
        for p in people
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT given.place, found.why, array_agg(DISTINCT found.id)
               FROM unnest(%(places)s::int[], %(keys)s::text[], %(phones)s::text[]) AS given (place, key, phone)
               CROSS JOIN LATERAL (
                 (SELECT id, 'phone' AS why FROM contacts_contact contact
                  WHERE contact.phone = given.phone AND contact.phone <> '' AND contact.is_active
                    AND contact.id <> ALL(%(made)s) LIMIT 3)
                 UNION ALL
                 (SELECT id, 'name' FROM contacts_contact contact
                  WHERE contact.sort_key = given.key AND contact.is_active AND contact.id <> ALL(%(made)s)
                  LIMIT 3)) found
               GROUP BY 1, 2 ORDER BY 1, 2 LIMIT %(kept)s""",
            {
                "places": list(range(len(people))),
                "keys": keys,
                "phones": [person.values.get("phone") for person in people],
                "made": sorted(made),
                "kept": KEPT,
            },
        )
        return {place: (why, ids) for place, why, ids in cursor.fetchall()}
