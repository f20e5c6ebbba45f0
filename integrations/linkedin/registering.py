"""What LinkedIn adds to the rest of the product as the apps start."""

from contacts import registry
from integrations.linkedin import erasing


def register() -> None:
    """Called once, by `integrations.apps`."""
    registry.erasers.append(erasing.ERASER)
