"""The scope: one transaction in which Postgres shows exactly one tenant's rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, transaction

from tenants.postgres.base import OutsideTenantScope

if TYPE_CHECKING:
    from tenants.models import Tenant

__all__ = ["OutsideTenantScope", "current_tenant_id", "forget", "kept", "tenant_scope"]

Value = TypeVar("Value")
_kept: ContextVar[dict[str, Any] | None] = ContextVar("kept", default=None)


@contextmanager
def tenant_scope(tenant: "Tenant | int", *, read_only: bool = False) -> Iterator[None]:
    """Run the block in one transaction as `tenant`.

    The setting is local to the transaction, so nothing leaks through a pooled connection. A nested scope
    restores the outer tenant. `read_only` (outermost scope only) makes Postgres refuse writes, and holds no
    reader of the timeline back.
    """
    tenant_id = tenant if isinstance(tenant, int) else tenant.pk
    is_outermost = not connection.in_atomic_block
    with _keeping(), transaction.atomic(), connection.cursor() as cursor:
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


@contextmanager
def _keeping() -> Iterator[None]:
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def kept(key: str, compute: Callable[[], Value]) -> Value:
    """What `compute` answers, asked once per scope: for small things that a page needs in many places."""
    values = _kept.get()
    if values is None:
        return compute()
    if key not in values:
        values[key] = compute()
    return values[key]


def forget(key: str) -> None:
    """Ask again: what `kept` keeps under the key has changed in this scope."""
    values = _kept.get()
    if values is not None:
        values.pop(key, None)


def current_tenant_id() -> int:
    """The id of the scope's tenant; raises OutsideTenantScope when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant_id')::bigint")
        return cursor.fetchone()[0]
