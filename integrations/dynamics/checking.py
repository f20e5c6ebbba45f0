"""The test of a connection: looks at everything that has to be there, and says what to do about what is not."""

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from integrations.client import CallFailed, NeedsAuthorisation, Rejected
from integrations.crm.interface import Finding
from integrations.dynamics import tables
from integrations.dynamics.odata import Api

_VERBS = ("Create", "Read", "Write", "Append", "AppendTo")
# The names of privileges by table, as security roles have them.
_NAMES = {"lead": "Lead", "contact": "Contact", "account": "Account", "task": "Activity"}
# Privileges by what cannot be done without them: leads, and the tasks about them, are given to users.
_NEEDED = dict.fromkeys(_NAMES, _VERBS) | dict.fromkeys(("lead", "task"), (*_VERBS, "Assign"))
_ALSO = ("prvReadOpportunity", "prvReadUser", "prvReadTransactionCurrency")
# What may be read of only some of the records cannot be read by its changes.
_WHOLE = ("prvReadLead", "prvReadContact", "prvReadAccount", "prvReadOpportunity", "prvReadActivity")
_GLOBAL = ("Global", "3")
_FOR_ERASURE = ("prvDeleteLead", "prvDeleteContact")


def check(api: Api, key_column: str, *, deletes: bool) -> list[Finding]:
    """Look at sign-in, application user, privileges, our key and change tracking; what fails ends what rests on it."""
    try:
        me = api.get("/WhoAmI")["UserId"]
    except CallFailed as failure:
        return list(_no_access(failure))
    found = [
        Finding(_("Sign-in"), True, _("Entra ID gave a token, and the environment accepts it.")),
        Finding(_("Application user"), True, _("It belongs to the environment.")),
    ]
    found += _careful(_("Security role"), lambda: _privileges(api, me, deletes))
    for name in ("lead", "contact", "account"):
        found += _careful(_("Table %(table)s") % {"table": name}, lambda: _table(api, name, key_column))  # noqa: B023
    for table in (tables.OPPORTUNITY, tables.TASK, tables.CALL, tables.MEETING):
        found += _careful(_("Table %(table)s") % {"table": table.name}, lambda: _tracking(api, table.name))  # noqa: B023
    return found


def _no_access(failure: CallFailed) -> Iterator[Finding]:
    if isinstance(failure, NeedsAuthorisation):
        yield Finding(_("Sign-in"), False, failure.text)
    elif isinstance(failure, Rejected) and failure.status == 403:
        yield Finding(_("Sign-in"), True, _("Entra ID gave a token."))
        what = _("The environment has no application user for this client ID, or it has no security role (%(text)s).")
        yield Finding(_("Application user"), False, what % {"text": failure.text})
    else:
        yield Finding(_("Environment"), False, _("It does not answer: %(text)s") % {"text": failure.text})


def _careful(name: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except CallFailed as failure:
        return [Finding(name, False, failure.text)]


def needed() -> list[str]:
    """The privileges without which a connection does not work."""
    return [f"prv{verb}{_NAMES[table]}" for table, verbs in _NEEDED.items() for verb in verbs] + list(_ALSO)


def _privileges(api: Api, me: str, deletes: bool) -> list[Finding]:
    rows = api.get(f"/systemusers({me})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()")["RolePrivileges"]
    has = {row.get("PrivilegeName"): str(row.get("Depth") or "Global") for row in rows}
    missing = [name for name in needed() if name not in has]
    found = _has(_("Security role"), missing, is_optional=False)
    if narrow := [name for name in _WHOLE if has.get(name, "Global") not in _GLOBAL]:
        text = _("These privileges need the scope Organization: %(names)s.") % {"names": ", ".join(narrow)}
        found.append(Finding(_("Scope"), False, text))
    if deletes:
        found += _has(_("Erasure"), [name for name in _FOR_ERASURE if name not in has], is_optional=True)
    return found


def _has(name: str, missing: list[str], *, is_optional: bool) -> list[Finding]:
    if missing:
        text = _("The application user’s role lacks: %(names)s.") % {"names": ", ".join(missing)}
        return [Finding(name, False, text, is_optional)]
    return [Finding(name, True, _("The role allows all that is needed."), is_optional)]


def _table(api: Api, name: str, key_column: str) -> list[Finding]:
    """Whether a table has our key, by which a lead never becomes two, and tracks its changes."""
    definition = _definition(api, name)
    label = _("Table %(table)s") % {"table": name}
    keys = [key for key in definition.get("Keys", ()) if key.get("KeyAttributes") == [key_column]]
    if not keys:
        text = _("It has no alternate key over the text column %(column)s: make both in Power Apps.")
        return [Finding(label, False, text % {"column": key_column})]
    if keys[0].get("EntityKeyIndexStatus", "Active") != "Active":
        return [Finding(label, False, _("Its alternate key is still being built: try again in some minutes."))]
    if not definition.get("ChangeTrackingEnabled"):
        return [Finding(label, False, _("Change tracking is off: switch it on in the table’s properties."))]
    return [Finding(label, True, _("It has our key and tracks its changes."))]


def _tracking(api: Api, name: str) -> list[Finding]:
    is_on = bool(_definition(api, name).get("ChangeTrackingEnabled"))
    text = _("It tracks its changes.") if is_on else _("Change tracking is off: what happens there does not come here.")
    return [Finding(_("Table %(table)s") % {"table": name}, is_on, text, is_optional=True)]


def _definition(api: Api, name: str) -> Any:
    query = "$select=LogicalName,ChangeTrackingEnabled&$expand=Keys($select=KeyAttributes,EntityKeyIndexStatus)"
    return api.get(f"/EntityDefinitions(LogicalName='{name}')?{query}")
