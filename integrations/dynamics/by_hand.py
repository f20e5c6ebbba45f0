"""Handing a lead over by hand, from its page."""

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.crm import outbox
from integrations.models import Connection
from leads.models import Lead, Stage
from leads.moves import change_stage
from leads.transitions import may_go
from tenants.models import Member


def hand_over(connection: Connection, lead: Lead, *, by: Member) -> None:
    """Hand a lead to sales; nobody here is assigned. Raises MovedMeanwhile.

    Where marketing has it, its stage says so from then on, and the stage orders what is to be written. Where sales has
    it already, or had it, it is written once more.
    """
    if lead.stage != Stage.HANDED_OFF and may_go(lead.stage, Stage.HANDED_OFF):
        changes = {"handed_off_at": timezone.now()}
        change_stage(lead, Stage.HANDED_OFF, reason=_("Handed over by hand."), by=by, changes=changes)
    else:
        outbox.hand_over(connection, lead.pk, by)
