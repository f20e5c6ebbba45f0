"""What LinkedIn adds to the rest of the product as the apps start."""

from contacts import custom, registry, timeline
from integrations.linkedin import erasing, kinds, mapping, syncing, tiles  # noqa: F401 (the queue, and the tiles)
from segments import fields


def register() -> None:
    """Called once, by `integrations.apps`."""
    timeline.register(kinds.SUBMITTED)
    registry.erasers.append(erasing.ERASER)
    custom.usages.append(mapping.uses_of)
    fields.register_objects(kinds.FORMS)
