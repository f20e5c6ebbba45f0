"""Reading a table: `$select`, `$filter`, `$orderby`, `$top`, `$count`, `$expand`, pages, and changes since a token.

Pages go on behind the last record that was shown, so records may be missed or shown again if they change meanwhile,
as there. A delta begins with what the first page saw.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from operator import attrgetter
from typing import Any
from urllib.parse import parse_qsl, quote

from integrations.sandbox.dynamics import errors, filters
from integrations.sandbox.dynamics.columns import Column, Table, Type
from integrations.sandbox.dynamics.organisation import Organisation
from integrations.sandbox.dynamics.rows import Row
from integrations.sandbox.dynamics.tables import TABLES

LARGEST_PAGE = 5_000
LARGEST_COUNT = 5_000
# How long the organisation remembers what was deleted.
DELTA_LIFE = timedelta(days=7)
FORMATTED = "@OData.Community.Display.V1.FormattedValue"
LOGICAL = "@Microsoft.Dynamics.CRM.lookuplogicalname"
UNTRACKABLE = ("$filter", "$orderby", "$expand", "$top")
KNOWN = {"$select", "$filter", "$orderby", "$top", "$expand", "$count", "$skiptoken", "$deltatoken"}
TOKEN = re.compile(r"(?P<version>\d+)!(?P<day>\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)")
EXPAND = re.compile(r"(?P<name>\w+)(?:\((?P<options>[^()]*)\))?(?:,|$)")


@dataclass(frozen=True)
class Wanted:
    """What the headers ask for."""

    page: int = LARGEST_PAGE
    is_tracking: bool = False
    has_annotations: bool = False


@dataclass
class Query:
    """A parsed query string."""

    table: Table
    options: dict[str, str]
    columns: list[Column]
    order: list[tuple[str, bool]] = field(default_factory=list)
    # Navigation properties whose record comes along, and their `$select`.
    expanded: list[tuple[str, str | None]] = field(default_factory=list)


def parse(table: Table, query: str) -> Query:
    """Raises Refusal for what Dataverse does not know."""
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name == "$skip":
            raise errors.bad_query("Skip Clause is not supported in CRM")
        if name.startswith("$") and name not in KNOWN:
            raise errors.bad_query(f"The query option '{name}' is not supported.")
    parsed = Query(table, options, _selected(table, options.get("$select")))
    for part in filter(None, options.get("$orderby", "").split(",")):
        name, _, way = part.strip().partition(" ")
        parsed.order.append((_property(table, name), way.strip() == "desc"))
    parsed.expanded = _expanded(table, options.get("$expand", ""))
    return parsed


def page(organisation: Organisation, table: Table, query: str, wanted: Wanted, root: str) -> dict[str, Any]:
    """One page of a set as the body of the answer; `root` is the URL up to and with `/api/data/v9.2/`."""
    asked = parse(table, query)
    if "$deltatoken" in asked.options:
        return _delta(organisation, asked, wanted, root)
    cookie = _cookie(asked.options.get("$skiptoken"))
    # The link to the next page remembers that changes are tracked.
    is_tracking = wanted.is_tracking or "since" in cookie
    if is_tracking:
        _check_trackable(organisation, asked)
    condition = filters.parse(asked.options["$filter"], lambda name: _property(table, name)) if (
        "$filter" in asked.options
    ) else None  # fmt: skip
    rows = [row for row in organisation.rows.all(table.name) if condition is None or condition(row.values)]
    if asked.order:
        rows.sort(key=cmp_to_key(lambda a, b: _compare(_place(a, asked), _place(b, asked), asked)))
    else:
        rows.sort(key=attrgetter("id"))
    body: dict[str, Any] = {"@odata.context": f"{root}$metadata#{table.set_name}"}
    if asked.options.get("$count") == "true":
        body["@odata.count"] = min(len(rows), LARGEST_COUNT)
    if cookie:
        rows = [row for row in rows if _compare(_place(row, asked), cookie["last"], asked) > 0]
    size = min(wanted.page, LARGEST_PAGE)
    top = int(asked.options["$top"]) if asked.options.get("$top", "").isdigit() else None
    shown = rows[: size if top is None else min(top, size)]
    body["value"] = [show(organisation, row, asked, wanted) for row in shown]
    since = cookie.get("since") or _token(organisation)
    if top is None and len(rows) > size:
        after = {"last": _place(shown[-1], asked), **({"since": since} if is_tracking else {})}
        body["@odata.nextLink"] = _link(root, asked, "$skiptoken", _written(after))
    elif is_tracking:
        body["@odata.deltaLink"] = _link(root, asked, "$deltatoken", since)
    return body


def _delta(organisation: Organisation, asked: Query, wanted: Wanted, root: str) -> dict[str, Any]:
    """What changed after the token: first the records that are there, by version, then those that were deleted."""
    _check_trackable(organisation, asked)
    table = asked.table
    found = TOKEN.fullmatch(asked.options["$deltatoken"])
    if found is None:
        raise errors.bad_query("The delta token is not valid.")
    since = int(found["version"])
    taken = datetime.strptime(found["day"], "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    if organisation.now - taken > DELTA_LIFE or since > organisation.rows.version:
        raise errors.EXPIRED_DELTA
    cookie = _cookie(asked.options.get("$skiptoken"))
    upto, last = cookie.get("upto") or _token(organisation), cookie.get("last", since)
    changed = sorted((row for row in organisation.rows.all(table.name) if row.version > last), key=lambda r: r.version)
    # What changed again meanwhile comes with the next delta; what has gone since then is among the deleted.
    changed = [row for row in changed if row.version <= int(upto.partition("!")[0])]
    size = min(wanted.page, LARGEST_PAGE)
    shown = changed[:size]
    values = [show(organisation, row, asked, wanted) for row in shown]
    body: dict[str, Any] = {"@odata.context": f"{root}$metadata#{table.set_name}/$delta"}
    if len(changed) > size:
        after = _written({"last": shown[-1].version, "upto": upto})
        again = _link(root, asked, "$deltatoken", asked.options["$deltatoken"])
        body["@odata.nextLink"] = f"{again}&$skiptoken={quote(after, safe='')}"
    else:
        values += [
            {"@odata.context": f"{root}$metadata#{table.set_name}/$deletedEntity", "id": gone.id, "reason": "deleted"}
            for gone in organisation.rows.deletions
            if gone.table == table.name and gone.version > since and not organisation.rows.get(table.name, gone.id)
        ]
        body["@odata.deltaLink"] = _link(root, asked, "$deltatoken", upto)
    return {**body, "value": values}


def _check_trackable(organisation: Organisation, asked: Query) -> None:
    named = [name for name in UNTRACKABLE if name in asked.options]
    if named:
        raise errors.bad_query(f"The {', '.join(named)} query parameter is not supported when tracking changes.")
    if not asked.table.is_tracked or asked.table.name in organisation.untracked:
        raise errors.Refusal(400, "0x80044320", f"Change tracking is not enabled for entity {asked.table.name}.")


def show(organisation: Organisation, row: Row, asked: Query, wanted: Wanted) -> dict[str, Any]:
    """A record as JSON."""
    shown: dict[str, Any] = {"@odata.etag": row.etag}
    for column in asked.columns:
        value = row.values.get(column.property)
        if wanted.has_annotations and value is not None:
            shown.update(_annotations(organisation, row, column, value))
        shown[column.property] = value
    shown[asked.table.id] = row.id
    for name, options in asked.expanded:
        column, target = asked.table.navigation[name]
        inner = Query(TABLES[target], {}, _selected(TABLES[target], options))
        key = row.values.get(column.property)
        other = organisation.rows.get(target, key) if key and row.leads_to.get(column.property) == target else None
        shown[name] = show(organisation, other, inner, wanted) if other else None
    return shown


def _annotations(organisation: Organisation, row: Row, column: Column, value: Any) -> dict[str, str]:
    if column.is_lookup:
        table = TABLES[row.leads_to.get(column.property) or next(iter(column.targets.values()))]
        other = organisation.rows.get(table.name, value)
        label = other.values.get(table.primary_name) if other else None
        return {
            **({f"{column.property}{FORMATTED}": label} if label else {}),
            f"{column.property}{LOGICAL}": table.name,
        }
    if column.options:
        return {f"{column.property}{FORMATTED}": column.options.get(int(value), "")}
    if column.type in (Type.MONEY, Type.INTEGER):
        return {f"{column.property}{FORMATTED}": f"{value:,}"}
    return {}


def _expanded(table: Table, text: str) -> list[tuple[str, str | None]]:
    found = []
    for part in EXPAND.finditer(text):
        if part["name"] not in table.navigation:
            raise errors.bad_query(f"Could not find a property named '{part['name']}' on type '{table.name}'.")
        select = re.fullmatch(r"\$select=(.*)", part["options"] or "")
        found.append((part["name"], select[1] if select else None))
    return found


def _selected(table: Table, select: str | None) -> list[Column]:
    if not select:
        return list(table.columns)
    names = [name.strip() for name in select.split(",")]
    return [table.by_property[_property(table, name)] for name in names]


def _property(table: Table, name: str) -> str:
    """The name under which a property is read; the plain name of a look-up is none, and says so by a 400."""
    if name in table.by_property:
        return name
    raise errors.bad_query(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table.name}'.")


def _place(row: Row, asked: Query) -> list[Any]:
    """Where it stands in the order: the columns of `$orderby`, then its id."""
    return [*(row.values.get(name) for name, _ in asked.order), row.id]


def _compare(a: list[Any], b: list[Any], asked: Query) -> int:
    for left, right, is_descending in zip(a, b, [*(way for _, way in asked.order), False], strict=True):
        if left != right:
            is_less = left is None or (right is not None and _folded(left) < _folded(right))
            return -1 if is_less != is_descending else 1
    return 0


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _token(organisation: Organisation) -> str:
    return f"{organisation.rows.version}!{organisation.now:%m/%d/%Y %H:%M:%S}"


def _link(root: str, asked: Query, name: str, token: str) -> str:
    kept = [(key, value) for key, value in asked.options.items() if key not in ("$skiptoken", "$deltatoken")]
    query = "&".join([*(f"{key}={quote(value, safe=',()')}" for key, value in kept), f"{name}={quote(token, safe='')}"])
    return f"{root}{asked.table.set_name}?{query}"


def _written(cookie: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(cookie).encode()).decode()


def _cookie(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        cookie: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, binascii.Error):
        raise errors.bad_query("Invalid paging cookie.") from None
    return cookie
