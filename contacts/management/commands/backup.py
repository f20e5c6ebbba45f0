"""`manage.py backup FILE`: everything, for all tenants, in one file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.backup import BackupFailed, dump

NO_ROLE = (
    "Set BACKUP_DATABASE_URL: the same database with a role that row-level security does not bind "
    "(a superuser, or one with BYPASSRLS for backups)."
)


class Command(BaseCommand):
    help = "Writes the whole database to a file, while the product runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not settings.BACKUP_DATABASE_URL:
            raise CommandError(NO_ROLE)
        try:
            dump(settings.BACKUP_DATABASE_URL, file)
        except (BackupFailed, OSError) as error:
            raise CommandError(f"The backup failed: {error}") from error
        self.stdout.write(f"Saved {file} ({file.stat().st_size:,} bytes).")
