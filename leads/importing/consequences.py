"""What an import would set off elsewhere: asked in a trial, after its rows stand and before they are taken back.

    askers["journeys"] = (_("Journeys that would start"), would_start)

`ask(contact_ids)` gets the contacts that a piece has made or changed; returns a count by name. Higher apps add theirs
in `AppConfig.ready()`.
"""

from collections.abc import Callable

from tenants.registry import Text

askers: dict[str, tuple[Text, Callable[[list[int]], dict[str, int]]]] = {}


def ask(contact_ids: list[int]) -> dict[str, dict[str, int]]:
    """What each asker says of these contacts."""
    return {key: found for key, (_label, asker) in askers.items() if contact_ids and (found := asker(contact_ids))}
