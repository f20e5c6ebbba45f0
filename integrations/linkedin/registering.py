"""What LinkedIn adds to the rest of the product as the apps start."""

from contacts import custom, registry, timeline
from integrations.linkedin import (  # (the queue and the tiles register themselves)
    erasing,
    kinds,
    mapping,
    rerun,
    syncing,  # noqa: F401
    tiles,  # noqa: F401
)
from segments import fields


def register() -> None:
    """Called once, by `integrations.apps`."""
    timeline.register(kinds.SUBMITTED)
    registry.erasers.append(erasing.ERASER)
    custom.usages.append(mapping.uses_of)
    fields.register_objects(kinds.FORMS)
    rerun.register()
