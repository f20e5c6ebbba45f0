"""Registries of the pages: the menu, the sources of search, the tabs of a record's page.

A lower app offers the place, a higher one fills it in its `AppConfig.ready()`:

    menu.add(Section.AUDIENCE, _("Contacts"), "contacts:list", "users", Right.VIEW, order=10)
    search_sources.add(SearchSource("contacts", _("Contacts"), "users", find_contacts))
    tabs.add("contact", Tab("emails", _("E-mails"), "messaging:of_contact"))
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from tenants.access import Right
    from tenants.models import Member

Text = str | Promise


class Section(TextChoices):
    """The parts of the navigation, in their order. HOME and INSIGHTS show no heading."""

    HOME = "home", ""
    AUDIENCE = "audience", _("Audience")
    MARKETING = "marketing", _("Marketing")
    SALES = "sales", _("Sales")
    INSIGHTS = "insights", ""
    SETTINGS = "settings", _("Settings")


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A page that the navigation leads to; `url_name` is one of the tenant's URL configuration, without arguments."""

    section: Section
    label: Text
    url_name: str
    icon: str
    right: "Right"
    order: int


class Menu:
    """The pages of the navigation, by section and order."""

    def __init__(self) -> None:
        self._items: dict[str, MenuItem] = {}

    def add(self, section: str, label: Text, url_name: str, icon: str, right: "Right", order: int = 100) -> None:
        """Put a page into the navigation; adding its `url_name` again replaces it."""
        self._items[url_name] = MenuItem(Section(section), label, url_name, icon, right, order)

    def __iter__(self) -> Iterator[MenuItem]:
        places = list(Section)
        return iter(sorted(self._items.values(), key=lambda item: (places.index(item.section), item.order)))


class Hit(NamedTuple):
    """One thing found: its title, the path that leads to it, and what tells it from others of the same title."""

    title: str
    path: str
    subtitle: str = ""


@dataclass(frozen=True, slots=True)
class SearchSource:
    """Where search looks. `find(member, text, limit)` runs in the tenant's scope; answer in a few milliseconds."""

    key: str
    label: Text
    icon: str
    find: Callable[["Member", str, int], Iterable[Hit]]
    order: int = 100


class SearchSources:
    """All places that search looks into, in order."""

    def __init__(self) -> None:
        self._sources: dict[str, SearchSource] = {}

    def add(self, source: SearchSource) -> None:
        """Add a source; the same key again replaces it."""
        self._sources[source.key] = source

    def __iter__(self) -> Iterator[SearchSource]:
        return iter(sorted(self._sources.values(), key=lambda source: source.order))


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab on a record's page: `url_name` takes the record's key. `is_shown(record)` may hide it."""

    key: str
    label: Text
    url_name: str
    order: int = 100
    is_shown: Callable[[Any], bool] = lambda record: True


class Tabs:
    """The tabs of each kind of record ("contact", "lead", …)."""

    def __init__(self) -> None:
        self._tabs: dict[str, dict[str, Tab]] = {}

    def add(self, kind: str, tab: Tab) -> None:
        """Add a tab to the pages of a kind of record; the same key again replaces it."""
        self._tabs.setdefault(kind, {})[tab.key] = tab

    def of(self, kind: str, record: Any) -> list[Tab]:
        """The tabs to show for this record, in order."""
        tabs = sorted(self._tabs.get(kind, {}).values(), key=lambda tab: tab.order)
        return [tab for tab in tabs if tab.is_shown(record)]


menu = Menu()
search_sources = SearchSources()
tabs = Tabs()
