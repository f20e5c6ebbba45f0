"""Dynamics 365 Sales as one of the CRMs: what a new connection begins with, and its queue."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.crm import syncing
from integrations.crm.interface import Crm, Default
from integrations.dynamics.session import DynamicsSession
from integrations.models import Connection, Entity, FieldMapping
from integrations.systems import System
from leads.models import Lead
from tenants.wakeups import Outcome, queue

KEY = QUEUE = "dynamics"
Owner = FieldMapping.Owner
# Their "Lead Source" for our sources; Web for what comes from a website, Other for the rest.
SOURCES = {"form": 8, "linkedin": 1, "event": 6, "call": 10, "journey": 8}
OTHER = 10
# Their rating for our grades, from the best.
RATINGS = {"A": 1, "B": 2, "C": 3, "D": 3}
DESCRIPTION = 2_000

DEFAULTS = (
    Default("lead.topic", "subject", Owner.SALES),
    Default("lead.first_name", "firstname", Owner.NEWEST),
    Default("lead.last_name", "lastname", Owner.NEWEST),
    Default("lead.email", "emailaddress1", Owner.NEWEST),
    Default("lead.phone", "telephone1", Owner.NEWEST),
    Default("lead.job_title", "jobtitle", Owner.NEWEST),
    Default("lead.company", "companyname", Owner.NEWEST),
    Default("lead.country", "address1_country", Owner.NEWEST),
    Default("contact.first_name", "firstname", Owner.NEWEST),
    Default("contact.last_name", "lastname", Owner.NEWEST),
    Default("contact.email", "emailaddress1", Owner.NEWEST),
    Default("contact.phone", "telephone1", Owner.NEWEST),
    Default("contact.job_title", "jobtitle", Owner.NEWEST),
    Default("contact.city", "address1_city", Owner.NEWEST),
    Default("contact.country", "address1_country", Owner.NEWEST),
    Default("account.name", "name", Owner.SALES),
    Default("account.domain", "websiteurl", Owner.NEWEST),
    Default("account.phone", "telephone1", Owner.NEWEST),
    Default("account.city", "address1_city", Owner.NEWEST),
    Default("account.country", "address1_country", Owner.NEWEST),
    Default("account.employees", "numberofemployees", Owner.NEWEST),
)


def lead_values(connection: Connection, lead: Lead) -> Mapping[str, Any]:
    """Source and rating, as far as they are not mapped to other columns."""
    found: dict[str, Any] = {"leadsourcecode": SOURCES.get(lead.source, OTHER)}
    if rating := RATINGS.get(lead.grade[:1].upper()):
        found["leadqualitycode"] = rating
    return found


def task_values(subject: str, text: str, due_at: datetime) -> Mapping[str, Any]:
    """The columns of a task."""
    return {"subject": subject, "description": text, "scheduledend": f"{due_at:%Y-%m-%dT%H:%M:%SZ}"}


def rank(version: str) -> int:
    """The number in an etag, `W/"1234567"`: it grows with every change in the environment."""
    digits = "".join(sign for sign in version if sign.isdigit())
    return int(digits or 0)


DYNAMICS = Crm(
    KEY,
    DynamicsSession,
    tables={Entity.LEAD: "lead", Entity.CONTACT: "contact", Entity.ACCOUNT: "account"},
    read_tables={
        "account": Entity.ACCOUNT,
        "contact": Entity.CONTACT,
        "lead": Entity.LEAD,
        "opportunity": Entity.OPPORTUNITY,
        "task": Entity.ACTIVITY,
        "phonecall": Entity.ACTIVITY,
        "appointment": Entity.ACTIVITY,
    },
    defaults=DEFAULTS,
    refusals={"do_not_email": "donotemail", "do_not_bulk_email": "donotbulkemail", "do_not_phone": "donotphone"},
    summary=("description", DESCRIPTION),
    lead_values=lead_values,
    task_values=task_values,
    rank=rank,
)
SYSTEM = System(
    KEY,
    _("Dynamics 365 Sales"),
    "building",
    _("Leads are handed over to sales, and what sales makes of them comes back."),
    new_url="integrations:dynamics_new",
    url="integrations:dynamics",
    queue=QUEUE,
)


@queue(QUEUE, calls_out=True)
def work(tenant_id: int, deadline: float) -> Outcome:
    """Bring a tenant's environments up to date; one worker per tenant at a time."""
    return syncing.work(tenant_id, deadline, KEY)
