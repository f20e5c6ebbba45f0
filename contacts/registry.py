"""What higher apps add to the pages of contacts and accounts; each does so in its `AppConfig.ready()`.

contact_panels.add(Panel("score", _("Score"), "scoring/_panel.html", panel_context))
contact_actions.add(Action("call", _("Log a call"), "phone", lambda c: reverse("leads:log_call", args=[c.pk]), …))
bulk_actions.add(BulkAction("segment", _("Add to segment"), "stack-2", add, choices=static_segments))
object_pages["email"] = "messaging:detail"
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from django.db.models import Q, QuerySet

from contacts.models import Contact
from tenants.access import Right
from tenants.models import Member
from tenants.registry import Text

Choices = Sequence[tuple[str, Text]]


class _Ordered(Protocol):
    @property
    def key(self) -> str: ...

    @property
    def order(self) -> int: ...


Item = TypeVar("Item", bound=_Ordered)


class Ordered(Generic[Item]):
    """Things of one kind by their key, in order; adding a key again replaces it."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}

    def add(self, item: Item) -> None:
        self._items[item.key] = item

    def get(self, key: str) -> Item | None:
        return self._items.get(key)

    def __iter__(self) -> Iterator[Item]:
        return iter(sorted(self._items.values(), key=lambda item: item.order))


@dataclass(frozen=True, slots=True)
class Panel:
    """A card on a record's page. `context(record)` runs in the scope; None leaves the panel out.

    The template gets that context and `record`, and renders the card's content.
    """

    key: str
    title: Text
    template: str
    context: Callable[[Any], dict[str, Any] | None]
    column: Literal["left", "right"] = "right"
    icon: str = ""
    order: int = 100


@dataclass(frozen=True, slots=True)
class Action:
    """A button in the header of a contact's page, for members with the right; `path(contact)` is where it leads."""

    key: str
    label: Text
    icon: str
    path: Callable[[Contact], str]
    right: Right = Right.VIEW
    order: int = 100


@dataclass(frozen=True, slots=True)
class BulkAction:
    """Something done to the contacts ticked in the list.

    `run(contact_ids, choice, by)` returns what happened, in words. `choices()` are what it is done with (a segment, an
    owner); without it the action is a plain button. `question` is asked first, for what is not easily taken back.
    """

    key: str
    label: Text
    icon: str
    run: Callable[[list[int], str, Member], str]
    choices: Callable[[], Choices] | None = None
    right: Right = Right.EDIT_AUDIENCE
    question: Text = ""
    order: int = 100


class ContactSet(NamedTuple):
    """The people behind a number: what they are called, and a query whose only column is contact ids."""

    label: str
    ids: QuerySet[Any, Any]


# What a higher app gives.
Gift = TypeVar("Gift", bound=Sequence[Any])


@dataclass(frozen=True, slots=True)
class Erased:
    """People who are being erased: their ids, and the addresses and full names that are nobody else's."""

    ids: list[int]
    addresses: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def named_in(self, *columns: str) -> Q:
        """Rows one of whose texts has an address or a full name of theirs in it."""
        texts = [*self.addresses, *self.names]
        found = (Q(**{f"{column}__icontains": text}) for column in columns for text in texts)
        return reduce(or_, found, Q(pk__in=[]))


@dataclass(frozen=True, slots=True)
class Eraser:
    """What an app forgets of erased people outside of rows that go with the contact.

    `tables` names each model it looks after ("messaging.Message") and what becomes of it there, for who asks: a test
    fails on a table that may hold something about people and is in no eraser's hands.
    """

    erase: Callable[[Erased], None]
    tables: Mapping[str, Text]


class Given(Generic[Gift]):
    """What a higher app gives; nothing as long as it does not."""

    def __init__(self) -> None:
        self._give: Callable[[], Gift] | None = None

    def fill(self, give: Callable[[], Gift]) -> None:
        """`give()` is called in the tenant's scope."""
        self._give = give

    def __call__(self) -> Gift | Sequence[Any]:
        return self._give() if self._give else ()


contact_panels: Ordered[Panel] = Ordered()
account_panels: Ordered[Panel] = Ordered()
contact_actions: Ordered[Action] = Ordered()
bulk_actions: Ordered[BulkAction] = Ordered()

# Views of the list of contacts that stand above it as tabs: (the address's query, name, how many people).
contact_views = Given[Sequence[tuple[str, Text, int]]]()
# Stages of leads with the tenant's names for them.
stages = Given[Choices]()

# Which page shows the object of a timeline row, by the kind's `object_kind`: a URL name that takes its id.
object_pages: dict[str, str] = {}

# The lists that have saved views: the URL name of each by its key.
lists = {"contacts": "contacts:list", "accounts": "contacts:accounts"}

# The list of contacts shows a set at `?in=segment:5`: a callable by name, which gets what follows the colon; None for
# a set that there is not.
contact_sets: dict[str, Callable[[str], ContactSet | None]] = {}

# Callables (contact) -> words about what keeps mail from her beyond consent, e.g. a suppressed address.
mail_obstacles: list[Callable[[Contact], list[str]]] = []


def shown_panels(panels: Ordered[Panel], record: Any) -> list[tuple[Panel, dict[str, Any]]]:
    """The panels to show for a record, in order, with their contexts."""
    found = ((panel, panel.context(record)) for panel in panels)
    return [(panel, {**context, "record": record}) for panel, context in found if context is not None]


# Called with (survivor's id, merged contact's id) in the merge's transaction: before, to settle what both have
# (journeys end one of two participations), and after, to compute anew what is derived (stage, score).
before_merge: list[Callable[[int, int], None]] = []
after_merge: list[Callable[[int, int], None]] = []

# Labels of models that are computed from the timeline ("scoring.Score"): a merge leaves their rows where they are,
# and `after_merge` or a reader computes the survivor's anew.
computed: set[str] = set()

# What apps forget of erased people, in the erasure's transaction and before the contacts are deleted.
erasers: list[Eraser] = []
