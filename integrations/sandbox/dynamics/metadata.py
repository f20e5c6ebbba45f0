"""`EntityDefinitions`: tables, attributes, option sets, keys and look-ups in the shape of Dataverse's metadata."""

import re
import zlib
from typing import Any
from urllib.parse import parse_qsl, unquote

from integrations.sandbox.dynamics import errors, filters
from integrations.sandbox.dynamics.columns import Column, Table, Type
from integrations.sandbox.dynamics.organisation import Organisation
from integrations.sandbox.dynamics.tables import KEY, TABLES

CRM = "Microsoft.Dynamics.CRM"
PATH = re.compile(
    r"EntityDefinitions(?:\(LogicalName='(?P<table>\w+)'\))?"
    r"(?:/(?P<part>Attributes|Keys|ManyToOneRelationships)(?:\(LogicalName='(?P<one>\w+)'\))?"
    r"(?:/(?P<cast>Microsoft\.Dynamics\.CRM\.\w+))?)?"
)
EXPAND = re.compile(r"(?P<name>\w+)(?:\((?P<options>(?:[^()]|\([^()]*\))*)\))?")
CASTS = {
    Type.DATE: "DateTimeAttributeMetadata",
    Type.OWNER: "LookupAttributeMetadata",
    Type.ID: "AttributeMetadata",
}


def answer(organisation: Organisation, path: str, query: str, root: str) -> dict[str, Any]:
    """The body for a path behind `/api/data/v9.2/` that begins with EntityDefinitions."""
    found = PATH.fullmatch(unquote(path))
    if found is None:
        raise errors.no_resource(path.split("(")[0])
    options = dict(parse_qsl(query))
    if found["table"] is None:
        every = [_definition(organisation, table) for table in TABLES.values()]
        return {"@odata.context": f"{root}$metadata#EntityDefinitions", "value": _chosen(every, options)}
    table = TABLES.get(found["table"])
    if table is None:
        raise errors.Refusal(404, "0x80060888", f"Could not find an entity with name {found['table']}.")
    definition = _definition(organisation, table)
    if found["part"] is None:
        return {"@odata.context": f"{root}$metadata#EntityDefinitions/$entity", **_chosen([definition], options)[0]}
    parts: list[dict[str, Any]] = definition[found["part"]]
    if found["cast"]:
        parts = [part for part in parts if part.get("@odata.type") == f"#{found['cast']}"]
    if found["one"]:
        parts = [part for part in parts if part["LogicalName"] == found["one"]]
        if not parts:
            raise errors.Refusal(404, "0x80060888", f"Could not find an attribute with name {found['one']}.")
        return {"@odata.context": f"{root}$metadata#Attributes/$entity", **_chosen(parts, options)[0]}
    return {"@odata.context": f"{root}$metadata#{found['part']}", "value": _chosen(parts, options)}


def _chosen(items: list[dict[str, Any]], options: dict[str, str]) -> list[dict[str, Any]]:
    """By `$filter`, with what `$select` and `$expand` name; collections come only if they are expanded."""
    if "$filter" in options:
        holds = filters.parse(options["$filter"], lambda name: name)
        items = [item for item in items if holds(item)]
    expanded = {
        part["name"]: dict(piece.split("=", 1) for piece in (part["options"] or "").split(";") if "=" in piece)
        for part in EXPAND.finditer(options.get("$expand", ""))
    }
    selected = {name.strip() for name in options["$select"].split(",")} if "$select" in options else None
    chosen = []
    for item in items:
        shown = {
            name: value
            for name, value in item.items()
            if name.startswith("@")
            or (name not in EXPANDABLE and (selected is None or name in selected or name == "MetadataId"))
        }
        for name, inner in expanded.items():
            if name in item:
                value = item[name]
                shown[name] = _chosen(value, inner) if isinstance(value, list) else _chosen([value], inner)[0]
        chosen.append(shown)
    return chosen


# Navigation properties of the metadata: not there unless they are asked for.
EXPANDABLE = {"Attributes", "Keys", "ManyToOneRelationships", "OptionSet", "GlobalOptionSet"}


def _definition(organisation: Organisation, table: Table) -> dict[str, Any]:
    return {
        "MetadataId": _guid(table.name),
        "LogicalName": table.name,
        "SchemaName": table.name.capitalize(),
        "EntitySetName": table.set_name,
        "LogicalCollectionName": table.set_name,
        "PrimaryIdAttribute": table.id,
        "PrimaryNameAttribute": table.primary_name,
        "DisplayName": _label(table.label),
        "ChangeTrackingEnabled": table.is_tracked and table.name not in organisation.untracked,
        "Attributes": [
            _attribute(table, column) for column in table.columns if not _is_hidden(organisation, column, table)
        ]
        + [_name_of(table)],
        "Keys": [] if table.name in organisation.keyless else [_key(name, table) for name in table.keys],
        "ManyToOneRelationships": [_relationship(table, *each) for each in table.navigation.items()],
    }


