"""What people in Sales do with their records, by themselves or through the control API's `act`.

    {"do": "accept", "lead": ID}                     Status Reason "Contacted"; whoever accepts it owns it
    {"do": "qualify", "lead": ID, "value": 12000}    QualifyLead with account, contact and opportunity
    {"do": "disqualify", "lead": ID, "status": 6}    4 Lost, 5 Cannot Contact, 6 No Longer Interested, 7 Canceled
    {"do": "reopen", "lead": ID}
    {"do": "win" | "lose", "opportunity": ID}        or "lead": the one it was qualified to
    {"do": "call", "lead": ID, "subject": "…"}       a completed phone call about it
    {"do": "complete", "task": ID}
    {"do": "assign" | "edit" | "delete", "table": "lead", "id": ID, "to": …, "values": {…}}

`by` and `to` are e-mail addresses of users, the manager's if left out. A lead may also be named by its Onward key.
"""

from collections.abc import Callable
from typing import Any

from integrations.sandbox.dynamics import actions, paths, payloads
from integrations.sandbox.dynamics.columns import Table
from integrations.sandbox.dynamics.organisation import Organisation
from integrations.sandbox.dynamics.payloads import GUID, Changes
from integrations.sandbox.dynamics.people import APPLICATION, MANAGER
from integrations.sandbox.dynamics.rows import Row
from integrations.sandbox.dynamics.tables import KEY, LEAD, OPPORTUNITY, PHONECALL, TABLES, TASK, USER

Asked = dict[str, Any]


def act(organisation: Organisation, asked: Asked) -> dict[str, Any]:
    """Do it; KeyError for what is unknown or missing, Refusal for what the platform does not allow."""
    with organisation.rows.transaction():
        return DEEDS[asked["do"]](organisation, asked) or {}


def add(organisation: Organisation, table: Table, values: dict[str, Any], by: str = MANAGER) -> Row:
    """A record as it is, look-ups by `_name_value`, closed ones too."""
    given = dict(values)
    state: dict[str, Any] = {name: given.pop(name) for name in ("statecode", "statuscode") if name in given}
    key = given.pop(table.id, None)
    leads_to = {
        column.property: next(iter(column.targets.values())) for column in table.columns if column.property in given
        and column.is_lookup
    }  # fmt: skip
    unknown = given.keys() - table.by_property.keys()
    if unknown:
        raise KeyError(f"{table.name} has no {', '.join(sorted(unknown))}")
    row = organisation.create(table, Changes(given, leads_to), by, key)
    return organisation.close(table, row, Changes(state), by) if state else row


def _accept(organisation: Organisation, asked: Asked) -> None:
    lead, by = _lead(organisation, asked), _by(organisation, asked)
    changes = Changes({"statuscode": 2})
    owner = by if "by" in asked or lead.values["_ownerid_value"] == APPLICATION else None
    if owner is not None:
        changes.values["_ownerid_value"], changes.leads_to["_ownerid_value"] = owner.id, USER.name
    organisation.update(LEAD, lead, changes, by.id)


def _qualify(organisation: Organisation, asked: Asked) -> dict[str, Any]:
    lead, by = _lead(organisation, asked), _by(organisation, asked)
    wanted = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": True, "Status": -1}
    made = actions.qualify(organisation, lead, wanted, by.id)
    key = next(each["opportunityid"] for each in made if "opportunityid" in each)
    if asked.get("value") is not None:
        opportunity = _row(organisation, OPPORTUNITY, key)
        organisation.update(OPPORTUNITY, opportunity, Changes({"estimatedvalue": float(asked["value"])}), by.id)
    return {"opportunity": key}


def _disqualify(organisation: Organisation, asked: Asked) -> None:
    changes = Changes({"statecode": 2, "statuscode": int(asked.get("status", 4))})
    organisation.update(LEAD, _lead(organisation, asked), changes, _by(organisation, asked).id)


