"""The sample company's clock: a day passes at a click.

Instead of teaching every query a second time, everything the tenant has is made older: each moment in each of its
tables moves back. Due times come due, windows run out, exactly as if the time had passed.
"""

from datetime import timedelta

from django.apps import apps
from django.db import connection, models
from django.db.models import F, Min
from psycopg import sql

from tenants.models import Tenant, Wakeup
from tenants.postgres import partitions
from tenants.postgres.base import is_tenants, partition_key
from tenants.scope import tenant_scope


class NotASample(ValueError):
    """Only a sample company's clock can be moved."""


def forward(tenant: Tenant, days: int = 1) -> None:
    """Let `days` days pass for a sample tenant. One transaction; raises NotASample for a real company."""
    if not tenant.is_sample:
        raise NotASample(tenant.slug)
    step = timedelta(days=days)
    with tenant_scope(tenant), connection.cursor() as cursor:
        _make_room(step)
        for model in apps.get_models():
            columns = [str(f.column) for f in model._meta.local_concrete_fields if isinstance(f, models.DateTimeField)]
            if is_tenants(model) and columns:
                cursor.execute(_shift(model._meta.db_table, columns, step))
        Wakeup.objects.filter(tenant=tenant).update(due_at=F("due_at") - step)


def _make_room(step: timedelta) -> None:
    """Make partitions for the oldest rows where they will be."""
    for model in partitions.partitioned_models():
        key = partition_key(model)
        assert key is not None
        oldest = model._default_manager.aggregate(at=Min(key.name))["at"]
        if oldest:
            partitions.ensure_back_to(oldest - step)


def _shift(table: str, columns: list[str], step: timedelta) -> sql.Composed:
    back = sql.SQL("{0} = {0} - {1}")
    moves = sql.SQL(", ").join(back.format(sql.Identifier(column), sql.Literal(step)) for column in columns)
    return sql.SQL("UPDATE {} SET {}").format(sql.Identifier(table), moves)
