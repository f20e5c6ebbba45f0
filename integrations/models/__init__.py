"""What integrations keep: connections to other systems, and webhooks that go out."""

from integrations.models.connections import Connection, SyncRun
from integrations.models.webhooks import Attempt, Delivery, Endpoint

__all__ = ["Attempt", "Connection", "Delivery", "Endpoint", "SyncRun"]
