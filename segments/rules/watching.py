"""What a rule watches: the rows of the timeline that may change whom it holds for, and whether time alone may."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contacts import timeline
from segments.fields import RELATIVE
from segments.rules.nodes import ConsentTest, Did, FieldTest, Leaf, MemberOf, Rule, Sequence, leaves
from segments.rules.vocabulary import ANY_ACTIVITY

_CHANGES = {"contact.changed": "contact", "account.changed": "account"}


@dataclass(frozen=True)
class Watches:
    """`kinds` are the timeline's; `fields` are named as `<entity>.<field>`, a tenant's own ones together as
    `<entity>.custom`; `segments` are those it asks membership of; `has_clock`: time alone may change it.
    """

    kinds: frozenset[str]
    fields: frozenset[str]
    segments: frozenset[int]
    has_clock: bool

    def touched_by(self, kind: str, object_id: int | None, detail: Mapping[str, Any]) -> bool:
        """Whether a row may change whom the rule holds for.

        Whatever happens to a person or company as such (created, merged, deactivated …) always may; a change of
        fields does if it names a watched one; entering or leaving a segment if it is one that is asked about.
        """
        if kind in _CHANGES:
            names = {f"{_CHANGES[kind]}.{name}" for name in detail.get("fields", ())}
            return not names or not names.isdisjoint(self.fields) or kind in self.kinds
        if kind in ("segment.entered", "segment.left"):
            return object_id in self.segments or kind in self.kinds
        is_about_account = kind.startswith("account.") and "contact.account" in self.fields
        return kind in self.kinds or kind.startswith("contact.") or is_about_account


def watches(rule: Rule) -> Watches:
    """What a rule watches."""
    kinds: set[str] = set()
    fields: set[str] = set()
    segments: set[int] = set()
    has_clock = False
    for leaf in leaves(rule.root):
        kinds |= _kinds(leaf)
        has_clock = has_clock or _has_clock(leaf)
        if isinstance(leaf, FieldTest):
            fields.add(leaf.field.changed_as or leaf.field.key)
            fields |= {"contact.account"} if leaf.field.entity != rule.subject else set()
        elif isinstance(leaf, Did | Sequence) and (leaf.by != "self" or rule.subject == "account"):
            fields.add("contact.account")
        elif isinstance(leaf, MemberOf):
            segments.add(leaf.segment_id)
    return Watches(frozenset(kinds), frozenset(fields), frozenset(segments), has_clock)


def _kinds(leaf: Leaf) -> set[str]:
    if isinstance(leaf, Did):
        return _expanded({leaf.kind})
    if isinstance(leaf, Sequence):
        return {kind for step in leaf.steps for kind in _kinds(step)}
    if isinstance(leaf, FieldTest):
        return _expanded(leaf.field.changed_by)
    if isinstance(leaf, ConsentTest):
        return {"consent.granted", "consent.refused"}
    return set()


def _expanded(kinds: Iterable[str]) -> set[str]:
    return {kind for key in kinds for kind in (timeline.activity_kinds() if key == ANY_ACTIVITY else [key])}


def _has_clock(leaf: Leaf) -> bool:
    if isinstance(leaf, Did):
        return leaf.within_days is not None
    if isinstance(leaf, Sequence):
        return leaf.in_last_days is not None
    return isinstance(leaf, FieldTest) and leaf.op in RELATIVE
