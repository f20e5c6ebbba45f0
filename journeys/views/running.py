"""Going live and what comes after: review, pause, resume, end, archive, versions."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from journeys import history, publishing, review
from journeys.forms import EndForm, ResumeForm
from journeys.models import Journey, JourneyVersion
from journeys.publishing import NotPossible
from journeys.views.page import find
from tenants.access import Right, allow
from tenants.responses import done


@allow(Right.EDIT_MARKETING)
def look(request: Any, pk: int) -> HttpResponse:
    """What will happen, before it does; POST goes live."""
    journey = find(pk)
    draft = journey.versions.filter(state=JourneyVersion.State.DRAFT).select_related("journey").first()
    if draft is None:
        return redirect("journeys:detail", pk)
    problem = ""
    if request.method == "POST":
        moves = {key.removeprefix("move-"): to for key, to in request.POST.items() if key.startswith("move-") and to}
        try:
            publishing.go_live(journey, request.member, moves=moves)
            return done(request, _("The journey is live."), "journeys:detail", pk)
        except NotPossible as error:
            problem = str(error)
    seen = review.review(draft, request.tenant.time_zone)
    context = {"journey": journey, "draft": draft, "review": seen, "problem": problem}
    return render(request, "journeys/review.html", context, status=422 if problem else 200)


@allow(Right.EDIT_MARKETING)
@require_POST
def pause(request: Any, pk: int) -> HttpResponse:
    """Hold everybody where they are."""
    journey = find(pk)
    return _verb(request, journey, lambda: publishing.pause(journey, request.member), _("The journey is paused."))


@allow(Right.EDIT_MARKETING)
def resume(request: Any, pk: int) -> HttpResponse:
    """Ask how to go on, and go on."""
    journey = find(pk)
    form = ResumeForm(request.POST or None)
    if not form.is_valid():
        context = {"form": form, "journey": journey, "verb": _("Resume"), "held": publishing.held(journey)}
        return render(request, "journeys/ask.html", context, status=422 if form.is_bound else 200)
    mode = form.cleaned_data["mode"]
    return _verb(request, journey, lambda: publishing.resume(journey, mode, request.member), _("The journey goes on."))


@allow(Right.EDIT_MARKETING)
def end(request: Any, pk: int) -> HttpResponse:
    """Ask what becomes of those inside, and end the journey."""
    journey = find(pk)
    form = EndForm(request.POST or None)
    if not form.is_valid():
        context = {"form": form, "journey": journey, "verb": _("End the journey")}
        return render(request, "journeys/ask.html", context, status=422 if form.is_bound else 200)
    at_end = form.cleaned_data["at_end"]
    return _verb(request, journey, lambda: publishing.end(journey, at_end, request.member), _("The journey ends."))


@allow(Right.EDIT_MARKETING)
@require_POST
def archive(request: Any, pk: int) -> HttpResponse:
    """Put the journey away."""
    journey = find(pk)
    return _verb(request, journey, lambda: publishing.archive(journey, request.member), _("The journey is archived."))


@allow(Right.VIEW)
def versions(request: Any, pk: int) -> HttpResponse:
    """Which version was live when, by whom; and what was done to the journey."""
    journey = find(pk)
    rows = journey.versions.select_related("went_live_by__user").order_by("-number")
    context = {"journey": journey, "versions": rows, "history": history.of(journey)}
    return render(request, "journeys/versions.html", context)


def _verb(request: Any, journey: Journey, verb: Callable[[], None], said: str) -> HttpResponse:
    """Do it and say so, or say why not."""
    try:
        verb()
    except NotPossible as error:
        return done(request, str(error), "journeys:detail", journey.pk, level="error")
    return done(request, said, "journeys:detail", journey.pk)
