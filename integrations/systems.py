"""The registry of systems that can be connected; each package adds its own as the apps start.

systems.add(System("linkedin", _("LinkedIn Lead Gen"), "brand-linkedin", _("…"), "integrations:linkedin_new",
                   "integrations:linkedin", queue="linkedin"))
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from integrations.models import Connection
from tenants.registry import Text


@dataclass(frozen=True, slots=True)
class System:
    """A system as the pages show it.

    `new_url` names the page that connects one, `url` the page of a connection (takes its key), `queue` the wakeup
    queue that does its work: whoever resumes a connection announces it. `part` takes back at the other side what was
    set up there, before a connection is forgotten; outside of any scope, it may raise `client.CallFailed`.
    """

    key: str
    label: Text
    icon: str
    description: Text
    new_url: str
    url: str
    queue: str
    part: Callable[[Connection], None] | None = None


class Systems:
    """All systems by key, in the order in which they were added."""

    def __init__(self) -> None:
        self._systems: dict[str, System] = {}

    def add(self, system: System) -> None:
        """Add a system; the same key again replaces it."""
        self._systems[system.key] = system

    def of(self, key: str) -> System:
        return self._systems[key]

    def __iter__(self) -> Iterator[System]:
        return iter(self._systems.values())


systems = Systems()
