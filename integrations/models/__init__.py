"""What integrations keep: connections to other systems, what is shared with a CRM, and webhooks that go out."""

from integrations.models.connections import Connection, SyncRun
from integrations.models.crm import (
    MAPPED,
    CrmChange,
    CrmCursor,
    Entity,
    FieldMapping,
    Pace,
    RecordLink,
    RemoteTable,
    SalesUser,
)
from integrations.models.webhooks import Attempt, Delivery, Endpoint

__all__ = [
    "MAPPED",
    "Attempt",
    "Connection",
    "CrmChange",
    "CrmCursor",
    "Delivery",
    "Endpoint",
    "Entity",
    "FieldMapping",
    "Pace",
    "RecordLink",
    "RemoteTable",
    "SalesUser",
    "SyncRun",
]
