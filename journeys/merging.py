"""What becomes of journeys when two contacts are merged: of two participations under way, the further one goes on."""

from itertools import groupby

from journeys import claiming, locking, moving
from journeys.models import Journey, Participant, Visit
from journeys.tiles.registry import Traveller


def settle(survivor_id: int, merged_id: int) -> None:
    """End the less far of two participations in one journey, in the merge's transaction and before it moves rows."""
    both = [survivor_id, merged_id]
    rows = Participant.objects.filter(contact_id__in=both, state=Participant.State.ACTIVE, is_parallel=False)
    ordered = rows.order_by("journey_id").values_list("journey_id", "contact_id")
    for journey_id, found in groupby(ordered, key=lambda row: row[0]):
        if len(list(found)) == len(both):
            _settle(Journey.objects.get(pk=journey_id), both)


def _settle(journey: Journey, both: list[int]) -> None:
    locking.share(journey.pk)
    travellers = claiming.claim(
        journey, "person.contact_id = ANY(%(both)s)", {"both": both}, limit=len(both), is_patient=True
    )
    if len(travellers) < len(both):
        return
    survivor, merged = sorted(travellers, key=lambda traveller: both.index(traveller.contact_id))
    further, other = (merged, survivor) if _steps(merged) > _steps(survivor) else (survivor, merged)
    moving.stop(journey, moving.live_number(journey), [(other, "merged")])
    if further is merged:
        # The survivor has had her own entry of this name: without a new one, the row could not be hers.
        Participant.objects.filter(pk=merged.id).update(entry=f"merged:{merged.id}")


def _steps(traveller: Traveller) -> int:
    return Visit.objects.filter(participant_id=traveller.id, at__gte=traveller.entered_at).count()
