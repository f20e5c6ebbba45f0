"""`manage.py import_people FILE --tenant SLUG`: what the pages' wizard does, from a terminal."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from leads.importing import running, starting
from leads.importing.forms import OptionsForm
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
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}") from error
        except (ValidationError, ValueError) as error:
            self._refuse(error)
        with tenant_scope(tenant):
            job = running.order(batch, running.TRIAL if options["dry_run"] else running.RUN, by=None)
            # If this process is killed, a worker goes on with it.
            announce(running.QUEUE, due_at=timezone.now() + TAKEN_FOR_ABANDONED)
        running.run(tenant.pk, job)
        self._tell(tenant, batch, job)

    def _begin(self, tenant: Tenant, options: dict[str, Any]) -> Import:
        entity = Import.Entity.ACCOUNT if options["accounts"] else Import.Entity.CONTACT
        columns, answers = _read_mapping(options["mapping"])
        with tenant_scope(tenant), options["file"].open("rb") as file:
            batch = starting.begin(file, options["file"].name, entity, tenant, by=None)
            starting.map_columns(batch, _mapping(batch, columns), by=None)
            starting.set_options(batch, _checked(batch, answers))
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
            "state": job.state,
            **counts,
            "columns": dict(zip(batch.headers, batch.mapping, strict=True)),
            "refusals": [{"line": line, "reason": why} for line, why, _cells in reasons[:100]],
        }
        if consequences := job.result.get("consequences"):
            summary["consequences"] = consequences
        self.stdout.write(json.dumps(summary, indent=1, ensure_ascii=False))
        if job.state == Job.State.CANCELLED:
            raise CommandError("Somebody has cancelled the import; what it had done stays.", returncode=1)

    def _refuse(self, error: Exception) -> Any:
        """Say as JSON why nothing can be made of the file, and end with status 1."""
        text = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        self.stdout.write(json.dumps({"error": text}, ensure_ascii=False))
        raise CommandError(text, returncode=1)


def _read_mapping(file: Path | None) -> tuple[dict[str, str] | None, dict[str, Any]]:
    """The columns (None: as guessed) and options that a mapping's file gives. Raises ValueError."""
    given = json.loads(file.read_text()) if file else {}
    is_mapping = isinstance(given, dict) and not set(given) - {"columns", "options"}
    if not is_mapping or not all(isinstance(part, dict) for part in given.values()):
        raise ValueError('A mapping is a JSON object {"columns": {…}, "options": {…}}.')
    columns = given.get("columns")
    return columns and {name: str(target) for name, target in columns.items()}, given.get("options", {})


def _mapping(batch: Import, columns: dict[str, str] | None) -> list[str]:
    """The target of each column. Raises ValueError if there is no column of a name."""
    try:
        return batch.mapping if columns is None else starting.named(batch.headers, columns)
    except KeyError as missing:
        raise ValueError(f"There is no column {missing}.") from missing


def _checked(batch: Import, given: dict[str, Any]) -> dict[str, Any]:
    """The options, by the rules of the wizard's form: known, possible, and consent with its proof. Raises ValueError.

    What is not given is as the last time with these columns; but nobody agrees to anything unless that is said anew.
    """
    if unknown := set(given) - set(OptionsForm(batch=batch).fields):
        raise ValueError(f"An import like this has no option {', '.join(sorted(unknown))}.")
    answers = {**batch.options, "purpose_id": None, **given}
    answers = {name: value for name, value in answers.items() if value is not None}
    form = OptionsForm({name: str(value) for name, value in answers.items()}, batch=batch)
    if not form.is_valid():
        raise ValueError("; ".join(f"{name}: {' '.join(map(str, faults))}" for name, faults in form.errors.items()))
    return form.answers()
