"""The wizard of imports: file, columns, what to do, check; then the page of the job."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import mapping
from leads.importing import checking, columns, reading, running, starting
from leads.importing.forms import OptionsForm, UploadForm
from leads.models.imports import Import
from tenants import jobs
from tenants.access import Right, allow
from tenants.forms import refuse
from tenants.models import Job
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.EDIT_AUDIENCE)
def import_list(request: Any) -> HttpResponse:
    """All imports, newest first."""
    rows = Import.objects.select_related("job", "created_by__user")
    return render(request, "leads/imports/list.html", {"page": page_of(rows, ("-created_at", "-pk"), request.GET)})


@allow(Right.EDIT_AUDIENCE)
def new(request: Any) -> HttpResponse:
    """Take a file, and go on to its columns."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method != "POST":
        return render(request, "leads/imports/new.html", {"form": form, "step": 1})
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            entity = form.cleaned_data["entity"]
            batch = starting.begin(file, file.name, entity, request.tenant, by=request.member)
            return redirect("leads:import_columns", batch.pk)
        except reading.Unusable as error:
            refuse(form, error, "file")
    return render(request, "leads/imports/new.html", {"form": form, "step": 1}, status=422)


@allow(Right.EDIT_AUDIENCE)
def map_columns(request: Any, pk: int) -> HttpResponse:
    """Where the columns go, as guessed or as the last time."""
    batch = _draft(request, pk)
    if batch is None:
        return _started(request, pk)
    chosen, fault = batch.mapping, ""
    if request.method == "POST":
        chosen = mapping.read(request.POST, len(batch.headers))
        try:
            starting.map_columns(batch, chosen, by=request.member)
            return redirect("leads:import_options", pk)
        except ValidationError as error:
            fault = " ".join(error.messages)
    sources = [
        mapping.SourceColumn(name, columns.example(batch.samples, place)) for place, name in enumerate(batch.headers)
    ]
    editor = mapping.Editor(sources, columns.offered(batch.entity), chosen, may_make_fields=True)
    context = {"batch": batch, "editor": editor, "fault": fault, "step": 2}
    return render(request, "leads/imports/columns.html", context, status=422 if fault else 200)


@allow(Right.EDIT_AUDIENCE)
def set_options(request: Any, pk: int) -> HttpResponse:
    """What to do with the rows; then they are tried."""
    batch = _draft(request, pk)
    if batch is None:
        return _started(request, pk)
    form = OptionsForm(request.POST if request.method == "POST" else None, batch=batch)
    context = {"batch": batch, "form": form, "step": 3}
    if request.method != "POST":
        return render(request, "leads/imports/options.html", context)
    if not form.is_valid():
        return render(request, "leads/imports/options.html", context, status=422)
    if batch.trial:
        # One that is still under way tries by other answers.
        jobs.cancel(batch.trial, by=request.member)
    starting.set_options(batch, form.answers())
    running.start(batch, running.TRIAL, request.member)
    return redirect("leads:import_check", pk)


@allow(Right.EDIT_AUDIENCE)
def check(request: Any, pk: int) -> HttpResponse:
    """What would happen, and rows that may be about somebody known."""
    batch = _draft(request, pk)
    if batch is None:
        return _started(request, pk)
    if batch.trial is None:
        return redirect("leads:import_options", pk)
    return render(request, "leads/imports/check.html", {**checking.found(batch), "batch": batch, "step": 4})


@allow(Right.EDIT_AUDIENCE)
@require_POST
def start(request: Any, pk: int) -> HttpResponse:
    """Import the rows, with what was decided about some of them; only what has been tried to the end."""
    batch = _draft(request, pk)
    if batch is None:
        return _started(request, pk)
    if batch.trial is None or batch.trial.state != Job.State.DONE:
        return redirect("leads:import_check", pk)
    starting.decide(batch, checking.decisions(batch, request.POST))
    job = running.start(batch, running.RUN, request.member)
    return done(request, _("The import has begun."), "tenants:job", job.pk)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def discard(request: Any, pk: int) -> HttpResponse:
    """Forget an import that has not started, with its file."""
    batch = _draft(request, pk)
    if batch is None:
        return _started(request, pk)
    starting.discard(batch, by=request.member)
    return done(request, _("“%(name)s” has been discarded.") % {"name": batch.name}, "leads:imports")


def _draft(request: Any, pk: int) -> Import | None:
    """The import, as long as it has not started; locked while it is changed, so that it is started once."""
    rows = Import.objects.select_related("trial", "file", "rows")
    if request.method == "POST":
        rows = rows.select_for_update(of=("self",))
    batch = get_object_or_404(rows, pk=pk)
    return batch if batch.state == Import.State.DRAFT else None


def _started(request: Any, pk: int) -> HttpResponse:
    batch = get_object_or_404(Import, pk=pk)
    if batch.job_id is None:
        return redirect("leads:imports")
    return redirect("tenants:job", batch.job_id)
