"""How the page of jobs shows imports, their trials and their undoing."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.importing import consequences, refusals, running, undoing
from leads.models.imports import Import, ImportPiece
from tenants import jobs
from tenants.access import Right
from tenants.jobs import Download, Figure, JobKind
from tenants.models import Job
from tenants.wakeups import announce

_FIGURES = (
    ("rows", gettext_lazy("Rows"), ""),
    ("new", gettext_lazy("New"), "green"),
    ("changed", gettext_lazy("Changed"), "blue"),
    ("matched", gettext_lazy("Known, nothing to change"), ""),
    ("refused", gettext_lazy("Refused"), "red"),
)
_FURTHER = (
    ("accounts_new", gettext_lazy("New companies"), "green"),
    ("accounts_changed", gettext_lazy("Changed companies"), "blue"),
    ("leads_new", gettext_lazy("New leads"), "green"),
    ("agreed", gettext_lazy("Consents noted"), ""),
    ("mailable", gettext_lazy("Become mailable"), "green"),
    ("refused_before", gettext_lazy("Have refused before: stay so"), "orange"),
    ("ambiguous", gettext_lazy("Several candidates"), "orange"),
)
# Kept rows that the page lists, and the pieces whose rows are looked at for a page.
LISTED, PIECES_SHOWN = 200, 10


def figures(job: Job) -> Sequence[Figure]:
    """The counts of the rows, then whatever else is not zero."""
    counts = job.result.get("counts", {})
    further = [Figure(label, counts[key], tone) for key, label, tone in _FURTHER if counts.get(key)]
    return [*(Figure(label, counts.get(key, 0), tone) for key, label, tone in _FIGURES), *further] if counts else ()


def told_consequences(job: Job) -> list[tuple[Any, list[tuple[str, int]]]]:
    """What the import would set off, by who says so, the most first."""
    found = job.result.get("consequences", {})
    return [
        (consequences.askers[key][0], sorted(counts.items(), key=lambda pair: -pair[1]))
        for key, counts in found.items()
        if key in consequences.askers
    ]


def _phase(job: Job) -> str:
    if job.total_count is None:
        return _("Reading the file: %(count)d rows so far") % {"count": job.arguments.get("read", 0)}
    return _("Making it findable") if job.kind == running.RUN and job.done_count >= job.total_count else ""


def _downloads(job: Job) -> Sequence[Download]:
    if not job.result.get("counts", {}).get("refused"):
        return ()
    return [Download("refused", gettext_lazy("Refused rows, with reasons"), "refused-rows.csv", refusals.lines)]


def _may_undo(job: Job) -> bool:
    batch = Import.objects.filter(pk=job.arguments["import"]).first()
    return batch is not None and batch.state == Import.State.STARTED and batch.pieces.filter(is_trial=False).exists()


def _context(job: Job) -> dict[str, Any]:
    batch = Import.objects.filter(pk=job.arguments["import"]).first()
    pieces = ImportPiece.objects.filter(batch=batch, is_trial=job.kind == running.TRIAL)
    reasons = (
        refusals.by_reason(pieces.exclude(refused=[]).order_by("position")[:PIECES_SHOWN]) if job.finished_at else []
    )
    return {"batch": batch, "reasons": reasons, "told": told_consequences(job)}


def _undo_context(job: Job) -> dict[str, Any]:
    pieces = ImportPiece.objects.filter(batch=job.arguments["import"], is_trial=False).exclude(kept=[])
    rows = [row for piece in pieces.order_by("position")[:PIECES_SHOWN] for row in piece.kept][:LISTED]
    pages = {"contact": "contacts:detail", "account": "contacts:account", "lead": "leads:detail"}
    return {"kept": [(name, why, reverse(pages[entity], args=(pk,))) for entity, pk, name, why in rows]}


def _undo_figures(job: Job) -> Sequence[Figure]:
    result = job.result
    if not result:
        return ()
    return [
        Figure(gettext_lazy("Taken back"), result.get("taken_back", 0), "green"),
        Figure(gettext_lazy("Left, because changed since"), result.get("kept", 0), "orange"),
    ]


def _undo_downloads(job: Job) -> Sequence[Download]:
    if not job.result.get("kept"):
        return ()
    return [Download("kept", gettext_lazy("What was left, with reasons"), "left.csv", undoing.kept_lines)]


def _catch_up(job: Job) -> None:
    announce(running.QUEUE)


def _stop_undoing(job: Job) -> None:
    """What has not been taken back yet can be, by undoing the import again."""
    Import.objects.filter(pk=job.arguments["import"]).update(state=Import.State.STARTED)


def register() -> None:
    """Declare the kinds; called when apps are ready."""
    shown: dict[str, Any] = {"figures": figures, "phase": _phase, "downloads": _downloads, "context": _context}
    edit, template = Right.EDIT_AUDIENCE, "leads/imports/_job.html"
    trial = JobKind(running.TRIAL, gettext_lazy("Trial of an import"), "test-pipe", edit, template=template, **shown)
    run = JobKind(
        running.RUN,
        gettext_lazy("Import"),
        "file-import",
        edit,
        undo=undoing.order,
        may_undo=_may_undo,
        undo_question=gettext_lazy("Take the whole import back? What somebody has changed since stays, and is listed."),
        cancelled=_catch_up,
        template=template,
        **shown,
    )
    undo = JobKind(
        undoing.KIND,
        gettext_lazy("Undo of an import"),
        "arrow-back-up",
        edit,
        figures=_undo_figures,
        downloads=_undo_downloads,
        cancelled=_stop_undoing,
        template="leads/imports/_undo.html",
        context=_undo_context,
    )
    for kind in (trial, run, undo):
        jobs.kinds.add(kind)