def _is_hidden(organisation: Organisation, column: Column, table: Table) -> bool:
    return column.name == KEY and table.name in organisation.keyless


def _attribute(table: Table, column: Column) -> dict[str, Any]:
    type_ = Type.DATETIME if column.type == Type.DATE else column.type
    made: dict[str, Any] = {
        "@odata.type": f"#{CRM}.{CASTS.get(column.type, f'{column.type}AttributeMetadata')}",
        "MetadataId": _guid(f"{table.name}.{column.name}"),
        "LogicalName": column.name,
        "SchemaName": column.name,
        "EntityLogicalName": table.name,
        "AttributeType": "Uniqueidentifier" if type_ == Type.ID else str(type_),
        "AttributeTypeName": {"Value": f"{type_}Type"},
        "DisplayName": _label(column.label),
        "Description": _label(""),
        "RequiredLevel": {"Value": column.required, "CanBeChanged": True},
        "IsValidForCreate": column.is_writable and column.type != Type.STATE,
        "IsValidForUpdate": column.is_writable and column.type != Type.ID,
        "IsValidForRead": True,
        "IsPrimaryId": column.name == table.id,
        "IsPrimaryName": column.name == table.primary_name,
        "IsCustomAttribute": column.name.startswith("new_"),
        "AttributeOf": None,
    }
    if column.type in (Type.STRING, Type.MEMO):
        made |= {"MaxLength": column.length, "Format": "Email" if column.name.startswith("emailaddress") else "Text"}
    elif column.type in (Type.INTEGER, Type.MONEY):
        made |= {"MinValue": column.least, "MaxValue": column.most}
    elif column.type in (Type.DATE, Type.DATETIME):
        made |= {"Format": "DateOnly" if column.type == Type.DATE else "DateAndTime"}
    elif column.type == Type.BOOLEAN:
        no, yes = (_option(value, label) for value, label in column.options.items())
        made["OptionSet"] = {"OptionSetType": "Boolean", "FalseOption": no, "TrueOption": yes}
    elif column.is_lookup:
        made["Targets"] = list(column.targets.values())
    elif column.options:
        options = [_option(value, label, column.states.get(value)) for value, label in column.options.items()]
        made["OptionSet"] = {"OptionSetType": str(column.type), "IsGlobal": False, "Options": options}
    return made


def _name_of(table: Table) -> dict[str, Any]:
    """An attribute that belongs to another one, as each look-up and option set has; clients must leave it out."""
    return {
        "@odata.type": f"#{CRM}.StringAttributeMetadata",
        "MetadataId": _guid(f"{table.name}.createdbyname"),
        "LogicalName": "createdbyname",
        "SchemaName": "CreatedByName",
        "EntityLogicalName": table.name,
        "AttributeType": "String",
        "AttributeTypeName": {"Value": "StringType"},
        "DisplayName": {"LocalizedLabels": [], "UserLocalizedLabel": None},
        "RequiredLevel": {"Value": "None", "CanBeChanged": False},
        "IsValidForCreate": False,
        "IsValidForUpdate": False,
        "IsValidForRead": True,
        "AttributeOf": "createdby",
        "MaxLength": 100,
    }


def _option(value: int, label: str, state: int | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"Value": value, "Label": _label(label)}
    if state is not None:
        made["State"] = state
    return made


def _key(name: str, table: Table) -> dict[str, Any]:
    return {
        "MetadataId": _guid(f"{table.name}!{name}"),
        "LogicalName": name,
        "SchemaName": name,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(table.keys[name]),
        "EntityKeyIndexStatus": "Active",
        "DisplayName": _label("Onward key"),
    }


def _relationship(table: Table, name: str, led: tuple[Column, str]) -> dict[str, Any]:
    column, target = led
    return {
        "SchemaName": f"{table.name}_{name}",
        "ReferencingEntity": table.name,
        "ReferencingAttribute": column.name,
        "ReferencingEntityNavigationPropertyName": name,
        "ReferencedEntity": target,
        "ReferencedAttribute": TABLES[target].id,
    }


def _label(text: str) -> dict[str, Any]:
    label = {"Label": text, "LanguageCode": 1033, "IsManaged": True}
    return {"LocalizedLabels": [label], "UserLocalizedLabel": label}


def _guid(name: str) -> str:
    return f"{zlib.crc32(name.encode()):08x}-0000-4000-8000-{zlib.crc32(name[::-1].encode()):012x}"
