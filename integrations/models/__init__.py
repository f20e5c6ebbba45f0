"""What integrations keep: connections, what is shared with a CRM, LinkedIn's forms and leads, webhooks that go out."""

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
from integrations.models.linkedin import (
    AdAccount,
    AdCampaign,
    LeadCount,
    LeadForm,
    LeadFormMapping,
    LeadFormVersion,
    LeadInbox,
    LeadSubmission,
)
from integrations.models.webhooks import Attempt, Delivery, Endpoint

__all__ = [
    "MAPPED",
    "AdAccount",
    "AdCampaign",
    "Attempt",
    "Connection",
    "CrmChange",
    "CrmCursor",
    "Delivery",
    "Endpoint",
    "Entity",
    "FieldMapping",
    "LeadCount",
    "LeadForm",
    "LeadFormMapping",
    "LeadFormVersion",
    "LeadInbox",
    "LeadSubmission",
    "Pace",
    "RecordLink",
    "RemoteTable",
    "SalesUser",
    "SyncRun",
]
