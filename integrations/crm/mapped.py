"""A connection's mappings, ready to compare records with: our fields beside their columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from contacts import cells
from contacts.targets import Target
from integrations.crm import columns, deciding, ours
from integrations.crm.columns import Column, Type, Unfit
from integrations.crm.deciding import STRICTEST, UNKNOWN, Decision, Verdict
from integrations.crm.interface import Crm, crms
from integrations.models import Connection, Entity, FieldMapping, RecordLink, RemoteTable

# Which entities say whether somebody wants to be contacted.
_PEOPLE = (Entity.LEAD, Entity.CONTACT)


@dataclass(frozen=True, slots=True)
class Pair:
    """One of our fields and their column."""

    target: Target
    column: Column
    owner: str
    options: Mapping[str, Any]

    @property
    def field(self) -> str:
        return self.target.key

    def ours_of(self, theirs: Any) -> Any:
        """Their value as ours; raises ValueError."""
        if self.owner == STRICTEST:
            return bool(theirs)
        return columns.to_ours(theirs, self.target, self.options)

    def theirs_of(self, value: Any) -> Any:
        """Our value as theirs; raises Unfit."""
        return columns.to_theirs(value, self.column, self.options, self.target)


class Compared(NamedTuple):
    """A field in which the two sides differ, and what becomes of it."""

    pair: Pair
    decision: Decision
    ours: Any
    theirs: Any


class Summary(NamedTuple):
    """Where the summary for sales goes, and how much there is room for."""

    column: str
    longest: int


class Mapped:
    """All pairs of a connection by entity."""

    def __init__(self, connection: Connection) -> None:
        self.crm: Crm = crms.of(connection.system)
        known = {row.entity: _columns(row) for row in RemoteTable.objects.filter(connection=connection)}
        fields = ours.fields()
        self.summary = _summary(connection, known.get(Entity.LEAD, {}))
        self._pairs: dict[str, list[Pair]] = {entity: _refusals(self.crm, entity) for entity in _PEOPLE}
        for row in FieldMapping.objects.filter(connection=connection).order_by("pk"):
            target = fields.get(row.field)
            column = known.get(row.entity, {}).get(row.remote) or _unseen(row.remote)
            is_taken = row.entity == Entity.LEAD and row.remote == self.summary.column
            if target is not None and column.can_be_mapped and not is_taken:
                owner = row.owner if ours.may_take(row.field) else FieldMapping.Owner.MARKETING
                self._pairs.setdefault(row.entity, []).append(Pair(target, column, owner, row.options))

    def of(self, entity: str) -> list[Pair]:
        return self._pairs.get(entity, [])

    def names(self, entity: str) -> list[str]:
        """The columns to ask for."""
        found = [pair.column.name for pair in self.of(entity)]
        return [*found, self.summary.column] if entity == Entity.LEAD else found

    def values(self, entity: str, record: Any, refusals: Mapping[str, bool]) -> dict[str, Any]:
        """All that a record has, as their columns, for one that is made there; raises Unfit."""
        found = {}
        for pair in self.of(entity):
            value = self.ours(pair, record, refusals)
            if value is not None or pair.column.is_required:
                found[pair.column.name] = pair.theirs_of(value)
        return found

    def ours(self, pair: Pair, record: Any, refusals: Mapping[str, bool]) -> Any:
        """What a record has in a field; of one that is compared it has the form in which theirs is read."""
        if pair.owner == STRICTEST:
            return refusals[pair.target.name]
        value = ours.value_of(record, pair.target)
        return None if value is None else _plain(pair, value)

    def compare(
        self,
        link: RecordLink,
        record: Any,
        refusals: Mapping[str, bool],
        theirs: Mapping[str, Any],
        theirs_at: datetime | None = None,
    ) -> tuple[list[Compared], list[str]]:
        """(the fields that differ, their columns that cannot be read) of a record and what they have."""
        found, unreadable = [], []
        for pair in self.of(link.entity):
            name = pair.column.name
            if name not in theirs:
                continue
            mine = self.ours(pair, record, refusals)
            try:
                value = pair.ours_of(theirs[name])
            except ValueError:
                unreadable.append(pair.column.label)
                continue
            base = self._base(pair, link)
            at = link.changed.get(pair.field)
            ours_at = datetime.fromisoformat(at) if at else getattr(record, "updated_at", None)
            decision = deciding.decide(pair.owner, mine, value, base, ours_at, theirs_at)
            if decision.verdict != Verdict.SAME and (decision.verdict == Verdict.PUSH or may_take(pair)):
                found.append(Compared(pair, decision, mine, value))
        return found, unreadable

    @staticmethod
    def _base(pair: Pair, link: RecordLink) -> Any:
        """What both had last; unknown if that cannot be read."""
        try:
            return pair.ours_of(link.known[pair.column.name])
        except (KeyError, ValueError):
            return UNKNOWN


def summary_column(connection: Connection) -> str:
    """The column of leads that has the summary for sales; it is nobody else's."""
    return str(connection.settings.get("summary_column") or crms.of(connection.system).summary[0])


def may_take(pair: Pair) -> bool:
    return pair.owner == STRICTEST or ours.may_take(pair.field)


def as_theirs(found: Iterator[Compared] | list[Compared]) -> dict[str, Any]:
    """The columns to write for the fields that are pushed; raises Unfit."""
    return {one.pair.column.name: one.pair.theirs_of(one.ours) for one in found if one.decision.verdict == Verdict.PUSH}


def _columns(table: RemoteTable) -> dict[str, Column]:
    return {kept["name"]: Column.of_json(kept) for kept in table.columns}


def _summary(connection: Connection, known: Mapping[str, Column]) -> Summary:
    """As long as the CRM's own summary may be, if its column holds as much."""
    name, most = summary_column(connection), crms.of(connection.system).summary[1]
    column = known.get(name)
    return Summary(name, min(most, column.longest or most) if column else most)


def _unseen(name: str) -> Column:
    """A column that their metadata did not have when it was read: they will say what they think of it."""
    return Column(name, name, Type.MEMO)


def _refusals(crm: Crm, entity: str) -> list[Pair]:
    return [
        Pair(
            Target(f"{entity}.{name}", entity, name, name, cells.BooleanCell()),
            Column(remote, remote, Type.BOOLEAN),
            STRICTEST,
            {},
        )
        for name, remote in crm.refusals.items()
    ]


def _plain(pair: Pair, value: Any) -> Any:
    """Our value as it would come back from there, so that a form that is lost on the way is no difference."""
    try:
        return pair.ours_of(pair.theirs_of(value))
    except (Unfit, ValueError):
        return value
