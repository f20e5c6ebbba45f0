"""Looking at a participant sooner, because what its tile waits for is there."""

from django.db.models.functions import Now

from journeys.models import Participant
from tenants import wakeups


def look_at(participant_id: int, tile: str) -> None:
    """Let the engine look at a participant now if it is still at the tile. Runs in the transaction of what is new.

    The engine may be looking right now without seeing it; this waits for its lock, and so has the last word.
    """
    here = Participant.objects.filter(pk=participant_id, tile=tile, state=Participant.State.ACTIVE)
    if here.update(due_at=Now()):
        wakeups.announce("journeys")
