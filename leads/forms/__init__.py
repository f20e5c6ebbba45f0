"""Forms of leads, their rules, activities and opportunities."""

from leads.forms.actions import ActionForm, AssignForm, OpportunityForm, ReasonForm
from leads.forms.leads import LeadForm
from leads.forms.rules import RulesForm, TerritoryForm
from leads.forms.work import ActivityForm, CallForm, DoneForm

__all__ = [
    "ActionForm",
    "ActivityForm",
    "AssignForm",
    "CallForm",
    "DoneForm",
    "LeadForm",
    "OpportunityForm",
    "ReasonForm",
    "RulesForm",
    "TerritoryForm",
]
