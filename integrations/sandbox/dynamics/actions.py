"""Functions and actions of the Web API: QualifyLead, WinOpportunity, LoseOpportunity, WhoAmI."""

from typing import Any

from integrations.sandbox.dynamics import errors, paths
from integrations.sandbox.dynamics.columns import Table
from integrations.sandbox.dynamics.organisation import Organisation
from integrations.sandbox.dynamics.payloads import Changes
from integrations.sandbox.dynamics.rows import Row
from integrations.sandbox.dynamics.tables import ACCOUNT, CONTACT, LEAD, OPPORTUNITY, TABLES

BUSINESS_UNIT = "3f6d2c1a-0000-4000-8000-00000000b001"
ORGANISATION = "3f6d2c1a-0000-4000-8000-00000000d001"
FLAGS = ("CreateAccount", "CreateContact", "CreateOpportunity")
# What goes from a lead to the person it becomes.
SHARED = (
    "firstname", "lastname", "emailaddress1", "telephone1", "mobilephone", "jobtitle", "description", "donotemail",
    "donotbulkemail", "donotphone", "donotpostalmail", "donotsendmm", "address1_line1", "address1_city",
    "address1_stateorprovince", "address1_postalcode", "address1_country",
)  # fmt: skip


def who_am_i(user: str) -> dict[str, str]:
    return {"BusinessUnitId": BUSINESS_UNIT, "UserId": user, "OrganizationId": ORGANISATION}


def qualify(
    organisation: Organisation, lead: Row, asked: Any, by: str, is_detecting: bool = False
) -> list[dict[str, Any]]:
    """QualifyLead: the lead is closed as qualified, and what was asked for is made of it, unless it has it already."""
    if not isinstance(asked, dict) or any(not isinstance(asked.get(flag), bool) for flag in FLAGS):
        raise errors.invalid(f"The parameters {', '.join(FLAGS)} are required.")
    status = asked.get("Status")
    if not isinstance(status, int) or isinstance(status, bool):
        raise errors.invalid("The parameter Status is required.")
    if status not in (-1, 3):
        raise errors.Refusal(400, "0x80048408", f"{status} is not a valid status code for LeadState.Qualified")
    if lead.values["statecode"]:
        raise errors.Refusal(400, "0x80040237", "The lead is already closed.")
    made = []
    with organisation.rows.transaction():
        account = _parent(organisation, lead, "_parentaccountid_value", ACCOUNT)
        if account is None and asked["CreateAccount"] and lead.values["companyname"]:
            account = _made(organisation, ACCOUNT, {"name": lead.values["companyname"]}, lead, by, is_detecting)
            made.append((ACCOUNT, account))
        contact = _parent(organisation, lead, "_parentcontactid_value", CONTACT)
        if contact is None and asked["CreateContact"]:
            values = {name: lead.values[name] for name in SHARED}
            contact = _made(organisation, CONTACT, values, lead, by, is_detecting, parentcustomerid=account)
            made.append((CONTACT, contact))
        opportunity = None
        if asked["CreateOpportunity"]:
            customer = _customer(organisation, asked) or account or contact
            values = {"name": lead.values["subject"], "estimatedvalue": lead.values["estimatedamount"]}
            values["_transactioncurrencyid_value"] = organisation.currency().id
            opportunity = _made(
                organisation, OPPORTUNITY, values, lead, by,
                parentaccountid=account, parentcontactid=contact, customerid=customer,
            )  # fmt: skip
            made.append((OPPORTUNITY, opportunity))
        closing = Changes({"statecode": 1, "statuscode": 3})
        for name, row, table in (
            ("_parentaccountid_value", account, ACCOUNT),
            ("_parentcontactid_value", contact, CONTACT),
            ("_qualifyingopportunityid_value", opportunity, OPPORTUNITY),
        ):
            if row is not None:
                closing.values[name] = row.id
                closing.leads_to[name] = table.name
        organisation.close(LEAD, lead, closing, by)
    return [{"@odata.type": f"#Microsoft.Dynamics.CRM.{table.name}", table.id: row.id} for table, row in made]


def close(organisation: Organisation, name: str, asked: Any, by: str) -> None:
    """WinOpportunity and LoseOpportunity."""
    closing = asked.get("OpportunityClose") if isinstance(asked, dict) else None
    if not isinstance(closing, dict) or "opportunityid@odata.bind" not in closing or "Status" not in asked:
        raise errors.invalid("The parameters Status and OpportunityClose with its opportunity are required.")
    table, row = paths.reference(closing["opportunityid@odata.bind"], organisation)
    if table != OPPORTUNITY.name:
        raise errors.invalid("OpportunityClose needs an opportunity.")
    if row.values["statecode"]:
        raise errors.Refusal(400, "0x80040237", "The opportunity is already closed.")
    changes = Changes(
        {
            "statecode": 1 if name == "WinOpportunity" else 2,
            "statuscode": asked["Status"],
            "actualclosedate": organisation.now.date().isoformat(),
        }
    )
    if name == "WinOpportunity":
        changes.values["actualvalue"] = closing.get("actualrevenue", row.values["estimatedvalue"])
    organisation.close(OPPORTUNITY, row, changes, by)


def _parent(organisation: Organisation, lead: Row, name: str, table: Table) -> Row | None:
    key = lead.values[name]
    return organisation.rows.get(table.name, key) if key else None


def _customer(organisation: Organisation, asked: dict[str, Any]) -> Row | None:
    customer = asked.get("OpportunityCustomerId") or {}
    name = str(customer.get("@odata.type", "")).rpartition(".")[2]
    key = customer.get(f"{name}id")
    if not key:
        return None
    found = organisation.rows.get(name, key) if name in TABLES else None
    if found is None:
        raise errors.missing(name, key)
    return found


def _made(
    organisation: Organisation, table: Table, values: dict[str, Any], lead: Row, by: str, is_detecting: bool = False,
    **parents: Row | None,
) -> Row:  # fmt: skip
    if is_detecting and has_double(organisation, table, values):
        raise errors.DUPLICATE
    changes = Changes(dict(values), {"_transactioncurrencyid_value": "transactioncurrency"})
    parents["originatingleadid"] = lead
    for name, row in parents.items():
        if row is not None:
            changes.values[f"_{name}_value"] = row.id
            changes.leads_to[f"_{name}_value"] = row.table
    changes.values["_ownerid_value"] = lead.values["_ownerid_value"]
    return organisation.create(table, changes, by)


def has_double(organisation: Organisation, table: Table, values: dict[str, Any]) -> bool:
    """Whether the organisation's rules find the record again: people by address, accounts by name."""
    name = "name" if table.name == "account" else "emailaddress1"
    wanted = str(values.get(name) or "").lower()
    return bool(wanted) and any(
        str(row.values.get(name) or "").lower() == wanted for row in organisation.rows.all(table.name)
    )
