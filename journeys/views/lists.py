"""The list of journeys, a new one, and what holds for a whole journey."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from journeys import drafting, queries, results, templates
from journeys.forms import JourneyForm, NewJourneyForm
from journeys.models import Journey
from journeys.views.page import find
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.VIEW)
def index(request: Any) -> HttpResponse:
    """Journeys with their people and the results of their mail, those that run first."""
    state = request.GET.get("state", "")
    page = page_of(queries.journeys(state), ("place", "name", "pk"), request.GET)
    numbers, mail = queries.numbers(page.rows), results.of_journeys(journey.pk for journey in page.rows)
    rows = [(journey, numbers[journey.pk], mail.get(journey.pk, results.Mail())) for journey in page.rows]
    context = {"page": page, "rows": rows, "state": state, "states": Journey.State.choices}
    return render(request, "journeys/list.html", context)


@allow(Right.EDIT_MARKETING)
def create(request: Any) -> HttpResponse:
    """A new journey, from a template or blank."""
    form = NewJourneyForm(request.POST or None)
    if not form.is_valid():
        return render(request, "journeys/new.html", {"form": form}, status=422 if form.is_bound else 200)
    shape = templates.build(form.cleaned_data["template"])
    journey = drafting.create(form.cleaned_data["name"], shape, by=request.member)
    return redirect("journeys:detail", journey.pk)


@allow(Right.EDIT_MARKETING)
def settings(request: Any, pk: int) -> HttpResponse:
    """Name, dates, re-entry, consent, exclusion."""
    journey = find(pk)
    form = JourneyForm(request.POST or None, instance=journey)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "journeys/settings.html", {"form": form, "journey": journey}, status=status)
    drafting.save_settings(form.save(commit=False), form.changed_data, by=request.member)
    return done(request, _("The journey's settings have been saved."), "journeys:detail", journey.pk)


@allow(Right.EDIT_MARKETING)
@require_POST
def begin(request: Any, pk: int) -> HttpResponse:
    """Begin a draft beside the live version."""
    journey = find(pk)
    drafting.begin(journey)
    return redirect("journeys:detail", journey.pk)


@allow(Right.EDIT_MARKETING)
@require_POST
def discard(request: Any, pk: int) -> HttpResponse:
    """Throw the draft away."""
    journey = find(pk)
    drafting.discard(journey, by=request.member)
    return done(request, _("The draft has been discarded."), "journeys:detail", journey.pk)
