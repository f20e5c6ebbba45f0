"""What sales has changed there comes here: fields by who owns them, standings by `news`.

Records are applied by what they say, not by when they came: one in the version that we know is our own change coming
back, an older one a straggler. In the tenant's scope; a batch at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from integrations.crm import history, knowing, links, news, ours, outbox, pace, people, reasons
from integrations.crm.deciding import Verdict
from integrations.crm.interface import Record, crms
from integrations.crm.mapped import Compared, Mapped
from integrations.models import MAPPED, Connection, CrmChange, Entity, RecordLink

Kind = CrmChange.Kind


def apply(connection: Connection, entity: str, records: Sequence[Record]) -> int:
    """Apply records of an entity; returns how many had something new for us."""
    if entity not in MAPPED:
        return news.tell(connection, entity, records)
    rank = crms.of(connection.system).rank
    found = links.of_records(
        connection, entity, [record.external_id for record in records], [str(r.uid) for r in records if r.uid]
    )
    fresh: dict[int, tuple[RecordLink, Record]] = {}
    for record in records:
        link = found.get(record.external_id) or found.get(str(record.uid))
        if link is None or link.object_id is None or link.state != RecordLink.State.LINKED:
            continue
        if _is_new(link, record, rank) and (
            link.pk not in fresh or rank(record.version) > rank(fresh[link.pk][1].version)
        ):
            fresh[link.pk] = (link, record)
    if fresh:
        _Applying(connection, entity, list(fresh.values())).go()
    return len(fresh)


def _is_new(link: RecordLink, record: Record, rank: Callable[[str], int]) -> bool:
    """Whether a record is later than what we know of it, or has a column that has been mapped since."""
    theirs, known = rank(record.version), rank(link.version)
    has_more = theirs == known and not record.values.keys() <= link.known.keys()
    return not link.version or theirs > known or has_more


class _Found(NamedTuple):
    """A record of theirs beside ours, where they differ, and what of it we cannot read."""

    link: RecordLink
    record: Record
    mine: Any
    differences: list[Compared]
    unreadable: list[str]
    # What was said of it before.
    before: Mapping[str, Any]


class _Applying:
    """One batch of records that are new to us."""

    def __init__(self, connection: Connection, entity: str, found: Sequence[tuple[RecordLink, Record]]) -> None:
        self._connection, self._entity, self._found = connection, entity, found
        self._mapped = Mapped(connection)
        self._ours_of = pace.by_our_clock(connection)
        self._changes: list[CrmChange] = []

    def go(self) -> None:
        records = ours.load(self._entity, [link.object_id for link, _record in self._found])
        known = people.know(records.values())
        found = [
            self._compare(link, record, mine, known.refusals(mine))
            for link, record in self._found
            if (mine := records.get(link.object_id or 0)) is not None
        ]
        knowing.remember([(one.link, one.record) for one in found])
        for one in found:
            self._one(one)
        outbox.order(self._changes)

    def _compare(self, link: RecordLink, record: Record, mine: Any, refusals: Mapping[str, bool]) -> _Found:
        found, unreadable = self._mapped.compare(link, mine, refusals, record.values, self._ours_of(record.changed_at))
        # What waits to be written is remembered as changed.
        waiting = {one.pair.field for one in found if one.decision.verdict == Verdict.PUSH}
        link.changed = {name: at for name, at in link.changed.items() if name not in waiting}
        return _Found(link, record, mine, found, unreadable, link.standing)

    def _one(self, found: _Found) -> None:
        """Take over, order and tell what one record has that is new."""
        link, record, mine = found.link, found.record, found.mine
        taken = [one for one in found.differences if one.decision.verdict == Verdict.TAKE]
        pushed = [one for one in found.differences if one.decision.verdict == Verdict.PUSH]
        refused = history.take(self._connection, link, mine, taken) if taken else []
        if refused:
            self._restore(link, refused)
        elif found.unreadable:
            history.note(link, reasons.said("not_read", columns=", ".join(found.unreadable)))
        history.overwritten(self._connection, mine, [one for one in pushed if one.decision.is_overwrite])
        if pushed:
            self._order(link, record, pushed)
        if self._entity == Entity.LEAD:
            news.lead(self._connection, mine, found.before, record.standing)

    def _restore(self, link: RecordLink, refused: Sequence[Compared]) -> None:
        """Of what we cannot have we go on knowing what it was before: it stays a difference."""
        row = RecordLink.objects.select_for_update().get(pk=link.pk)
        for one in refused:
            name = one.pair.column.name
            row.known.pop(name, None)
            if name in link.known:
                row.known[name] = link.known[name]
        row.save(update_fields=["known"])

    def _order(self, link: RecordLink, record: Record, pushed: Sequence[Compared]) -> None:
        self._changes.append(
            CrmChange(
                connection=self._connection,
                key=f"update:{self._connection.pk}:in:{link.pk}:{record.version}",
                kind=Kind.UPDATE,
                entity=link.entity,
                object_id=link.object_id,
                fields=sorted(one.pair.field for one in pushed),
            )
        )
