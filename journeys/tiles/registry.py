"""What every kind of tile says and does, and the list of them.

A kind is one class: its settings form, its card, its checks before going live, and `run(due)`, which says for a set of
people which way each of them goes. Apps above journeys register theirs in `AppConfig.ready()`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from journeys.tiles.form import TileForm
from segments.models import Segment
from segments.rules import Vocabulary
from segments.usage import Mentions

if TYPE_CHECKING:
    from journeys.models import Journey

Text = str | Promise
Tile = dict[str, Any]
# What a tile's settings refer to: the model and the id.
Reference = tuple[type[Model], int]


class Names(dict[Reference, str]):
    """The names of what tiles refer to; what is gone has none."""

    @cached_property
    def words(self) -> Vocabulary:
        """What rules can speak of, read once for all tiles of a page."""
        return Vocabulary()


ERROR, WARNING = "error", "warning"
# The branch of tiles that lead to one place only.
NEXT = "next"


class Branch(NamedTuple):
    """A way on from a tile."""

    key: str
    label: Text


class Issue(NamedTuple):
    """What stands against going live (error) or deserves a look (warning); `tile` is empty for the whole journey."""

    severity: str
    tile: str
    message: Text


class Cause(NamedTuple):
    """The fact by which a participant entered, for what her journey makes happen."""

    id: int
    depth: int


class Traveller(NamedTuple):
    """A participant whom the engine has claimed, as tiles see it."""

    id: int
    tile: str
    contact_id: int
    lead_id: int | None
    cause_id: int | None
    depth: int
    entered_at: datetime
    arrived_at: datetime
    deadline_at: datetime | None
    deadline_xid: int | None
    time_zone: str
    country: str
    # Why this participation must end before its next step, e.g. "consent"; empty: it goes on.
    stop_reason: str

    @property
    def cause(self) -> Cause | None:
        """What made her enter; None for members of the audience."""
        return Cause(self.cause_id, self.depth) if self.cause_id else None


@dataclass
class Step:
    """One participant goes on by a branch: decided by the interaction `cause_id`, if by any."""

    traveller: Traveller
    branch: str
    cause_id: int | None = None
    lead_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass
class Look:
    """One participant stays; the engine looks again at `at`."""

    traveller: Traveller
    at: datetime
    deadline_at: datetime | None
    deadline_xid: int | None = None


@dataclass
class Due:
    """People whose turn it is at one tile. `run` settles each of them by `go`, `look_again` or `stop`."""

    journey: "Journey"
    version: int
    tree: dict[str, Any]
    key: str
    travellers: Sequence[Traveller]
    now: datetime
    # Transactions below this id have ended: what they recorded can be seen.
    horizon: int
    # This transaction's id.
    xid: int
    # The zone of those who have none of their own.
    time_zone: str
    # When those who go on arrive at the next tile (this transaction's now()); None: it says nothing beforehand.
    arrives_at: datetime | None = None
    steps: list[Step] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    stops: list[tuple[Traveller, str]] = field(default_factory=list)

    @property
    def tile(self) -> Tile:
        return self.tree["tiles"][self.key]

    @property
    def settings(self) -> dict[str, Any]:
        return self.tile["settings"]

    @property
    def ids(self) -> list[int]:
        return [traveller.id for traveller in self.travellers]

    def go(self, branch: str, travellers: Iterable[Traveller]) -> None:
        """These go on by a branch, for no other reason than that it is their turn."""
        self.steps += [Step(traveller, branch) for traveller in travellers]

    def go_one(self, traveller: Traveller, branch: str, **why: Any) -> None:
        """One goes on by a branch; `why`: cause_id, lead_id, detail."""
        self.steps.append(Step(traveller, branch, **why))

    def look_again(self, traveller: Traveller, at: datetime, deadline_at: datetime | None = None, **why: Any) -> None:
        """One stays and is looked at again at `at`; its time is over at `deadline_at`."""
        self.looks.append(Look(traveller, at, deadline_at, **why))

    def stop(self, traveller: Traveller, reason: str) -> None:
        """One's participation ends here."""
        self.stops.append((traveller, reason))


