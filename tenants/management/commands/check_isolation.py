"""`manage.py check_isolation`: is every table of the connected database held by row-level security?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import isolation


class Command(BaseCommand):
    help = "Check that every table is under the tenants' policy or on the list of unscoped tables."

    def handle(self, *args: Any, **options: Any) -> None:
        found = isolation.faults()
        for fault in found:
            self.stderr.write(fault)
        if found:
            raise CommandError(f"{len(found)} faults")
        self.stdout.write("Every table is isolated.")
