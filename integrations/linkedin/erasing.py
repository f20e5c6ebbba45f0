"""What LinkedIn's submissions forget about erased people: that somebody sent one stays, and it never comes back."""

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.registry import Erased, Eraser
from integrations.linkedin import rerun
from integrations.models import LeadSubmission
from tenants.models import Job

State = LeadSubmission.State


def erase(erased: Erased) -> None:
    """Empty what they entered. The row with its id stays: LinkedIn gives the same submission again for a year."""
    words = {"words": Cast("answers", TextField()), "hidden": Cast("hidden_fields", TextField())}
    entered = LeadSubmission.objects.alias(**words)
    named = Q(contact__in=erased.ids) | erased.named_in("words", "hidden", "reason")
    theirs = LeadSubmission.objects.filter(pk__in=list(entered.filter(named).values_list("pk", flat=True)))
    theirs.update(
        answers=[], hidden_fields={}, consents=[], faults=[], submitter="", digest="", other_contacts=[], reason=""
    )
    for job in Job.objects.filter(kind=rerun.TRIAL, result__has_key="examples"):
        del job.result["examples"]
        job.save(update_fields=["result"])
    theirs.exclude(state=State.WITHDRAWN).update(state=State.ERASED, reason=_("The contact has been erased."))


ERASER = Eraser(
    erase,
    {
        "integrations.LeadSubmission": gettext_lazy("LinkedIn: what was entered is emptied; that it was sent stays."),
        "tenants.Job": gettext_lazy("Jobs: the examples that a tried mapping has shown are deleted."),
    },
)
