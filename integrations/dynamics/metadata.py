"""What columns can hold: `EntityDefinitions`, with lengths, ranges and option sets."""

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.crm.columns import Column, Type
from integrations.dynamics.odata import Api

_CRM = "Microsoft.Dynamics.CRM"
# Their types by ours; what is not here cannot be mapped.
_TYPES = {
    "String": Type.TEXT,
    "Memo": Type.MEMO,
    "Integer": Type.INTEGER,
    "BigInt": Type.INTEGER,
    "Decimal": Type.NUMBER,
    "Double": Type.NUMBER,
    "Money": Type.NUMBER,
    "Boolean": Type.BOOLEAN,
    "Picklist": Type.CHOICE,
    "DateTime": Type.MOMENT,
}
_WITH_OPTIONS = ("Picklist", "Boolean")
# Written as a matter of course, not by mapping: states, our key, who owns it.
_OWN = frozenset({"statecode", "statuscode", "ownerid", "donotemail", "donotbulkemail", "donotphone"})
_FORCED = frozenset({"ApplicationRequired", "SystemRequired"})
# What an emptied record has where it must have something, and what else of it may say who it was.
REQUIRED: Mapping[str, Mapping[str, str]] = {
    "lead": {"subject": "–", "lastname": "–"},
    "contact": {"lastname": "–"},
    "account": {"name": "–"},
}
_PERSON = ("firstname", "lastname", "emailaddress1", "telephone1", "mobilephone", "jobtitle", "description")
PERSONAL: Mapping[str, tuple[str, ...]] = {"lead": (*_PERSON, "subject", "companyname"), "contact": _PERSON}


def columns(api: Api, table: str) -> list[Column]:
    """The columns of a table that can be mapped, by label."""
    base = f"/EntityDefinitions(LogicalName='{table}')/Attributes"
    attributes = api.rows(base)
    options = {
        name: found
        for kind in _WITH_OPTIONS
        for name, found in _options(
            api.rows(f"{base}/{_CRM}.{kind}AttributeMetadata?$select=LogicalName&$expand=OptionSet")
        )
    }
    found = (_column(attribute, options.get(attribute["LogicalName"], ())) for attribute in attributes)
    return sorted((column for column in found if column is not None), key=lambda column: column.label.casefold())


def _column(attribute: Mapping[str, Any], options: tuple[tuple[Any, str], ...]) -> Column | None:
    name, kind = attribute["LogicalName"], attribute["AttributeType"]
    type_ = _TYPES.get(kind)
    may_write = bool(attribute.get("IsValidForCreate") and attribute.get("IsValidForUpdate"))
    if type_ is None or name in _OWN or attribute.get("AttributeOf") or attribute.get("IsPrimaryId") or not may_write:
        return None
    if type_ == Type.MOMENT and attribute.get("Format") == "DateOnly":
        type_ = Type.DATE
    return Column(
        name,
        _label(attribute.get("DisplayName")) or name,
        type_,
        attribute.get("MaxLength"),
        attribute.get("MinValue"),
        attribute.get("MaxValue"),
        options,
        (attribute.get("RequiredLevel") or {}).get("Value") in _FORCED,
    )


def _options(attributes: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, tuple[tuple[Any, str], ...]]]:
    for attribute in attributes:
        found = attribute.get("OptionSet") or {}
        if "TrueOption" in found:
            both = ((False, found["FalseOption"]), (True, found["TrueOption"]))
            yield attribute["LogicalName"], tuple((value, _label(option["Label"])) for value, option in both)
        else:
            options = found.get("Options") or ()
            yield attribute["LogicalName"], tuple((o["Value"], _label(o["Label"])) for o in options)


def _label(label: Mapping[str, Any] | None) -> str:
    return str(((label or {}).get("UserLocalizedLabel") or {}).get("Label") or "")
