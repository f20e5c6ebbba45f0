"""Field types that the tenancy and the timeline rest on."""

from typing import Any

from django.db import models
from django.db.models.expressions import Func
from django.db.models.fields import BigIntegerField


class CurrentTenant(Func):
    """The tenant of the scope, as the database knows it: the default of every `tenant_id`."""

    template = "current_setting('app.tenant_id')::bigint"
    arity = 0
    output_field = BigIntegerField()


class TenantKey(models.ForeignKey):
    """Marks a model as a tenant's: filled in by the database, never by the code.

    The database backend (`tenants.postgres`) puts each model with this field under row-level security and
    makes its references to other tenants' models composite.
    """

    def __init__(self, to: Any = "tenants.Tenant", on_delete: Any = models.CASCADE, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        kwargs.setdefault("db_index", False)
        kwargs.setdefault("related_name", "+")
        kwargs.setdefault("db_default", CurrentTenant())
        super().__init__(to, on_delete, **kwargs)


class PartitionKey(models.DateTimeField):
    """Marks a model's table as partitioned by month of this field (see `tenants.postgres.partitions`)."""


class Xid8(models.Field):
    """A 64-bit transaction id: orders what committed (`<`, `=`, `>=` are leakproof, so an index serves)."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None or hasattr(value, "resolve_expression") else str(int(value))


class CurrentXid(Func):
    """The id of the running transaction (assigns one)."""

    template = "pg_current_xact_id()"
    arity = 0
    output_field = Xid8()


class Horizon(Func):
    """Every transaction below this id has ended: nothing can appear below it any more."""

    template = "pg_snapshot_xmin(pg_current_snapshot())"
    arity = 0
    output_field = Xid8()


class CodePointText(models.TextField):
    """Text compared by code point, so that `term ^@ prefix` is an index range (leakproof)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("db_collation", "C")
        super().__init__(*args, **kwargs)


@CodePointText.register_lookup
class Begins(models.Lookup):
    """`term__begins="mar"`: prefix search through the index."""

    lookup_name = "begins"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} ^@ {right}", (*left_params, *right_params)
