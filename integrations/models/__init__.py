"""What integrations keep: connections to other systems, what LinkedIn's forms bring, and webhooks that go out."""

from integrations.models.connections import Connection, SyncRun
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
    "AdAccount",
    "AdCampaign",
    "Attempt",
    "Connection",
    "Delivery",
    "Endpoint",
    "LeadCount",
    "LeadForm",
    "LeadFormMapping",
    "LeadFormVersion",
    "LeadInbox",
    "LeadSubmission",
    "SyncRun",
]
