"""`manage.py load_sample`: make the sample companies, and note how to sign in."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from insights import sample
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Make the sample companies Acme and Rival in an empty installation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fresh", action="store_true", help="everything set up and live, but no history yet")

    def handle(self, *args: Any, **options: Any) -> None:
        if taken := Tenant.objects.filter(slug__in=[row[0] for row in sample.COMPANIES]).first():
            raise CommandError(f"There is a company {taken.slug} already.")
        lines = [
            f"{entry.company:6} {entry.role:22} {entry.email:28} {entry.password}"
            for entry in sample.load(is_fresh=options["fresh"])
        ]
        note = settings.VAR_DIR / "sign-ins"
        note.parent.mkdir(exist_ok=True)
        note.touch(mode=0o600)
        note.write_text("\n".join(lines) + "\n")
        self.stdout.write(f"Sign-ins are in {note}")
