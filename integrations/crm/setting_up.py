"""Setting up a connection to a CRM: what its columns can hold, who works there, and the mappings to begin with."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from contacts import cells
from contacts.targets import Target
from integrations.crm import ours
from integrations.crm.columns import Column, Type
from integrations.crm.interface import User, crms
from integrations.crm.mapped import summary_column
from integrations.models import MAPPED, Connection, Entity, FieldMapping, RemoteTable, SalesUser
from tenants import audit
from tenants.models import Member
from tenants.scope import tenant_scope

Owner = FieldMapping.Owner


@dataclass(frozen=True)
class Chosen:
    """A line of the mapping page: one of our fields, their column, who owns it, and choices by our values."""

    field: str
    remote: str
    owner: str = Owner.NEWEST
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class BadMapping(ValueError):
    """A mapping that cannot be; the text names the field and says why."""


def learn(connection: Connection) -> None:
    """Ask the CRM what its columns can hold and who works there; outside of any scope. Raises CallFailed."""
    session = crms.of(connection.system).open(connection)
    tables = {entity: session.columns(entity) for entity in MAPPED}
    people = session.users()
    with tenant_scope(connection.tenant_id):
        for entity, columns in tables.items():
            RemoteTable.objects.update_or_create(
                connection=connection,
                entity=entity,
                defaults={
                    "name": crms.of(connection.system).tables[entity],
                    "columns": list(columns),
                    "fetched_at": Now(),
                },
            )
        keep_users(connection, people)
        if not FieldMapping.objects.filter(connection=connection).exists():
            add_defaults(connection)


def keep_users(connection: Connection, people: Sequence[User]) -> None:
    """Keep who works there; whoever has a member's address is that member, unless somebody has chosen another."""
    members = {
        member.user.email.casefold(): member.pk
        for member in Member.objects.filter(tenant_id=connection.tenant_id, is_active=True).select_related("user")
    }
    known = {row.external_id: row for row in SalesUser.objects.filter(connection=connection)}
    taken = {row.member_id for row in known.values() if row.is_chosen and row.member_id}
    changed: list[SalesUser] = []
    for person in people:
        row = known.pop(person.external_id, None) or SalesUser(connection=connection, external_id=person.external_id)
        before = (row.name, row.email, row.is_active, row.member_id)
        row.name, row.email, row.is_active = person.name[:200], person.email[:254], person.is_active
        if not row.is_chosen:
            found = members.get(person.email.casefold()) if person.is_active else None
            row.member_id = found if found not in taken else None
            taken.add(row.member_id or 0)
        if row.pk is None or before != (row.name, row.email, row.is_active, row.member_id):
            changed.append(row)
    gone = SalesUser.objects.filter(pk__in=[row.pk for row in known.values()])
    gone.update(is_active=False)
    # Whoever is no member any more makes room for the one who is by now.
    changing = SalesUser.objects.filter(pk__in=[row.pk for row in changed if row.pk])
    (gone | changing).filter(is_chosen=False).update(member=None)
    for row in changed:
        row.save()


def choose_member(user: SalesUser, member: Member | None, *, by: Member) -> None:
    """Say which member somebody there is; whoever was it before is nobody."""
    with transaction.atomic():
        if member is not None:
            same = SalesUser.objects.filter(connection=user.connection, member=member).exclude(pk=user.pk)
            same.update(member=None, is_chosen=True)
        user.member, user.is_chosen = member, True
        user.save(update_fields=["member", "is_chosen"])
    audit.write("crm.user_mapped", user.connection, by=by, detail={"user": user.name, "member": str(member or "")})


def add_defaults(connection: Connection) -> None:
    """The mappings that a new connection begins with, as far as their table has the columns."""
    known = {
        (row.entity, kept["name"])
        for row in RemoteTable.objects.filter(connection=connection)
        for kept in row.columns
    }  # fmt: skip
    FieldMapping.objects.bulk_create(
        [
            FieldMapping(
                connection=connection,
                entity=one.field.partition(".")[0],
                field=one.field,
                remote=one.remote,
                owner=one.owner,
                options=dict(one.options),
            )
            for one in crms.of(connection.system).defaults
            if (one.field.partition(".")[0], one.remote) in known
        ],
        ignore_conflicts=True,
    )


def known_columns(connection: Connection, entity: str) -> dict[str, Column]:
    """Their columns by name, as they were when `learn` asked last."""
    row = RemoteTable.objects.filter(connection=connection, entity=entity).first()
    return {column.name: column for column in map(Column.of_json, row.columns if row else ())}


def columns_of(connection: Connection, entity: str) -> dict[str, Column]:
    """Those of their columns that can be mapped."""
    used = set(crms.of(connection.system).refusals.values())
    used |= {summary_column(connection)} if entity == Entity.LEAD else set()
    known = known_columns(connection, entity)
    return {name: column for name, column in known.items() if column.can_be_mapped and name not in used}


@transaction.atomic
def save(connection: Connection, entity: str, chosen: Sequence[Chosen], *, by: Member) -> None:
    """Set an entity's mappings to exactly these; raises BadMapping."""
    offered, columns = ours.fields(), columns_of(connection, entity)
    _no_column_twice(chosen)
    rows = []
    for one in chosen:
        target, column = offered.get(one.field), columns.get(one.remote)
        if target is None or target.entity != entity or column is None:
            raise BadMapping(_("There is no field %(field)s or no column %(column)s.") % _names(one))
        if problem := misfit(target, column, one.options):
            raise BadMapping(f"{target.label}: {problem}")
        owner = one.owner if ours.may_take(one.field) else Owner.MARKETING
        rows.append(
            FieldMapping(
                connection=connection,
                entity=entity,
                field=one.field,
                remote=one.remote,
                owner=owner,
                options=dict(one.options),
            )
        )
    FieldMapping.objects.filter(connection=connection, entity=entity).delete()
    FieldMapping.objects.bulk_create(rows)
    audit.write("crm.mapped", connection, by=by, detail={"entity": entity, "count": len(rows)})


def misfit(target: Target, column: Column, options: Mapping[str, Any]) -> str:
    """Why a field can never be that column; empty: it can."""
    cell = target.cell
    is_number, is_yes_no = isinstance(cell, cells.NumberCell), isinstance(cell, cells.BooleanCell)
    if column.type in (Type.INTEGER, Type.NUMBER) and not is_number:
        return _("%(column)s takes numbers only.") % {"column": column.label}
    if column.type == Type.BOOLEAN and not is_yes_no and not options:
        return _("%(column)s takes yes or no only.") % {"column": column.label}
    if column.type in (Type.DATE, Type.MOMENT) and not isinstance(cell, cells.DateCell):
        return _("%(column)s takes dates only.") % {"column": column.label}
    known = {value for value, _label in column.options}
    if wrong := [str(value) for value in options.values() if known and value not in known]:
        return _("%(column)s has no choice %(values)s.") % {"column": column.label, "values": ", ".join(wrong)}
    return ""


def may_be_longer(target: Target, column: Column) -> bool:
    """Whether our field holds longer texts than their column: such a record is parked when it comes to that."""
    is_text = column.type in (Type.TEXT, Type.MEMO) and column.longest is not None
    return is_text and target.cell.longest > (column.longest or 0)


def _no_column_twice(chosen: Sequence[Chosen]) -> None:
    for names in ([one.field for one in chosen], [one.remote for one in chosen]):
        if double := next((name for name in names if names.count(name) > 1), ""):
            raise BadMapping(_("%(name)s is mapped twice.") % {"name": double})


def _names(one: Chosen) -> dict[str, str]:
    return {"field": one.field, "column": one.remote}
