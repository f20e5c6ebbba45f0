"""What a trial has found, as the page before the import shows it."""

from collections.abc import Mapping
from typing import Any

from contacts.models import Contact
from leads.importing import job_kinds, refusals
from leads.models.imports import Import
from tenants import jobs

# Rows beside known contacts that a person is asked about.
ASKED = 50
SKIP = "skip"


def found(batch: Import) -> dict[str, Any]:
    """Progress or figures, reasons of refusals, consequences, and rows side by side with whom they may be about."""
    job = batch.trial
    if job is None:
        return {}
    context = {"job": job, "is_open": job.state in jobs.OPEN, "phase": jobs.kinds.of(job).phase(job)}
    if context["is_open"]:
        return context
    pieces = batch.pieces.filter(is_trial=True).order_by("position")
    counts = job.result.get("counts", {})
    return context | {
        "figures": job_kinds.figures(job),
        "told": job_kinds.told_consequences(job),
        "reasons": refusals.by_reason(pieces.exclude(refused=[])[: job_kinds.PIECES_SHOWN]),
        "pairs": _pairs(batch),
        "usable": counts.get("rows", 0) - counts.get("refused", 0),
    }


def decisions(batch: Import, given: Mapping[str, str]) -> dict[str, str]:
    """What was decided about the rows that were shown: the id of the contact that it is, or to skip it."""
    shown = {str(entry["line"]): {*map(str, entry["ids"]), SKIP} for entry in _alike(batch)}
    return {line: choice for line, fitting in shown.items() if (choice := given.get(f"row-{line}", "")) in fitting}


def _alike(batch: Import) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for piece in batch.pieces.filter(is_trial=True).exclude(alike=[]).order_by("position")[:ASKED]:
        entries += piece.alike
    return entries[:ASKED]


def _pairs(batch: Import) -> list[dict[str, Any]]:
    """The rows with the contacts themselves; one query for all of them."""
    entries = _alike(batch)
    wanted = {pk for entry in entries for pk in entry["ids"]}
    people = Contact.objects.filter(is_active=True).select_related("account").in_bulk(wanted)
    decided = batch.options.get("decided", {})
    return [
        {
            **entry,
            "contacts": [people[pk] for pk in entry["ids"] if pk in people],
            "chosen": decided.get(str(entry["line"]), ""),
        }
        for entry in entries
    ]
