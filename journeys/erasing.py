"""What journeys forget about erased people: the steps that somebody took stay as numbers."""

from django.db import connection
from django.utils.translation import gettext_lazy as _

from contacts.registry import Erased, Eraser
from journeys import claiming, locking, moving
from journeys.models import Journey, Participant


def erase(erased: Erased) -> None:
    """Stop them wherever they are under way, so that each step's sums still close, and take them out of the trace."""
    theirs = Participant.objects.filter(contact__in=erased.ids)
    active = theirs.filter(state=Participant.State.ACTIVE).order_by("journey_id")
    for journey in Journey.objects.filter(pk__in=active.values("journey_id")).order_by("pk"):
        locking.share(journey.pk)
        travellers = claiming.claim(
            journey,
            "person.contact_id = ANY(%(erased)s)",
            {"erased": erased.ids},
            limit=active.filter(journey=journey).count(),
            is_patient=True,
        )
        moving.stop(journey, moving.live_number(journey), [(traveller, "inactive") for traveller in travellers])
    with connection.cursor() as cursor:
        # Index: visit_of_participant, in every partition.
        cursor.execute(
            "UPDATE journeys_visit SET contact_id = NULL, detail = '{}' WHERE participant_id = ANY(%s)",
            [list(theirs.values_list("pk", flat=True))],
        )


ERASER = Eraser(erase, {"journeys.Visit": _("Journeys: the person is taken out; who went which way stays a number.")})