def _reopen(organisation: Organisation, asked: Asked) -> None:
    changes = Changes({"statecode": 0, "statuscode": 1})
    organisation.update(LEAD, _lead(organisation, asked), changes, _by(organisation, asked).id)


def _win(organisation: Organisation, asked: Asked) -> None:
    _close(organisation, asked, "WinOpportunity", 3)


def _lose(organisation: Organisation, asked: Asked) -> None:
    _close(organisation, asked, "LoseOpportunity", int(asked.get("status", 5)))


def _close(organisation: Organisation, asked: Asked, name: str, status: int) -> None:
    key = asked.get("opportunity") or _lead(organisation, asked).values["_qualifyingopportunityid_value"]
    row = _row(organisation, OPPORTUNITY, key or "")
    closing: dict[str, Any] = {"subject": name, "opportunityid@odata.bind": f"/opportunities({row.id})"}
    if asked.get("value") is not None:
        closing["actualrevenue"] = float(asked["value"])
    actions.close(organisation, name, {"Status": status, "OpportunityClose": closing}, _by(organisation, asked).id)


def _call(organisation: Organisation, asked: Asked) -> dict[str, Any]:
    lead, by = _lead(organisation, asked), _by(organisation, asked)
    values = {
        "subject": asked.get("subject", "Call"),
        "phonenumber": lead.values["telephone1"] or lead.values["mobilephone"],
        "directioncode": True,
        "actualend": payloads.written(organisation.now),
        "_regardingobjectid_value": lead.id,
        "statecode": 1,
        "statuscode": 2,
    }
    return {"phonecall": add(organisation, PHONECALL, values, by.id).id}


def _complete(organisation: Organisation, asked: Asked) -> None:
    changes = Changes({"statecode": 1, "statuscode": 5, "actualend": payloads.written(organisation.now)})
    organisation.update(TASK, _row(organisation, TASK, asked["task"]), changes, _by(organisation, asked).id)


def _assign(organisation: Organisation, asked: Asked) -> None:
    to = organisation.user(asked["to"])
    if to is None:
        raise KeyError(asked["to"])
    table, row = _record(organisation, asked)
    changes = Changes({"_ownerid_value": to.id}, {"_ownerid_value": USER.name})
    organisation.update(table, row, changes, _by(organisation, asked).id)


def _edit(organisation: Organisation, asked: Asked) -> None:
    table, row = _record(organisation, asked)
    changes = payloads.read(table, asked["values"], lambda text: paths.reference(text, organisation))
    organisation.update(table, row, changes, _by(organisation, asked).id)


def _delete(organisation: Organisation, asked: Asked) -> None:
    organisation.delete(*_record(organisation, asked))


def _record(organisation: Organisation, asked: Asked) -> tuple[Table, Row]:
    table = TABLES[asked["table"]]
    return table, _lead(organisation, {"lead": asked["id"]}) if table is LEAD else _row(
        organisation, table, asked["id"]
    )


def _lead(organisation: Organisation, asked: Asked) -> Row:
    key = str(asked["lead"])
    by_key = organisation.rows.find(LEAD, KEY, {KEY: key})
    return by_key or _row(organisation, LEAD, key if GUID.fullmatch(key) else "")


def _row(organisation: Organisation, table: Table, key: str) -> Row:
    found = organisation.rows.get(table.name, key)
    if found is None:
        raise KeyError(f"no {table.name} {key}")
    return found


def _by(organisation: Organisation, asked: Asked) -> Row:
    if "by" not in asked:
        return _row(organisation, USER, MANAGER)
    found = organisation.user(asked["by"])
    if found is None:
        raise KeyError(asked["by"])
    return found


DEEDS: dict[str, Callable[[Organisation, Asked], dict[str, Any] | None]] = {
    "accept": _accept,
    "qualify": _qualify,
    "disqualify": _disqualify,
    "reopen": _reopen,
    "win": _win,
    "lose": _lose,
    "call": _call,
    "complete": _complete,
    "assign": _assign,
    "edit": _edit,
    "delete": _delete,
}
