"""The numbers on the tiles: every batch appends what it did, nobody counts people."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from journeys.models import Journey, Participant, TileFigure
from tenants.housekeeping import chore
from tenants.models import Tenant
from tenants.scope import tenant_scope

IN, STOPPED = "in", "stopped"
FOLD_AFTER = timedelta(hours=2)


@dataclass
class Figures:
    """What happened at a tile so far. `waiting` is counted from the people, the rest from the figures."""

    came: int = 0
    out: int = 0
    stopped: int = 0
    waiting: int = 0
    branches: Mapping[str, int] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the sums close: everybody who came waits, went on or was stopped."""
        return self.came == self.waiting + self.out + self.stopped


def append(journey_id: int, counts: Mapping[tuple[str, str], int]) -> None:
    """Note so many per (tile, outcome) in this hour."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    TileFigure.objects.bulk_create(
        TileFigure(journey_id=journey_id, tile=tile, outcome=outcome, hour=hour, count=count)
        for (tile, outcome), count in counts.items()
        if count
    )


def of_journey(journey: Journey) -> dict[str, Figures]:
    """The figures of every tile that anybody has ever come to. Three index ranges, whatever the number of people."""
    branches: dict[str, Counter[str]] = {}
    for tile, outcome, count in (
        TileFigure.objects.filter(journey=journey)
        .values_list("tile", "outcome")
        .annotate(total=Sum("count"))
        .values_list("tile", "outcome", "total")
    ):
        branches.setdefault(tile, Counter())[outcome] += count
    figures = {}
    for tile, counts in branches.items():
        came, stopped = counts.pop(IN, 0), counts.pop(STOPPED, 0)
        figures[tile] = Figures(came=came, stopped=stopped, out=sum(counts.values()), branches=dict(counts))
    for tile, waiting in waiting_of(journey).items():
        figures.setdefault(tile, Figures()).waiting = waiting
    return figures


def waiting_of(journey: Journey) -> dict[str, int]:
    """How many are at each tile now. Index only: participant_at_tile, the active part of each tile's range."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT tile, count(*) FROM journeys_participant
               WHERE journey_id = %s AND state = %s GROUP BY tile""",
            [journey.pk, Participant.State.ACTIVE],
        )
        return dict(cursor.fetchall())


@chore("fold journey figures", every=timedelta(hours=1))
def fold() -> None:
    """Add up each past hour's figures of a tile and outcome into one row."""
    for tenant_id in Tenant.objects.values_list("pk", flat=True):
        with tenant_scope(tenant_id), connection.cursor() as cursor:
            cursor.execute(
                """WITH gone AS (
                     DELETE FROM journeys_tilefigure WHERE (journey_id, tile, outcome, hour) IN (
                       SELECT journey_id, tile, outcome, hour FROM journeys_tilefigure
                       WHERE hour < %s GROUP BY 1, 2, 3, 4 HAVING count(*) > 1)
                     RETURNING journey_id, tile, outcome, hour, count)
                   INSERT INTO journeys_tilefigure (journey_id, tile, outcome, hour, count)
                   SELECT journey_id, tile, outcome, hour, sum(count) FROM gone GROUP BY 1, 2, 3, 4""",
                [timezone.now() - FOLD_AFTER],
            )
