"""The list of scoring models, the page of one, and its life cycle."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from scoring import charts, checks, drafting, jobs, lifecycle, queries, sheets
from scoring.models import ScoringModel
from segments.rules import Vocabulary
from tenants.access import Right, allow
from tenants.models import Job
from tenants.responses import done

State = ScoringModel.State


@allow(Right.VIEW)
def model_list(request: Any) -> HttpResponse:
    """All models, the primary one first."""
    return render(request, "scoring/list.html", {"models": queries.models()})


@allow(Right.VIEW)
def detail(request: Any, pk: int) -> HttpResponse:
    """A model: what it gives points for, and what it has made of the leads."""
    models = ScoringModel.objects.select_related("replaces").prefetch_related("rules", "grades")
    model, vocabulary = get_object_or_404(models, pk=pk), Vocabulary()
    rows, issues = sheets.rows(model, vocabulary), checks.check(model, vocabulary)
    best = checks.highest_score(list(model.rules.all()))
    context = {
        "model": model,
        "rows": rows,
        "issues": issues,
        "is_ready": checks.is_ready(issues),
        "best": best,
        "text": sheets.as_text(model, rows),
        "ranges": charts.grade_ranges(list(model.grades.all()), max(best, model.threshold)),
        "draft": model.drafts.filter(state=State.DRAFT).first() if model.state == State.LIVE else None,
        "results": queries.results(model) if model.state == State.LIVE else None,
        "job": jobs.current(model),
        "is_draft": model.state == State.DRAFT,
        "is_live": model.state == State.LIVE,
    }
    return render(request, "scoring/detail.html", context)


@allow(Right.VIEW)
def progress(request: Any, pk: int) -> HttpResponse:
    """How far the scoring of everybody is; 286 ends the asking."""
    model = get_object_or_404(ScoringModel, pk=pk)
    job = jobs.current(model)
    latest = Job.objects.filter(kind=jobs.KIND, arguments__model=model.pk).order_by("-pk").first()
    context = {"model": model, "job": job, "finished": None if job else latest}
    return render(request, "scoring/_progress.html", context, status=200 if job else 286)


@allow(Right.EDIT_MARKETING)
@require_POST
def go_live(request: Any, pk: int) -> HttpResponse:
    """Let a draft take effect."""
    draft = get_object_or_404(ScoringModel, pk=pk)
    try:
        model, job = lifecycle.go_live(draft, request.member)
    except (lifecycle.NotReady, drafting.NotADraft) as error:
        return done(request, str(error), "scoring:detail", pk, level="error")
    said = _("“%(model)s” is live. Everybody has been scored.")
    if job.state != Job.State.DONE:
        said = _("“%(model)s” is live. Everybody is being scored.")
    return done(request, said % {"model": model.name}, "scoring:detail", model.pk)


@allow(Right.EDIT_MARKETING)
@require_POST
def discard(request: Any, pk: int) -> HttpResponse:
    """Throw a draft away."""
    draft = get_object_or_404(ScoringModel, pk=pk)
    beside = draft.replaces_id
    try:
        drafting.discard(draft, request.member)
    except drafting.NotADraft as error:
        return done(request, str(error), "scoring:detail", pk, level="error")
    said = _("The draft is gone.")
    return done(request, said, "scoring:detail", beside) if beside else done(request, said, "scoring:list")


@allow(Right.EDIT_MARKETING)
@require_POST
def archive(request: Any, pk: int) -> HttpResponse:
    """End a live model."""
    model = get_object_or_404(ScoringModel, pk=pk)
    try:
        lifecycle.archive(model, request.member)
    except lifecycle.NotReady as error:
        return done(request, str(error), "scoring:detail", pk, level="error")
    return done(request, _("“%(model)s” is archived.") % {"model": model.name}, "scoring:list")


@allow(Right.EDIT_MARKETING)
@require_POST
def make_primary(request: Any, pk: int) -> HttpResponse:
    """Let the model's score be the one that leads show."""
    model = get_object_or_404(ScoringModel, pk=pk)
    try:
        lifecycle.make_primary(model, request.member)
    except lifecycle.NotReady as error:
        return done(request, str(error), "scoring:detail", pk, level="error")
    said = _("Leads and contacts show the score of “%(model)s” now.")
    return done(request, said % {"model": model.name}, "scoring:detail", pk)
