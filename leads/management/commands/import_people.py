"""`manage.py import_people FILE --tenant SLUG`: what the pages' wizard does, from a terminal."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from leads.importing import reading, running, starting
from leads.models.imports import Import
from tenants.models import Job, Tenant
from tenants.scope import tenant_scope
from tenants.wakeups import announce

TAKEN_FOR_ABANDONED = timedelta(minutes=5)


class Command(BaseCommand):
    help = "Import people, companies and leads from a CSV or Excel file; prints a summary as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", required=True, help="the company's part of the address")
        parser.add_argument(
            "--mapping",
            type=Path,
            help='a JSON file {"columns": {"E-Mail": "contact.email", …}, "options": {"update": "fill", …}}',
        )
        parser.add_argument("--accounts", action="store_true", help="the file has companies alone")
        parser.add_argument("--dry-run", action="store_true", help="count what would happen, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no company {options['tenant']}.")
        try:
            batch = self._begin(tenant, options)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        except (reading.Unusable, ValidationError, KeyError, TypeError, ValueError) as error:
            self._refuse(error)
        with tenant_scope(tenant):
            job = running.order(batch, running.TRIAL if options["dry_run"] else running.RUN, by=None)
            # If this process is killed, a worker goes on with it.
            announce(running.QUEUE, due_at=timezone.now() + TAKEN_FOR_ABANDONED)
        running.run(tenant.pk, job)
        self._tell(tenant, batch, job)

    def _begin(self, tenant: Tenant, options: dict[str, Any]) -> Import:
        entity = Import.Entity.ACCOUNT if options["accounts"] else Import.Entity.CONTACT
        given = json.loads(options["mapping"].read_text()) if options["mapping"] else {}
        with tenant_scope(tenant), options["file"].open("rb") as file:
            batch = starting.begin(file, options["file"].name, entity, tenant, by=None)
            mapping = starting.named(batch.headers, given["columns"]) if "columns" in given else batch.mapping
            starting.map_columns(batch, mapping, by=None)
            starting.set_options(batch, given.get("options", {}))
        return batch

    def _tell(self, tenant: Tenant, batch: Import, job: Job) -> None:
        with tenant_scope(tenant):
            job.refresh_from_db()
            batch.refresh_from_db()
            reasons = [row for piece in batch.pieces.order_by("position").exclude(refused=[]) for row in piece.refused]
        if job.state == Job.State.FAILED:
            self._refuse(ValueError(job.error))
        counts = dict.fromkeys(("rows", "new", "changed", "matched", "refused"), 0) | job.result.get("counts", {})
        summary = {
            "import": batch.pk,
            "dry_run": job.kind == running.TRIAL,
            **counts,
            "columns": dict(zip(batch.headers, batch.mapping, strict=True)),
            "refusals": [{"line": line, "reason": why} for line, why, _cells in reasons[:100]],
        }
        if consequences := job.result.get("consequences"):
            summary["consequences"] = consequences
        self.stdout.write(json.dumps(summary, indent=1, ensure_ascii=False))

    def _refuse(self, error: Exception) -> Any:
        """Say as JSON why nothing can be made of the file, and end with status 1."""
        if isinstance(error, ValidationError):
            text = " ".join(error.messages)
        else:
            text = f"There is no column {error}." if isinstance(error, KeyError) else str(error)
        self.stdout.write(json.dumps({"error": text}, ensure_ascii=False))
        raise CommandError(text, returncode=1)
