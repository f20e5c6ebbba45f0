"""One mapping at a time, by the verb that sets all of an entity's: adding, changing and removing."""

from collections.abc import Mapping
from typing import Any

from integrations.crm import setting_up
from integrations.crm.setting_up import Chosen
from integrations.models import Connection, FieldMapping
from tenants.models import Member


def put(
    connection: Connection,
    field: str,
    remote: str,
    owner: str,
    options: Mapping[str, Any] | None = None,
    *,
    by: Member,
) -> None:
    """Map a field to a column, or change how it is mapped; raises setting_up.BadMapping."""
    entity = field.partition(".")[0]
    others = [one for one in _kept(connection, entity) if one.field != field]
    setting_up.save(connection, entity, [*others, Chosen(field, remote, owner, options or {})], by=by)


def remove(row: FieldMapping, *, by: Member) -> None:
    """Leave both sides as they are from now on."""
    others = [one for one in _kept(row.connection, row.entity) if one.field != row.field]
    setting_up.save(row.connection, row.entity, others, by=by)


def _kept(connection: Connection, entity: str) -> list[Chosen]:
    rows = FieldMapping.objects.filter(connection=connection, entity=entity).order_by("pk")
    return [Chosen(row.field, row.remote, row.owner, row.options) for row in rows]
