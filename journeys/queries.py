"""Reads of the journeys' pages."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Case, IntegerField, QuerySet, Value, When

from journeys.models import Journey, JourneyVersion, Participant

# The list shows what runs first.
ORDER = (Journey.State.LIVE, Journey.State.PAUSED, Journey.State.DRAFT, Journey.State.ENDED, Journey.State.ARCHIVED)


def journeys(state: str = "") -> QuerySet[Journey]:
    """Journeys with an owner, those that run first; archived ones only when asked for."""
    rows = Journey.objects.select_related("owner__user")
    rows = rows.filter(state=state) if state in Journey.State.values else rows.exclude(state=Journey.State.ARCHIVED)
    whens = [When(state=one, then=Value(place)) for place, one in enumerate(ORDER)]
    return rows.annotate(place=Case(*whens, output_field=IntegerField()))


def numbers(journeys: Iterable[Journey]) -> dict[int, tuple[int, int, int]]:
    """By journey: how many have entered, are under way, are through. Figures of the roots; participant_due."""
    ids = [journey.pk for journey in journeys]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT journey.id,
                 (SELECT coalesce(sum(figure.count), 0) FROM journeys_tilefigure figure
                  WHERE figure.journey_id = journey.id AND figure.outcome = 'in' AND figure.tile IN (
                    SELECT version.tiles->>'root' FROM journeys_journeyversion version
                    WHERE version.journey_id = journey.id)),
                 (SELECT count(*) FROM journeys_participant person
                  WHERE person.journey_id = journey.id AND person.state = 'active')
               FROM journeys_journey journey WHERE journey.id = ANY(%s)""",
            [ids],
        )
        return {pk: (int(entered), under_way, int(entered) - under_way) for pk, entered, under_way in cursor.fetchall()}


def versions(journey: Journey) -> dict[str, JourneyVersion]:
    """The journey's draft and live version, as far as there are any."""
    wanted = (JourneyVersion.State.DRAFT, JourneyVersion.State.LIVE)
    return {version.state: version for version in journey.versions.filter(state__in=wanted)}


def people(journey: Journey, *, tile: str = "", state: str = "") -> QuerySet[Participant]:
    """Participants of a journey, at a tile or in a state. Index: participant_at_tile."""
    rows = Participant.objects.filter(journey=journey).select_related("contact")
    if tile.isalnum():
        rows = rows.filter(tile=tile)
    return rows.filter(state=state) if state in Participant.State.values else rows
