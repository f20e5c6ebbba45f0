"""What leads forget about erased people: that there was a lead, and how far it came, stays."""

from typing import Any

from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Cast, Concat, Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import erasure, search
from contacts.registry import Erased, Eraser
from leads import alerts
from leads.creation import ENTERED, SEARCH_KIND
from leads.models import Activity, Assignment, Lead, Opportunity, StageChange


def erase(erased: Erased) -> None:
    """Empty what was entered about them, people's words about them, and what members were told."""
    theirs = Lead.objects.filter(Q(contact__in=erased.ids) | Q(email__in=erased.addresses))
    ids = list(theirs.values_list("pk", flat=True))
    leads = Lead.objects.filter(pk__in=ids)
    nothing: dict[str, Any] = dict.fromkeys((*ENTERED, "stage_reason"), "")
    leads.update(**nothing, custom={}, unmatched_at=Now(), updated_at=Now())
    nameless = Concat(Value(_("Lead") + " "), Cast(F("pk"), TextField()), output_field=TextField())
    Lead.objects.filter(erased.named_in("topic")).update(topic=nameless)
    Opportunity.objects.filter(erased.named_in("name")).update(name=_("Opportunity"))
    Opportunity.objects.filter(Q(contact__in=erased.ids) | Q(lead__in=ids)).update(lost_reason="")
    StageChange.objects.filter(lead__in=ids).update(reason="")
    Assignment.objects.filter(erased.named_in("why")).update(why="")
    Activity.objects.filter(contact=None, lead__in=ids).delete()
    Activity.objects.filter(erased.named_in("subject", "notes")).update(subject=_("Activity"), notes="")
    for lead in leads.only("pk", "topic"):
        search.index(SEARCH_KIND, lead.pk, lead.topic)
    erasure.clear_timeline("lead_id", ids)
    alerts.forget(ids)


ERASER = Eraser(
    erase,
    {
        "leads.Lead": gettext_lazy(
            "Leads: what was entered is emptied; that there was one, and how far it came, stays."
        ),
        "leads.StageChange": gettext_lazy("Changes of stage: reasons in words are emptied."),
        "leads.Assignment": gettext_lazy("Assignments: the reason is emptied where it names the person."),
        "leads.Activity": gettext_lazy("Activities: the person's are deleted; others that name her lose their words."),
        "leads.Opportunity": gettext_lazy("Opportunities: names that say who it was give way; the amounts stay."),
    },
)
