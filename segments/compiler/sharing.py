"""Facts that several rules about one sort of subject ask for: read once, beside whom they count for.

Twenty rules on clicks would each pass over all clicks and all people; so a statement that puts many relations together
reads each such kind into a common table expression first.
"""

from collections import defaultdict
from collections.abc import Iterable

from psycopg import sql

from segments import subjects
from segments.compiler import facts
from segments.compiler.literals import array, hours
from segments.rules.nodes import Did, Rule, leaves
from segments.rules.vocabulary import ANY_ACTIVITY

Sql = sql.Composable
# From how many conditions on a kind its facts are shared.
FROM = 2


class SharedFacts:
    """`tables` are common table expressions, to be put before the relations that are compiled with this object."""

    def __init__(self, rules: Iterable[Rule], subject: Sql, at: Sql | None = None) -> None:
        """The rules are about one sort of subject; `subject` names a relation with the `id` of those asked about."""
        by_kind: dict[str, list[Did]] = defaultdict(list)
        key = ""
        for rule in rules:
            key = rule.subject
            for leaf in leaves(rule.root):
                if isinstance(leaf, Did) and leaf.by == "self" and leaf.kind != ANY_ACTIVITY:
                    by_kind[leaf.kind].append(leaf)
        kinds = sorted(kind for kind, asked in by_kind.items() if len(asked) >= FROM)
        self._names = {kind: sql.Identifier(f"facts{place}") for place, kind in enumerate(kinds)}
        self.tables = [
            sql.SQL("{} AS MATERIALIZED ({})").format(
                name, _select(by_kind[kind], key, subject, at or sql.SQL("now()"))
            )
            for kind, name in self._names.items()
        ]

    def of(self, did: Did) -> Sql | None:
        """The relation that has the facts which the condition asks for (columns of the timeline, and `subject_id`)."""
        return self._names.get(did.kind) if did.by == "self" else None


def _select(asked: list[Did], key: str, subject: Sql, at: Sql) -> Sql:
    """The facts of one kind that any of the conditions may ask for. One pass (index interaction_of_kind), hashed joins
    with the people and the subjects."""
    people = subjects.get(key).people
    return sql.SQL(
        """SELECT {key} AS subject_id, i.kind, i.contact_id, i.object_id, i.link_id, i.occurred_at, i.recorded_at,
                  i.detail
           FROM contacts_interaction i {people} JOIN {subject} asked ON asked.id = {key}
           WHERE i.contact_id IS NOT NULL AND i.kind = {kind}{objects}{since}"""
    ).format(
        key=sql.SQL("p.subject_id" if people else "i.contact_id"),
        people=sql.SQL(f"JOIN ({people}) p ON p.contact_id = i.contact_id" if people else ""),  # type: ignore[arg-type]
        subject=subject,
        kind=facts.text(asked[0].kind),
        objects=_objects(asked),
        since=_since(asked, at),
    )


def _objects(asked: list[Did]) -> Sql:
    if not all(did.objects for did in asked):
        return sql.SQL("")
    wanted = sorted({object_id for did in asked for object_id in did.objects})
    return sql.SQL(" AND i.object_id = ANY({})").format(array(wanted))


def _since(asked: list[Did], at: Sql) -> Sql:
    days = [did.within_days for did in asked if did.within_days is not None]
    if len(days) < len(asked):
        return sql.SQL("")
    return sql.SQL(" AND ") + facts.since(sql.SQL("{} - {}").format(at, hours(max(days))))
