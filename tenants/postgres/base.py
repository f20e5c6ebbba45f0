"""Django's PostgreSQL backend, with tenancy built in.

Every table of a model with a `TenantKey` gets row-level security as it is created; every foreign key between
two such tables becomes composite, `(tenant_id, x_id)`, because Postgres checks foreign keys without row-level
security and a guessed id of another tenant would pass a single-column one. A query outside a tenant's scope
raises `OutsideTenantScope`.
"""

import re
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.schema import DatabaseSchemaEditor as PostgresSchemaEditor
from django.db.utils import DatabaseError

from tenants.fields import PartitionKey, TenantKey

POLICY = "tenant_isolation"
PROTECT = (
    'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
    'CREATE POLICY "' + POLICY + '" ON "{table}" '
    "USING (tenant_id = current_setting('app.tenant_id')::bigint) "
    "WITH CHECK (tenant_id = current_setting('app.tenant_id')::bigint)",
)
UNSET = ('unrecognized configuration parameter "app.tenant_id"', 'invalid input syntax for type bigint: ""')


class OutsideTenantScope(DatabaseError):
    """A tenant's table was touched outside `tenant_scope(...)`."""


def is_tenants(model: Any) -> bool:
    """Whether the model belongs to a tenant (true for migration-state models too)."""
    return any(isinstance(field, TenantKey) for field in model._meta.local_fields)


def partition_key(model: Any) -> PartitionKey | None:
    """The field by whose month the model's table is partitioned, if it is."""
    return next((field for field in model._meta.local_fields if isinstance(field, PartitionKey)), None)


class DatabaseSchemaEditor(PostgresSchemaEditor):
    # AddField's foreign keys are made by `_create_fk_sql` as well, so that they can be composite.
    sql_create_column_inline_fk = None  # type: ignore[assignment]

    def create_model(self, model: Any) -> None:
        super().create_model(model)
        if is_tenants(model):
            for statement in PROTECT:
                self.execute(statement.format(table=model._meta.db_table))

    def add_field(self, model: Any, field: Any) -> None:
        if isinstance(field, TenantKey):
            raise ValueError(
                f"{model._meta.label}: a TenantKey belongs into CreateModel; move it there in the migration, so that "
                "the table is protected and its references composite from the start."
            )
        super().add_field(model, field)

    def table_sql(self, model: Any) -> tuple[str, list[Any]]:
        statement, params = super().table_sql(model)
        if key := partition_key(model):
            # A partitioned table's primary key must contain the partition key.
            statement = statement.replace(" PRIMARY KEY GENERATED", " GENERATED", 1).removesuffix(")")
            statement += f', PRIMARY KEY ("id", "{key.column}")) PARTITION BY RANGE ("{key.column}")'
        return statement, params

    def _create_fk_sql(self, model: Any, field: Any, suffix: str) -> Any:
        statement = super()._create_fk_sql(model, field, suffix)  # type: ignore[misc]
        target = field.remote_field.model
        if is_tenants(model) and is_tenants(target) and field.column != "tenant_id":
            table = target._meta.db_table
            index = f'CREATE UNIQUE INDEX IF NOT EXISTS "{table}_tenant_id_id" ON "{table}" (tenant_id, id)'
            # Within one migration the target may be created later; the key itself is deferred as well then.
            if self._exists(table):
                self.execute(index)
            else:
                self.deferred_sql.append(index)
            statement.template = statement.template.replace("(%(column)s)", "(tenant_id, %(column)s)").replace(
                "(%(to_column)s)", "(tenant_id, %(to_column)s)"
            )
        return statement

    def _field_indexes_sql(self, model: Any, field: Any) -> list[Any]:
        """The index of a reference starts with the tenant, as every access path does.

        Rows that refer to nothing are left out: nobody looks for them by it, and an index of little else is so small
        that the planner would take it for the way to all rows of a tenant that the statistics do not know yet.
        """
        if is_tenants(model) and field.remote_field and self._field_should_be_indexed(model, field):  # type: ignore[attr-defined]
            fields = [model._meta.get_field("tenant"), field]
            condition = f"{self.quote_name(field.column)} IS NOT NULL" if field.null else None
            return [self._create_index_sql(model, fields=fields, condition=condition)]  # type: ignore[attr-defined]
        return super()._field_indexes_sql(model, field)  # type: ignore[misc]

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Lift FORCE while a statement validates a key or rewrites a column.

        Postgres validates a new foreign key, and Django fills a column that becomes NOT NULL, by queries of the
        table's owner, which FORCE would hold to one tenant. Same transaction, ACCESS EXCLUSIVE lock: nobody sees
        the gap.
        """
        text = str(sql)
        if "REFERENCES" not in text and not text.lstrip().startswith("UPDATE"):
            return super().execute(sql, params)
        tables = self._forced_tables(set(re.findall(r'"([a-z0-9_]+)"', text)))
        for table in tables:
            super().execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        super().execute(sql, params)
        for table in tables:
            super().execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')

    def _exists(self, table: str) -> bool:
        if self.collect_sql:
            return False
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [table])
            return cursor.fetchone()[0] is not None

    def _forced_tables(self, names: set[str]) -> list[str]:
        if self.collect_sql:
            return []
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relforcerowsecurity ORDER BY 1",
                [list(names)],
            )
            return [name for (name,) in cursor.fetchall()]


def _loudly(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    try:
        return execute(sql, params, many, context)
    except DatabaseError as error:
        if any(text in str(error) for text in UNSET):
            raise OutsideTenantScope("A tenant's table was touched outside tenant_scope(...)") from error
        raise


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(_loudly)
