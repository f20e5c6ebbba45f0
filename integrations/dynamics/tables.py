"""Names of Dataverse: tables, keys, look-ups; and what the states of its records mean by our words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.crm.interface import Status
from integrations.dynamics.odata import FORMATTED
from integrations.models import Entity

# Our key: a column of this name on leads, contacts and accounts, with an alternate key over it.
KEY_COLUMN = "new_crmkey"
CONTACTED = 2
REOPENED = {"statecode": 0, "statuscode": 1}


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its logical name, its set, its key, and the columns of which a standing is made."""

    name: str
    set: str
    id: str
    entity: str
    standing: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
    columns: tuple[str, ...] = ()
    # Whether our key is on it.
    is_keyed: bool = False


def _nothing(row: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _lead(row: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Qualified and disqualified are states; accepted is an open lead with one of some status reasons."""
    state, reason = row.get("statecode"), row.get("statuscode")
    if state == 1:
        status = Status.QUALIFIED
    elif state == 2:
        status = Status.DISQUALIFIED
    else:
        is_accepted = reason in settings.get("accepted_statuses", [CONTACTED])
        status = Status.ACCEPTED if is_accepted else Status.OPEN
    found = {
        "status": status.value,
        "owner": row.get("_ownerid_value"),
        "contact": row.get("_parentcontactid_value"),
        "account": row.get("_parentaccountid_value"),
    }
    name = row.get(f"_ownerid_value{FORMATTED}")
    label = row.get(f"statuscode{FORMATTED}") if status == Status.DISQUALIFIED else ""
    return found | {"reason": label or ""} | ({"owner_name": name} if name else {})


def _opportunity(row: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    status = {1: Status.WON, 2: Status.LOST}.get(row.get("statecode", 0), Status.OPEN)
    amount = row.get("actualvalue") if status == Status.WON else None
    amount = row.get("estimatedvalue") if amount is None else amount
    return {
        "status": status.value,
        "lead": row.get("_originatingleadid_value"),
        "name": row.get("name"),
        "amount": amount,
        "currency": row.get("_transactioncurrencyid_value"),
        "closes_on": row.get("estimatedclosedate"),
        "reason": row.get(f"statuscode{FORMATTED}") if status == Status.LOST else "",
    }


def _activity(kind: str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]:
    def standing(row: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "kind": kind,
            "lead": row.get("_regardingobjectid_value"),
            "subject": row.get("subject"),
            "due_at": row.get("scheduledend"),
            "done": row.get("statecode") == 1,
            "cancelled": row.get("statecode") == 2,
            "outcome": row.get(f"statuscode{FORMATTED}") or "",
        }

    return standing


_OF_ACTIVITIES = ("subject", "scheduledend", "statecode", "statuscode", "_regardingobjectid_value")
LEAD = Table(
    "lead",
    "leads",
    "leadid",
    Entity.LEAD,
    _lead,
    ("statecode", "statuscode", "_ownerid_value", "_parentcontactid_value", "_parentaccountid_value"),
    is_keyed=True,
)
CONTACT = Table("contact", "contacts", "contactid", Entity.CONTACT, _nothing, is_keyed=True)
ACCOUNT = Table("account", "accounts", "accountid", Entity.ACCOUNT, _nothing, is_keyed=True)
OPPORTUNITY = Table(
    "opportunity", "opportunities", "opportunityid", Entity.OPPORTUNITY, _opportunity,
    ("name", "estimatedvalue", "actualvalue", "estimatedclosedate", "statecode", "statuscode",
     "_originatingleadid_value", "_transactioncurrencyid_value"),
)  # fmt: skip
TASK = Table("task", "tasks", "activityid", Entity.ACTIVITY, _activity("task"), _OF_ACTIVITIES)
CALL = Table("phonecall", "phonecalls", "activityid", Entity.ACTIVITY, _activity("call"), _OF_ACTIVITIES)
MEETING = Table(
    "appointment", "appointments", "activityid", Entity.ACTIVITY, _activity("appointment"), _OF_ACTIVITIES
)  # fmt: skip

BY_NAME = {table.name: table for table in (ACCOUNT, CONTACT, LEAD, OPPORTUNITY, TASK, CALL, MEETING)}
# Where an entity of ours is written; what we write of activities are tasks.
OF_ENTITY: dict[str, Table] = {
    Entity.LEAD: LEAD, Entity.CONTACT: CONTACT, Entity.ACCOUNT: ACCOUNT, Entity.ACTIVITY: TASK,
}  # fmt: skip
SETS = {**{entity: table.set for entity, table in OF_ENTITY.items()}, "user": "systemusers"}
# Look-ups by (entity, role): the name of the navigation property, whose case matters.
NAVIGATION: dict[tuple[str, str], str] = {
    (Entity.LEAD, Entity.CONTACT): "parentcontactid",
    (Entity.LEAD, Entity.ACCOUNT): "parentaccountid",
    (Entity.LEAD, "owner"): "ownerid",
    (Entity.CONTACT, Entity.ACCOUNT): "parentcustomerid_account",
    (Entity.ACTIVITY, Entity.LEAD): "regardingobjectid_lead_task",
    (Entity.ACTIVITY, "owner"): "ownerid",
}
