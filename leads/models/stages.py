"""Where a lead can stand, and where leads come from."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Stage(models.TextChoices):
    """Where a lead stands. A tenant may rename the stages; their meaning is fixed."""

    INQUIRY = "inquiry", _("Inquiry")
    ENGAGED = "engaged", _("Engaged")
    MQL = "mql", _("Marketing-qualified")
    HANDED_OFF = "handed_off", _("Handed to sales")
    SAL = "sal", _("Sales-accepted")
    SQL = "sql", _("Sales-qualified")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")
    DISQUALIFIED = "disqualified", _("Disqualified")
    RECYCLED = "recycled", _("Recycled")


# Nothing more is expected of these; the order of the others is how far a lead has come.
CLOSED_STAGES = (Stage.WON, Stage.LOST, Stage.DISQUALIFIED)

# Where leads come from; what another source calls itself is shown as it is.
SOURCES = {
    "form": _("Form"),
    "journey": _("Journey"),
    "manual": _("Entered by hand"),
    "call": _("Call"),
    "import": _("Import"),
    "event": _("Event"),
    "linkedin": _("LinkedIn"),
}
