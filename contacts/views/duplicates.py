"""Contacts that may be one person: side by side, merged or left."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import duplicates, merging
from contacts.forms import MergeForm
from contacts.models import ContactMerge, MatchAmbiguity
from tenants.access import Right, allow
from tenants.responses import done


@allow(Right.VIEW)
def duplicate_list(request: Any) -> HttpResponse:
    """What matching could not tell apart, and recent merges."""
    context = {"page": duplicates.page(request.GET), "merges": merging.recent()}
    return render(request, "contacts/duplicates.html", context)


@allow(Right.VIEW)
def compare(request: Any) -> HttpResponse:
    """Two contacts side by side: which one stays, and what it takes over."""
    form = MergeForm(request.GET)
    if not form.is_valid():
        return render(request, "contacts/compare.html", {"form": form}, status=422)
    keep, other = form.cleaned_data["keep"], form.cleaned_data["other"]
    context = {"keep": keep, "other": other, "rows": duplicates.side_by_side(keep, other)}
    return render(request, "contacts/compare.html", context)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def merge(request: Any) -> HttpResponse:
    """Take one contact into another."""
    form = MergeForm(request.POST)
    if not form.is_valid():
        return render(request, "contacts/compare.html", {"form": form}, status=422)
    keep, other = form.cleaned_data["keep"], form.cleaned_data["other"]
    merging.merge(keep, other, by=request.member)
    text = _("The two are one contact now. You can take them apart again for 30 days.")
    return done(request, text, "contacts:detail", keep.pk)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def undo(request: Any, pk: int) -> HttpResponse:
    """Take two merged contacts apart again."""
    row = get_object_or_404(ContactMerge.objects.select_related("survivor", "merged"), pk=pk)
    try:
        merging.undo(row, by=request.member)
    except merging.CannotUndo as error:
        return done(request, str(error), "contacts:detail", row.survivor_id, level="warning")
    return done(request, _("They are two contacts again."), "contacts:detail", row.merged_id)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def ignore(request: Any, pk: int) -> HttpResponse:
    """They are different people."""
    duplicates.ignore(get_object_or_404(MatchAmbiguity, pk=pk), by=request.member)
    return done(request, _("They stay apart."), "contacts:duplicates")