class TileKind:
    """A kind of tile. Subclasses fill in the class attributes and override what they need."""

    key: ClassVar[str]
    label: ClassVar[Text]
    description: ClassVar[Text] = ""
    icon: ClassVar[str]
    tone: ClassVar[str] = "blue"
    form: ClassVar[type[TileForm]] = TileForm
    is_root: ClassVar[bool] = False
    # Whether the branch taken is a fact about the person, to be read on her timeline.
    is_decision: ClassVar[bool] = False
    # Whether it orders e-mails: its card shows what became of them.
    sends_mail: ClassVar[bool] = False
    # How many people one run takes at most; less for tiles that work one by one.
    batch: ClassVar[int] = 5_000

    def branches(self, tile: Tile, names: Names | None = None) -> list[Branch]:
        """The ways on, in the order of the page; their labels may need names."""
        return [Branch(NEXT, _("Next"))]

    def title(self, tile: Tile) -> Text:
        """What the card is called: its own name, or the kind's."""
        return tile.get("name") or self.label

    def refers(self, tile: Tile) -> list[Reference]:
        """What the settings name: the page shows their names, and what they name cannot be gone when going live."""
        return []

    def mentions(self, tile: Tile) -> Mentions:
        """The segments and fields that the settings name: who archives or retires one is told."""
        return Mentions(frozenset(pk for model, pk in self.refers(tile) if model is Segment))

    def summary(self, tile: Tile, names: Names) -> Text:
        """One line that says what is set; empty while nothing is."""
        return ""

    def check(self, journey: "Journey", tree: dict[str, Any], key: str) -> list[Issue]:
        """What stands against going live. The form's own errors are found without it."""
        return []

    def listens(self, tile: Tile) -> frozenset[str]:
        """The kinds of facts that may let a waiting person go on earlier."""
        return frozenset()

    def rests_until(self, tile: Tile, due: Due, zone: ZoneInfo) -> datetime | None:
        """When somebody of `zone` who arrives at `due.arrives_at` must be looked at first; None: at once.

        A tile that knows this beforehand spares each arrival a look that would only put it off. `due` is the step by
        which she arrives, not this tile's.
        """
        return None

    def trace_path(self, participant_id: int, key: str) -> str:
        """The page that shows what the tile did for a participant; empty if there is none."""
        return ""

    def run(self, due: Due) -> None:
        """Do the tile's work for a set of people within the transaction and settle each of them."""
        due.go(NEXT, due.travellers)


_kinds: dict[str, TileKind] = {}


def register(kind: type[TileKind]) -> type[TileKind]:
    """Class decorator: add a kind of tile."""
    if kind.key in _kinds:
        raise ValueError(f"tile kind {kind.key} is declared twice")
    _kinds[kind.key] = kind()
    return kind


def kinds() -> list[TileKind]:
    """The kinds that can be added to a journey, by name: which app has declared one is nothing to its marketer."""
    return sorted((kind for kind in _kinds.values() if not kind.is_root), key=lambda kind: str(kind.label))


def is_known(key: str) -> bool:
    return key in _kinds


def of(tile: Tile) -> TileKind:
    """The kind of a tile."""
    return _kinds[tile["kind"]]


def branches(tile: Tile) -> list[str]:
    """The keys of a tile's ways on, in order."""
    return [branch.key for branch in of(tile).branches(tile)]


def names_of(tree: dict[str, Any]) -> Names:
    """The names of everything that the tiles of a tree refer to, by one query per model. What is gone is left out."""
    wanted: dict[type[Model], set[int]] = {}
    for tile in tree["tiles"].values():
        for model, pk in of(tile).refers(tile):
            wanted.setdefault(model, set()).add(pk)
    return Names(
        ((model, pk), str(found))
        for model, pks in wanted.items()
        for pk, found in model._default_manager.in_bulk(pks).items()
    )
