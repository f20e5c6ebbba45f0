"""What can be done with a lead on its page, on the board and on My day: the one list behind all three."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import assignment, lifecycle, opportunities
from leads.forms import ActionForm, AssignForm, OpportunityForm, ReasonForm
from leads.models import Lead, Stage
from leads.stage_names import name_of
from leads.transitions import NURTURED, OFFERED, OPEN, WORKED
from tenants.models import Member
from tenants.registry import Text


@dataclass(frozen=True, slots=True)
class Action:
    """An action: at which stages it is offered, what it asks for, and what it does (returns what to say).

    A lead's page shows the main one and its counterpart as buttons, the others in a menu.
    """

    key: str
    label: Text
    icon: str
    stages: tuple[str, ...]
    perform: Callable[..., str]
    form: type[ActionForm] = ActionForm
    is_main: bool = False
    is_beside: bool = False


def _accept(lead: Lead, by: Member, form: ActionForm) -> str:
    lifecycle.accept(lead, by)
    return _("%(person)s is yours.") % {"person": lead.person}


def _reject(lead: Lead, by: Member, form: ReasonForm) -> str:
    lifecycle.reject(lead, form.reason, by)
    return _("%(person)s went back to marketing.") % {"person": lead.person}


def _recycle(lead: Lead, by: Member, form: ReasonForm) -> str:
    lifecycle.recycle(lead, form.reason, by)
    return _("%(person)s went back to marketing.") % {"person": lead.person}


def _disqualify(lead: Lead, by: Member, form: ReasonForm) -> str:
    lifecycle.disqualify(lead, form.reason, by)
    return _("%(person)s is disqualified.") % {"person": lead.person}


def _reopen(lead: Lead, by: Member, form: ActionForm) -> str:
    lifecycle.reopen(lead, by)
    return _("%(person)s is engaged again.") % {"person": lead.person}


def _engage(lead: Lead, by: Member, form: ActionForm) -> str:
    lifecycle.change_stage(lead, Stage.ENGAGED, by=by)
    return _("%(person)s is engaged.") % {"person": lead.person}


def _make_mql(lead: Lead, by: Member, form: ActionForm) -> str:
    lifecycle.make_mql(lead, score=lead.score, by=by, reason=_("Marked by %(name)s.") % {"name": by})
    return _("%(person)s is sales-ready.") % {"person": lead.person}


def _assign(lead: Lead, by: Member, form: AssignForm) -> str:
    member = form.cleaned_data["member"]
    hand_over = lead.stage not in WORKED
    given = (
        lifecycle.hand_off(lead, member=member, by=by) if hand_over else assignment.assign(lead, member=member, by=by)
    )
    if given is None:
        raise lifecycle.NotPossible(_("No sales rep is present. Choose somebody."))
    return _("%(name)s has the lead. %(why)s") % {"name": given.member, "why": given.why}


def _qualify(lead: Lead, by: Member, form: OpportunityForm) -> str:
    opportunities.qualify(lead, by, **form.values())
    return _("%(person)s is an opportunity now.") % {"person": lead.person}


_ACTIONS = (
    Action("accept", gettext_lazy("Accept"), "thumb-up", (*NURTURED, *OFFERED), _accept, is_main=True),
    Action("reject", gettext_lazy("Reject"), "thumb-down", OFFERED, _reject, ReasonForm, is_beside=True),
    Action("qualify", gettext_lazy("Qualify"), "trophy", (Stage.SAL,), _qualify, OpportunityForm, is_main=True),
    Action("mql", gettext_lazy("Mark sales-ready"), "flag", NURTURED, _make_mql),
    Action("assign", gettext_lazy("Assign"), "user-check", OPEN, _assign, AssignForm),
    Action("engage", gettext_lazy("Mark engaged"), "activity", (Stage.INQUIRY,), _engage),
    Action("recycle", gettext_lazy("Recycle"), "rotate", (Stage.INQUIRY, Stage.ENGAGED, *WORKED), _recycle, ReasonForm),
    Action("disqualify", gettext_lazy("Disqualify"), "circle-x", OPEN, _disqualify, ReasonForm),
    Action("reopen", gettext_lazy("Reopen"), "arrow-back-up", (Stage.DISQUALIFIED, Stage.RECYCLED), _reopen),
)
ACTIONS = {action.key: action for action in _ACTIONS}

# Which action brings a lead to a stage, for the board.
_WAYS: dict[str, tuple[str, ...]] = {
    Stage.ENGAGED: ("engage", "reopen"),
    Stage.MQL: ("mql",),
    Stage.HANDED_OFF: ("assign",),
    Stage.SAL: ("accept",),
    Stage.SQL: ("qualify",),
    Stage.RECYCLED: ("reject", "recycle"),
    Stage.DISQUALIFIED: ("disqualify",),
}


def offered(lead: Lead) -> list[Action]:
    """What can be done with a lead where it stands."""
    return [action for action in _ACTIONS if lead.stage in action.stages]


def way_to(lead: Lead, stage: str) -> Action | None:
    """The action that moves a lead to a stage; None if nothing leads there from where it stands."""
    if lead.stage == stage:
        return None
    return next((a for key in _WAYS.get(stage, ()) if lead.stage in (a := ACTIONS[key]).stages), None)


def ways(lead: Lead) -> list[tuple[str, str]]:
    """The stages that a lead can be moved to, with their names, for its "Move to…" menu."""
    return [(stage, name_of(stage)) for stage in _WAYS if way_to(lead, stage)]
