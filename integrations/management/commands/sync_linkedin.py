"""`manage.py sync_linkedin`: reads LinkedIn now, in this process, and says what came."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.linkedin import syncing
from integrations.models import Connection, SyncRun
from tenants.models import Tenant
from tenants.scope import tenant_scope


class Command(BaseCommand):
    help = "Reads the leads of LinkedIn's forms, of all companies or one; prints what each connection brought."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", help="the company's part of the address; all companies without it")

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = Tenant.objects.order_by("pk")
        if options["tenant"]:
            tenants = tenants.filter(slug=options["tenant"])
            if not tenants:
                raise CommandError(f"There is no company {options['tenant']}.")
        failed = sum(self._sync(tenant) for tenant in tenants)
        if failed:
            raise CommandError(f"{failed} of the connections could not be read.")

    def _sync(self, tenant: Tenant) -> int:
        """Read a company's connections that run; how many failed."""
        with tenant_scope(tenant, read_only=True):
            rows = Connection.objects.filter(system=syncing.SYSTEM, state=Connection.State.ACTIVE)
            connections = [row for row in rows.order_by("pk") if row.token is not None]
        failed = 0
        for connection in connections:
            run = syncing.sync(connection)
            counts = ", ".join(f"{count} {name}" for name, count in sorted(run.counts.items()) if count)
            self.stdout.write(f"{tenant.slug}: {connection}: {run.state}. {run.error or counts or 'nothing new'}")
            failed += run.state == SyncRun.State.FAILED
        return failed
