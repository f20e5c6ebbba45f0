"""Doing something to many leads: the review, the deed, and taking it back."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from leads import bulk as verbs
from leads.actions import ACTIONS
from leads.errors import NotPossible
from tenants.access import Right, allow
from tenants.models import Job
from tenants.responses import done


@allow(Right.WORK_LEADS)
def bulk(request: Any) -> HttpResponse:
    """GET says what an action would do to the ticked leads and asks what it needs to know; POST does it."""
    given = request.POST if request.method == "POST" else request.GET
    action, back = ACTIONS.get(given.get("action", "")), _back(given.get("back", ""))
    if action not in verbs.OFFERED:
        raise Http404
    leads = verbs.chosen(given, request.member)
    if not leads:
        return done(request, _("Tick at least one lead."), back, level="warning")
    review, form = verbs.review(action, leads), action.form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        result = verbs.perform(action, review.leads, form, request.member)
        undo = reverse("leads:undo_bulk", args=(result.job.pk,)) if result.job.done_count else ""
        return done(request, result.text, back, undo=undo)
    context = {"review": review, "form": form, "back": back}
    return render(request, "leads/bulk.html", context, status=422 if request.method == "POST" else 200)


@allow(Right.WORK_LEADS)
@require_POST
def undo(request: Any, pk: int) -> HttpResponse:
    """Put the leads back where they were."""
    job = get_object_or_404(Job, pk=pk, kind=verbs.JOB, started_by=request.member)
    try:
        return done(request, verbs.undo(job, request.member), "leads:list")
    except NotPossible as error:
        return done(request, str(error), "leads:list", level="warning")


def _back(path: str) -> str:
    """The list as it was, if that is where somebody came from."""
    there = reverse("leads:list")
    is_ours = path.startswith(there) and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_ours else there
