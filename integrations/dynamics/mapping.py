"""Which of our fields go to which of their columns: adding, changing and removing mappings."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from integrations.models import Connection, FieldMapping
from tenants import audit
from tenants.models import Member


class Taken(ValueError):
    """The field or the column is mapped already; the text says so."""


def add(connection: Connection, entity: str, field: str, remote: str, owner: str, *, by: Member) -> FieldMapping:
    """Map a field to a column; raises Taken."""
    try:
        with transaction.atomic():
            row = FieldMapping.objects.create(
                connection=connection, entity=entity, field=field, remote=remote, owner=owner
            )
    except IntegrityError:
        raise Taken(_("The field or the column is mapped already.")) from None
    audit.write("dynamics.field_mapped", connection, by=by, detail={"field": field, "column": remote})
    return row


def change(row: FieldMapping, owner: str, options: Mapping[str, Any], *, by: Member) -> None:
    """Say who decides where both sides differ, and which choices stand for each other."""
    row.owner, row.options = owner, dict(options)
    row.save(update_fields=["owner", "options"])
    audit.write("dynamics.mapping_changed", row.connection, by=by, detail={"field": row.field, "owner": owner})


def remove(row: FieldMapping, *, by: Member) -> None:
    """Leave both sides as they are from now on."""
    audit.write("dynamics.field_unmapped", row.connection, by=by, detail={"field": row.field, "column": row.remote})
    row.delete()
