"""The scope: one transaction in which Postgres shows exactly one tenant's rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction

from tenants.postgres.base import OutsideTenantScope

if TYPE_CHECKING:
    from tenants.models import Tenant

__all__ = ["OutsideTenantScope", "current_tenant_id", "tenant_scope"]


@contextmanager
def tenant_scope(tenant: "Tenant | int", *, read_only: bool = False) -> Iterator[None]:
    """Run the block in one transaction as `tenant`.

    The setting is local to the transaction, so nothing leaks through a pooled connection. A nested scope
    restores the outer tenant. `read_only` (outermost scope only) makes Postgres refuse writes, and holds no
    reader of the timeline back.
    """
    tenant_id = tenant if isinstance(tenant, int) else tenant.pk
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            if read_only:
                cursor.execute("SET TRANSACTION READ ONLY")
            before = None
        else:
            cursor.execute("SELECT current_setting('app.tenant_id', true)")
            before = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant_id)])
        yield
        if not is_outermost and not connection.needs_rollback:
            # Leaving a savepoint keeps the setting, so the outer tenant is put back by hand.
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [before or ""])


def current_tenant_id() -> int:
    """The id of the scope's tenant; raises OutsideTenantScope when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant_id')::bigint")
        return cursor.fetchone()[0]
