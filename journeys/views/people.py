"""The people in a journey: lists by tile and state, one person's trace, moving on by hand."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from journeys import people, queries
from journeys.models import Journey, JourneyVersion, Participant
from journeys.people import NotThere
from journeys.tiles import registry
from journeys.views.page import find
from messaging.queries import LABELS, PEOPLE
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.VIEW)
def index(request: Any, pk: int) -> HttpResponse:
    """Who is in the journey (`?tile=`, `?state=`, `?way=`), why and what comes next."""
    journey = find(pk)
    tile, state, way = (request.GET.get(name, "") for name in ("tile", "state", "way"))
    page = page_of(queries.people(journey, tile=tile, state=state, way=way), ("-pk",), request.GET)
    titles = people.titles(journey)
    rows = [(person, titles.get(person.tile, person.tile), people.in_words(person)) for person in page.rows]
    states = [*Participant.State.choices, *people.AT_A_STEP.items()]
    context = {
        "journey": journey, "page": page, "rows": rows, "tile": tile, "state": state, "way": way, "titles": titles,
        "states": states, "way_name": people.way_name(journey, tile, way),
    }  # fmt: skip
    return render(request, "journeys/people.html", context)


@allow(Right.VIEW)
def mail(request: Any, pk: int, what: str) -> HttpResponse:
    """The messages behind a number of the journey's mail (`?tile=` of one of its e-mails), latest first."""
    journey = find(pk)
    if what not in PEOPLE:
        raise Http404
    tile = request.GET.get("tile", "")
    page = page_of(queries.messages(journey, what, tile), ("-id",), request.GET)
    context = {"journey": journey, "page": page, "title": LABELS[what], "step": people.titles(journey).get(tile, "")}
    return render(request, "journeys/mail.html", context)


@allow(Right.VIEW)
def trace(request: Any, pk: int) -> HttpResponse:
    """One participation: every step, when, which way and why; and where it stands."""
    person = _person(pk)
    version = _version(person.journey_id)
    here = version.tiles["tiles"].get(person.tile) if version else None
    ways = registry.of(here).branches(here, registry.names_of({"tiles": {"": here}})) if here else []
    context = {
        "person": person,
        "stops": people.trace(person),
        "here": registry.of(here).title(here) if here else person.tile,
        "ways": ways if person.state == Participant.State.ACTIVE else [],
        "reason": people.in_words(person),
        "is_paused": person.journey.state == Journey.State.PAUSED,
        "path": registry.of(here).trace_path(person.pk, person.tile) if here else "",
    }
    return render(request, "journeys/trace.html", context)


@allow(Right.EDIT_MARKETING)
@require_POST
def move_on(request: Any, pk: int) -> HttpResponse:
    """Let a waiting person go on by a branch now."""
    person = _person(pk)
    person.tile = request.POST.get("tile", "")
    branch = request.POST.get("branch", "")
    said = _("%(name)s has been moved on.") % {"name": person.contact}
    return _verb(request, person, lambda: people.move_on(person, branch, request.member), said)


@allow(Right.EDIT_MARKETING)
@require_POST
def take_out(request: Any, pk: int) -> HttpResponse:
    """End a participation by hand."""
    person = _person(pk)
    person.tile = request.POST.get("tile", "")
    said = _("%(name)s has been taken out.") % {"name": person.contact}
    return _verb(request, person, lambda: people.take_out(person, request.member), said)


def _verb(request: Any, person: Participant, verb: Callable[[], None], said: str) -> HttpResponse:
    try:
        verb()
    except NotThere as error:
        return done(request, str(error), "journeys:trace", person.pk, level="error")
    return done(request, said, "journeys:trace", person.pk)


def _person(pk: int) -> Participant:
    return get_object_or_404(Participant.objects.select_related("journey", "contact"), pk=pk)


def _version(journey_id: int) -> JourneyVersion | None:
    return JourneyVersion.objects.filter(journey_id=journey_id, state=JourneyVersion.State.LIVE).first()
