"""`manage.py sync_dynamics --tenant SLUG`: hand over what waits and read what sales has changed, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.crm import commanding
from integrations.dynamics.crm import KEY
from integrations.models import SyncRun
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Sync a company's Dynamics 365 environments now; prints what each run did."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the company's part of the address")
        parser.add_argument("--anew", action="store_true", help="read everything again, not only what has changed")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no company {options['tenant']}.")
        try:
            runs = commanding.sync(tenant, KEY, is_anew=options["anew"])
        except commanding.NotConnected as error:
            raise CommandError(str(error)) from error
        for run in runs:
            done = ", ".join(f"{number} {name}" for name, number in sorted(run.counts.items()))
            self.stdout.write(f"{run.kind}: {run.get_state_display()} ({done or 'nothing'}) {run.error}".rstrip())
        if count := commanding.parked(tenant, KEY):
            self.stdout.write(f"{count} changes are parked: see the connection's page.")
        if any(run.state == SyncRun.State.FAILED for run in runs):
            raise CommandError("Not everything was done; it goes on by itself when the environment answers again.")
