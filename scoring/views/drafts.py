"""Making and editing drafts."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from scoring import drafting
from scoring.forms import NewModelForm, OptionsForm, RowForm
from scoring.models import ScoringModel, ScoringRule
from tenants.access import Right, allow
from tenants.responses import done

DRAFTS = ScoringModel.objects.filter(state=ScoringModel.State.DRAFT)


@allow(Right.EDIT_MARKETING)
def new(request: Any) -> HttpResponse:
    """Begin a model."""
    form = NewModelForm(request.POST or None)
    if request.method != "POST":
        return render(request, "scoring/new.html", {"form": form})
    if not form.is_valid():
        return render(request, "scoring/new.html", {"form": form}, status=422)
    is_empty = form.cleaned_data["start"] == "empty"
    draft = drafting.create(form.cleaned_data["name"], is_empty=is_empty, by=request.member)
    return redirect("scoring:detail", draft.pk)


@allow(Right.EDIT_MARKETING)
@require_POST
def edit(request: Any, pk: int) -> HttpResponse:
    """Go to the draft beside a live model, made now if there is none."""
    try:
        draft = drafting.draft_of(get_object_or_404(ScoringModel, pk=pk), request.member)
    except drafting.NotADraft as error:
        return done(request, str(error), "scoring:detail", pk, level="error")
    return redirect("scoring:detail", draft.pk)


@allow(Right.EDIT_MARKETING)
def options(request: Any, pk: int) -> HttpResponse:
    """Name, thresholds, consent and grades of a draft."""
    draft = get_object_or_404(DRAFTS.all(), pk=pk)
    form = OptionsForm(request.POST or None, instance=draft)
    if request.method != "POST":
        return render(request, "scoring/options.html", {"model": draft, "form": form})
    if not form.is_valid():
        return render(request, "scoring/options.html", {"model": draft, "form": form}, status=422)
    drafting.set_options(draft, form.cleaned_data, list(form.grades()))
    return done(request, _("Saved"), "scoring:detail", pk)


@allow(Right.EDIT_MARKETING)
def new_row(request: Any, pk: int) -> HttpResponse:
    """Add a row to a draft."""
    draft = get_object_or_404(DRAFTS.all(), pk=pk)
    form = RowForm(request.POST or None)
    if request.method != "POST":
        return render(request, "scoring/row.html", {"model": draft, "form": form})
    if not form.is_valid():
        return render(request, "scoring/row.html", {"model": draft, "form": form}, status=422)
    drafting.add_row(draft, form.save(commit=False))
    return done(request, _("The row is in the draft."), "scoring:detail", pk)


@allow(Right.EDIT_MARKETING)
def edit_row(request: Any, pk: int) -> HttpResponse:
    """Change a row of a draft."""
    row = get_object_or_404(ScoringRule.objects.select_related("model"), pk=pk, model__in=DRAFTS.all())
    form = RowForm(request.POST or None, instance=row)
    context = {"model": row.model, "row": row, "form": form}
    if request.method != "POST":
        return render(request, "scoring/row.html", context)
    if not form.is_valid():
        return render(request, "scoring/row.html", context, status=422)
    drafting.change_row(form.save(commit=False))
    return done(request, _("Saved"), "scoring:detail", row.model_id)


@allow(Right.EDIT_MARKETING)
@require_POST
def remove_row(request: Any, pk: int) -> HttpResponse:
    """Take a row out of a draft."""
    row = get_object_or_404(ScoringRule.objects.select_related("model"), pk=pk, model__in=DRAFTS.all())
    drafting.remove_row(row)
    return done(request, _("The row is gone from the draft."), "scoring:detail", row.model_id)


@allow(Right.EDIT_MARKETING)
@require_POST
def move_row(request: Any, pk: int) -> HttpResponse:
    """Move a row of a draft up or down."""
    row = get_object_or_404(ScoringRule.objects.select_related("model"), pk=pk, model__in=DRAFTS.all())
    drafting.move_row(row, -1 if request.POST.get("way") == "up" else 1)
    return redirect("scoring:detail", row.model_id)
