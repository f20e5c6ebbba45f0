"""Which rows of a piece are about the same person or company: they are written as one.

What a row would find if those before it had been written already decides, so that a piece comes to the same as its rows
one after the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from contacts import normalise
from leads.importing.cleaning import Cleaned
from leads.importing.options import MatchBy, Options, Update


@dataclass(slots=True, eq=False)
class Firm:
    """A company that rows name or whose domain an address has; made only if it has a name."""

    place: int
    values: dict[str, Any]
    key: str
    domain: str
    mail_domain: str
    country: str
    account_id: int | None = None
    is_new: bool = False
    is_needed: bool = False
    is_changed: bool = False

    @property
    def number(self) -> int:
        """What tells it from others across the pieces of a trial."""
        return number_of("firm", self.domain or self.mail_domain or f"{self.key}/{self.country}")


@dataclass(slots=True, eq=False)
class Person:
    """Somebody whom rows are about; `rows` are in the file's order."""

    place: int
    values: dict[str, Any]
    firm: Firm | None
    rows: list[Cleaned]
    key: tuple[Any, ...] | None
    decided: str = ""
    contact_id: int | None = None
    others: list[int] = field(default_factory=list)
    is_new: bool = False
    is_changed: bool = False
    # The address may be noted as agreeing: nobody with it has refused.
    may_agree: bool = False

    @property
    def number(self) -> int | None:
        """What tells her from others across the pieces of a trial; None: nothing does."""
        email = self.values.get("email")
        if self.key is None and not email:
            return None
        return number_of("person", *((self.key or ()) if self.key else ("email", email)))


@dataclass
class Folded:
    """The people and companies of a piece, and its rows beside whom they are about."""

    people: list[Person]
    firms: list[Firm]
    rows: list[tuple[Cleaned, Person | None, Firm | None]]


def fold(rows: Iterable[Cleaned], options: Options) -> Folded:
    """Bring the rows of a piece together."""
    firms, people = _Firms(), _People(options)
    found = []
    for row in rows:
        firm = firms.of(row)
        person = people.of(row, firm) if row.contact else None
        found.append((row, person, firm))
    return Folded(people.all, firms.all, found)


def number_of(*parts: Any) -> int:
    """A number of 64 bits for the parts: equal for equal ones."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class _Firms:
    def __init__(self) -> None:
        self.all: list[Firm] = []
        self._by_domain: dict[str, Firm] = {}
        self._by_key: dict[str, list[Firm]] = {}
        self._keys: dict[str, str] = {"": ""}

    def of(self, row: Cleaned) -> Firm | None:
        name, domain = row.account.get("name", ""), row.account.get("domain", "")
        email = row.contact.get("email", "")
        mail_domain, key = normalise.email_domain(email) if email else "", self._key_of(name)
        if not (key or domain or mail_domain):
            return None
        country = row.account.get("country") or row.contact.get("country", "")
        firm = self._find(domain, mail_domain, key, country)
        if firm is None:
            firm = Firm(len(self.all), {}, key, domain, mail_domain, country)
            self.all.append(firm)
        firm.values.update(row.account)
        firm.key, firm.domain, firm.mail_domain = (
            firm.key or key,
            firm.domain or domain,
            firm.mail_domain or mail_domain,
        )
        for known in filter(None, (domain, mail_domain)):
            self._by_domain.setdefault(known, firm)
        if key and firm not in self._by_key.setdefault(key, []):
            self._by_key[key].append(firm)
        return firm

    def _key_of(self, name: str) -> str:
        """A name is compared often, and many rows have the same."""
        if name not in self._keys:
            self._keys[name] = normalise.company_key(name)
        return self._keys[name]

    def _find(self, domain: str, mail_domain: str, key: str, country: str) -> Firm | None:
        for known in filter(None, (domain, mail_domain)):
            if firm := self._by_domain.get(known):
                return firm
        named = self._by_key.get(key, ()) if key else ()
        return next((f for f in named if not country or not f.country or f.country == country), None)


class _People:
    def __init__(self, options: Options) -> None:
        self.all: list[Person] = []
        self._options = options
        self._by_key: dict[tuple[Any, ...], Person] = {}
        self._by_email: dict[str, Person] = {}

    def of(self, row: Cleaned, firm: Firm | None) -> Person:
        values, decided = row.contact, self._options.decided.get(str(row.row.line), "")
        key = ("decided", decided) if decided else key_of(values, firm, self._options.match_by)
        person = self._by_key.get(key) if key else None
        if person is None and not decided:
            person = self._by_email.get(values.get("email", ""))
        if person is None:
            person = Person(len(self.all), dict(values), firm, [], key, decided)
            self.all.append(person)
        elif self._options.update == Update.OVERWRITE:
            own = {**person.values.get("custom", {}), **values.get("custom", {})}
            person.values.update(values)
            if own:
                person.values["custom"] = own
        elif self._options.update == Update.FILL:
            own = {**values.get("custom", {}), **person.values.get("custom", {})}
            person.values = {**values, **person.values}
            if own:
                person.values["custom"] = own
        person.rows.append(row)
        person.firm = person.firm or firm
        if key:
            self._by_key.setdefault(key, person)
        if email := person.values.get("email"):
            self._by_email.setdefault(email, person)
        return person


def key_of(values: dict[str, Any], firm: Firm | None, match_by: str) -> tuple[Any, ...] | None:
    """What the row must have in common with another to be about the same person; None if it lacks a part of it."""
    if match_by == MatchBy.NAME:
        if not (values.get("first_name") and values.get("last_name") and firm):
            return None
        return ("name", normalise.person_key(values["first_name"], values["last_name"]), firm.place)
    value = values.get(match_by)
    return (match_by, value) if value else None
