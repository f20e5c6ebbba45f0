"""Hits into Postgres: all that arrived in one moment by one transaction, whatever tenants they are of."""

import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from django.conf import settings

from messaging.tracking.hits import Hit

QUEUE = "hits"
# A tenant's queue is announced for this moment ahead, and until then not again.
AHEAD = 0.2
PATIENCE = 3
# The rows of all tenants in one statement: each row sets the tenant just before the policy looks at it. A plan that
# took all rows before the first was written would be refused by the policy, not misfile them.
INSERT = """
    INSERT INTO messaging_hit (tenant_id, message_id, kind, link_id, at, ip, user_agent, reasons)
    SELECT set_config('app.tenant_id', tenant::text, true)::bigint, message, kind, link, at, ip::inet, agent,
           reasons::jsonb
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[],
                %s::text[]) AS hit (tenant, message, kind, link, at, ip, agent, reasons)"""
ANNOUNCE = """
    INSERT INTO tenants_wakeup (tenant_id, queue, due_at)
    SELECT tenant, %s, now() + make_interval(secs => %s) FROM unnest(%s::bigint[]) AS tenant"""


class Store:
    """One connection, opened when needed; used by one task at a time."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._announced: dict[int, float] = {}

    async def write(self, hits: Sequence[Hit]) -> None:
        """Write hits durably and announce their tenants; raises psycopg.OperationalError when the database is away.

        Hits of a tenant that no longer exists are dropped.
        """
        try:
            await self._write(hits)
        except psycopg.errors.IntegrityError:
            for hit in hits:
                with suppress(psycopg.errors.IntegrityError):
                    await self._write([hit])

    async def close(self) -> None:
        """Give the connection up; the next write opens another."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                await self._connection.close()
        self._connection = None

    async def _write(self, hits: Sequence[Hit]) -> None:
        connection = await self._connected()
        due = time.monotonic() + AHEAD
        tenants = self._to_announce({hit.tenant_id for hit in hits})
        try:
            async with connection.pipeline(), connection.transaction():
                await connection.execute(INSERT, _columns(hits))
                if tenants:
                    await connection.execute(ANNOUNCE, [QUEUE, AHEAD, tenants])
        except psycopg.OperationalError:
            await self.close()
            raise
        for tenant in tenants:
            self._announced[tenant] = due
        await self._catch_up(connection, {hit.tenant_id for hit in hits})

    def _to_announce(self, tenants: Iterable[int]) -> list[int]:
        soon = time.monotonic() + AHEAD / 2
        return [tenant for tenant in tenants if self._announced.get(tenant, 0.0) < soon]

    async def _catch_up(self, connection: psycopg.AsyncConnection[Any], tenants: set[int]) -> None:
        """Announce again whose announced moment passed before the commit: its worker may have looked too early."""
        now = time.monotonic()
        late = [tenant for tenant in tenants if self._announced.get(tenant, 0.0) <= now]
        if late:
            async with connection.transaction():
                await connection.execute(ANNOUNCE, [QUEUE, AHEAD, late])
        if len(self._announced) > 10_000:
            self._announced = {tenant: due for tenant, due in self._announced.items() if due > now}

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(**connection_values(), autocommit=True)
        return self._connection


def connection_values() -> dict[str, Any]:
    """The settings' database in libpq's words."""
    database = settings.DATABASES["default"]
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    values = {name: database.get(key) for name, key in names.items()}
    options = database.get("OPTIONS", {})
    return {"connect_timeout": PATIENCE, **options, **{name: value for name, value in values.items() if value}}


def _columns(hits: Sequence[Hit]) -> list[list[Any]]:
    """The hits by column, tenant by tenant."""
    rows = sorted(hits, key=lambda hit: hit.tenant_id)
    return [
        [hit.tenant_id for hit in rows],
        [hit.message_id for hit in rows],
        [hit.kind for hit in rows],
        [hit.link_id for hit in rows],
        [hit.at for hit in rows],
        [hit.ip for hit in rows],
        [hit.user_agent for hit in rows],
        [json.dumps(hit.reasons) for hit in rows],
    ]
