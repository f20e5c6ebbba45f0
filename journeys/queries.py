"""Reads of the journeys' pages."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from journeys import figures
from journeys.models import Journey, JourneyVersion, Participant, Visit
from messaging import queries as mail_queries
from messaging.models import Message

# The list shows what runs first.
ORDER = (Journey.State.LIVE, Journey.State.PAUSED, Journey.State.DRAFT, Journey.State.ENDED, Journey.State.ARCHIVED)


def journeys(state: str = "") -> QuerySet[Journey]:
    """Journeys with an owner, those that run first; archived ones only when asked for."""
    rows = Journey.objects.select_related("owner__user")
    rows = rows.filter(state=state) if state in Journey.State.values else rows.exclude(state=Journey.State.ARCHIVED)
    whens = [When(state=one, then=Value(place)) for place, one in enumerate(ORDER)]
    return rows.annotate(place=Case(*whens, output_field=IntegerField()))


class Numbers(NamedTuple):
    """People of a journey; who has entered is under way, through, or stopped."""

    entered: int
    under_way: int
    through: int
    stopped: int


def numbers(journeys: Iterable[Journey]) -> dict[int, Numbers]:
    """By journey: its people. Figures of its tiles (figure_of_tile); participant_due for who is under way."""
    ids = [journey.pk for journey in journeys]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT journey.id, coalesce(sum(figure.count) FILTER (WHERE figure.outcome = %(in)s AND EXISTS (
                        SELECT FROM journeys_journeyversion version
                        WHERE version.journey_id = journey.id AND version.tiles->>'root' = figure.tile)), 0),
                      (SELECT count(*) FROM journeys_participant person
                       WHERE person.journey_id = journey.id AND person.state = 'active'),
                      coalesce(sum(figure.count) FILTER (WHERE figure.outcome = %(stopped)s), 0)
               FROM journeys_journey journey
               LEFT JOIN journeys_tilefigure figure ON figure.journey_id = journey.id
               WHERE journey.id = ANY(%(ids)s) GROUP BY journey.id""",
            {"ids": ids, "in": figures.IN, "stopped": figures.STOPPED},
        )
        return {
            pk: Numbers(int(entered), under_way, int(entered) - under_way - int(stopped), int(stopped))
            for pk, entered, under_way, stopped in cursor.fetchall()
        }


def versions(journey: Journey) -> dict[str, JourneyVersion]:
    """The journey's draft and live version, as far as there are any."""
    wanted = (JourneyVersion.State.DRAFT, JourneyVersion.State.LIVE)
    return {version.state: version for version in journey.versions.filter(state__in=wanted)}


def people(journey: Journey, *, tile: str = "", state: str = "", way: str = "") -> QuerySet[Participant]:
    """Participants of a journey: in a state, at a tile.

    States are those of Participant, and what the numbers on tiles mean: `in` (who came to the tile), `out` (who went
    on from it, by the branch `way` if one is given), `ended` (stopped or taken out). Indexes: participant_at_tile,
    visit_of_tile.
    """
    rows = Participant.objects.filter(journey=journey).select_related("contact")
    if not tile.replace("-", "").isalnum():
        tile = ""
    if state in ("in", "out") and tile:
        visits = Visit.objects.filter(journey_id=journey.pk, tile=tile).exclude(outcome="late")
        if state == "in":
            return rows.filter(Q(tile=tile) | Q(pk__in=visits.values("participant_id")))
        visits = visits.filter(outcome=way) if way else visits.exclude(outcome=figures.STOPPED)
        return rows.filter(pk__in=visits.values("participant_id"))
    if tile:
        rows = rows.filter(tile=tile)
    if state == "ended":
        return rows.filter(state__in=(Participant.State.STOPPED, Participant.State.EXITED))
    return rows.filter(state=state) if state in Participant.State.values else rows


def messages(journey: Journey, what: str, tile: str = "") -> QuerySet[Message]:
    """The messages behind a number of a journey's mail, to be listed latest first. Index: message_of_tile."""
    rows = Message.objects.filter(journey_id=journey.pk, contact__isnull=False).select_related("contact", "email")
    if tile:
        rows = rows.filter(tile=tile)
    return rows.filter(mail_queries.PEOPLE[what])
