"""A rule as a tree of values: what the parser makes and the compiler, the words and the watches read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

from segments.fields import Field

Value = str | int | bool | date | tuple[Any, ...] | None
By = Literal["self", "account_contacts"]


@dataclass(frozen=True)
class Group:
    """All or any of the children hold. An empty `all` holds for everybody."""

    mode: Literal["all", "any"]
    children: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    """The child does not hold."""

    child: "Node"


@dataclass(frozen=True)
class FieldTest:
    """A field compared with a value; `value` has the type that the operator takes."""

    field: Field
    op: str
    value: Value = None


@dataclass(frozen=True)
class Detail:
    """A test of what a fact says about itself, e.g. the address of a visited page."""

    key: str
    op: Literal["is", "contains", "begins"]
    value: str


@dataclass(frozen=True)
class Did:
    """Facts of a kind happened `at_least` (and `at_most`) so many times; `is_negated`: they did not.

    `within_days` is a window of exactly so many times 24 hours that ends now; `between` are calendar days in the
    tenant's zone, both included. `by` says whose facts count: the subject's own, or those of all its account's people.
    """

    kind: str
    objects: tuple[int, ...] = ()
    links: tuple[int, ...] = ()
    where: tuple[Detail, ...] = ()
    at_least: int = 1
    at_most: int | None = None
    within_days: int | None = None
    between: tuple[date, date] | None = None
    by: By = "self"
    is_negated: bool = False


@dataclass(frozen=True)
class Sequence:
    """Steps that happened one after the other, the first and the last at most `within_days` apart.

    It counts at the moment of its last step; `in_last_days` asks that this moment lies in that window.
    """

    steps: tuple[Did, ...]
    within_days: int
    in_last_days: int | None = None
    by: By = "self"


@dataclass(frozen=True)
class MemberOf:
    """The contact is in another segment."""

    segment_id: int


@dataclass(frozen=True)
class ConsentTest:
    """Where the contact stands with a purpose on e-mail: granted, refused, or none (nothing said)."""

    purpose_id: int
    state: Literal["granted", "refused", "none"]


Leaf = FieldTest | Did | Sequence | MemberOf | ConsentTest
Node = Group | Not | Leaf


@dataclass(frozen=True)
class Rule:
    """A validated rule about subjects of one sort; `zone` is the tenant's, for calendar days."""

    subject: str
    root: Node
    zone: ZoneInfo = field(default=ZoneInfo("UTC"))

    @property
    def is_empty(self) -> bool:
        """Whether it has no condition at all (and so holds for everybody)."""
        return not list(leaves(self.root))


def leaves(node: Node) -> Iterator[Leaf]:
    """The conditions of a tree, from left to right."""
    if isinstance(node, Group):
        for child in node.children:
            yield from leaves(child)
    elif isinstance(node, Not):
        yield from leaves(node.child)
    else:
        yield node


def parts(rule: Rule) -> list[Rule]:
    """Each condition of a rule as a rule of its own."""
    return [Rule(rule.subject, leaf, rule.zone) for leaf in leaves(rule.root)]
