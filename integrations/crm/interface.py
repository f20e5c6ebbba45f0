"""What a package has to offer so that sales can work in its CRM, and the words in which both sides talk.

    crms.add(Crm("dynamics", DynamicsSession, tables=…, …))

Records go by our words (`Entity`, and the standings below), columns by theirs. A `Session` is used outside of any
transaction; whatever holds for a whole call it says by raising `client.CallFailed`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from integrations.models import Connection
from tenants.registry import Text


class Status(StrEnum):
    """Where a lead or opportunity of theirs stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    QUALIFIED = "qualified"
    DISQUALIFIED = "disqualified"
    WON = "won"
    LOST = "lost"


class How(StrEnum):
    """Under which condition a record is written."""

    # Made, or brought up to date if our key is there already.
    UPSERT = "upsert"
    # Changed only if it still is in the version that we know.
    UPDATE = "update"


class Outcome(StrEnum):
    """What became of a unit of writes."""

    WRITTEN = "written"
    # Somebody has changed it meanwhile: read it and decide again.
    CONFLICT = "conflict"
    # It has been deleted there.
    GONE = "gone"
    # It is closed there and takes no changes.
    CLOSED = "closed"
    # It will never be taken as it is.
    REJECTED = "rejected"
    # We may not do that (any more).
    DENIED = "denied"
    # Not now.
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Reference:
    """A record of theirs: by their key if it is known, else by ours."""

    entity: str
    external_id: str = ""
    uid: UUID | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One record to be written. `values` are their columns; `references` lead by role ("contact") to records."""

    entity: str
    uid: UUID
    how: How
    values: Mapping[str, Any]
    references: Mapping[str, Reference] = dataclasses.field(default_factory=dict)
    external_id: str = ""
    version: str = ""
    # It was closed there and is to be worked on again.
    reopens: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A record as they have it now. `standing` says by our words what is no column: see `crm.news`."""

    entity: str
    external_id: str
    version: str
    values: Mapping[str, Any]
    uid: UUID | None = None
    changed_at: datetime | None = None
    standing: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a unit; `records` are its writes' records, in order, if it was written.

    `missing`: their keys of what is gone, as far as they named it.
    """

    outcome: Outcome
    records: Sequence[Record] = ()
    error: str = ""
    missing: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what has changed, and the position behind it."""

    records: Sequence[Record]
    deleted: Sequence[str]
    position: str
    # Nothing more has changed until now.
    is_last: bool


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who works there."""

    external_id: str
    name: str
    email: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a test of the connection looked at, and what to do if it is not as it should be."""

    name: Text
    is_fine: bool
    text: Text = ""
    # The connection works without it.
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Default:
    """A mapping that a new connection begins with."""

    field: str
    remote: str
    owner: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Expired(Exception):
    """They do not know the position any more: everything has to be read again."""


class Session(Protocol):
    """Talks to one connection's CRM."""

    def write(self, units: Sequence[Sequence[Write]]) -> list[Result]:
        """Write units, each of them whole or not at all; a result for each, in order. To repeat it harms nobody."""

    def read(self, entity: str, references: Sequence[Reference]) -> list[Record | None]:
        """The records as they are now, in order; None for one that is not there."""

    def changes(self, table: str, position: str) -> Page:
        """What has changed since a position ("": everything, from the beginning). Raises Expired."""

    def erase(self, entity: str, reference: Reference, *, is_emptied: bool) -> None:
        """Delete a record, or empty it of what says who it is; nothing happens to one that is gone."""

    def columns(self, entity: str) -> list[Mapping[str, Any]]:
        """What the entity's table can hold: `columns.Column`s as JSON."""

    def users(self) -> list[User]:
        """Everybody who can be given a record."""

    def check(self) -> list[Finding]:
        """Look at everything that has to be there; names what is missing. Raises nothing for what it finds."""


@dataclass(frozen=True, slots=True)
class Crm:
    """A CRM. `key` is that of its `integrations.systems.System`."""

    key: str
    open: Callable[[Connection], Session]
    # What it calls the entities that are mapped.
    tables: Mapping[str, str]
    # The tables whose changes are read, in this order, with the entity each one's records are.
    read_tables: Mapping[str, str]
    defaults: Sequence[Default]
    # {"contact.do_not_email": their column …}: the same for contacts and leads; never mapped by hand.
    refusals: Mapping[str, str]
    # Where the summary for sales goes, and how long it may be.
    summary: tuple[str, int]
    # Columns of a new lead beside its mappings, e.g. where its source and grade go.
    lead_values: Callable[[Connection, Any], Mapping[str, Any]]
    # A task for whoever gets the lead: their columns for (subject, text, due at).
    task_values: Callable[[str, str, datetime], Mapping[str, Any]]
    # The order of row versions: the later one is the greater.
    rank: Callable[[str], int]


class Crms:
    """All CRMs by key."""

    def __init__(self) -> None:
        self._crms: dict[str, Crm] = {}

    def add(self, crm: Crm) -> None:
        """Add a CRM; the same key again replaces it."""
        self._crms[crm.key] = crm

    def of(self, key: str) -> Crm:
        return self._crms[key]

    def keys(self) -> list[str]:
        return list(self._crms)


crms = Crms()
