"""`manage.py restore FILE`: put a backup in the place of what there is."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from config.backup import BackupFailed, replace
from contacts.management.commands.backup import NO_ROLE
from contacts.timeline import rebase_timeline
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Replaces the whole database by a backup, brings its tables up to date and its timeline into this cluster."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="do it even if there are companies: they are lost")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not settings.BACKUP_DATABASE_URL:
            raise CommandError(NO_ROLE)
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        if _has_companies() and not options["replace"]:
            raise CommandError("There are companies in this database. To lose them: --replace")
        try:
            replace(settings.BACKUP_DATABASE_URL, file)
        except BackupFailed as error:
            raise CommandError(f"Nothing was changed: {error}") from error
        connection.close()
        call_command("migrate", interactive=False, verbosity=0)
        renumbered = rebase_timeline()
        self.stdout.write("Restored." + (" The timeline was renumbered for this cluster." if renumbered else ""))


def _has_companies() -> bool:
    try:
        return Tenant.objects.exists()
    except DatabaseError:
        # An empty database, without the table.
        return False
