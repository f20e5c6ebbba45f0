"""What is done to many leads at once: counted first, then done by the verbs of one lead, and taken back in one go."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from leads import alerts, assignment, lifecycle, listing, queries
from leads.actions import ACTIONS, Action
from leads.forms import ActionForm, AssignForm, ReasonForm
from leads.models import Assignment, Lead, Stage
from leads.stage_names import name_of
from leads.transitions import WORKED
from tenants.models import Job, Member

JOB = "leads.bulk"
MOST = 500
OFFERED = [ACTIONS[key] for key in ("assign", "mql", "recycle", "disqualify")]
# What an undo puts back, beside the stage.
COLUMNS = (
    *("owner_id", "stage_reason", "handed_off_at", "respond_by", "escalated_at", "accepted_at"),
    *("recycled_until", "recycled_score"),
)
SAID = {
    "assign": gettext_lazy("Assigned"),
    "mql": gettext_lazy("Sales-ready now"),
    "recycle": gettext_lazy("Back with marketing"),
    "disqualify": gettext_lazy("Disqualified"),
}


@dataclass(frozen=True)
class Review:
    """What an action would do: with which leads, and which it leaves out, by the name of their stage."""

    action: Action
    leads: list[Lead]
    left_out: list[tuple[str, int]] = field(default_factory=list)

    @property
    def is_allowed(self) -> bool:
        return bool(self.leads)


class Result(NamedTuple):
    """What happened: the record that an undo needs, and the same in words."""

    job: Job
    text: str


def chosen(given: QueryDict, member: Member) -> list[Lead]:
    """The leads that a form names by `ids`, or by `every` and the list's address in `view`; at most MOST."""
    if given.get("every"):
        return list(listing.found(QueryDict(given.get("view", "")), member).order_by("-rank", "-pk")[:MOST])
    ids = [int(pk) for pk in given.getlist("ids")[:MOST] if pk.isascii() and pk.isdecimal() and len(pk) < 19]
    return list(queries.shown().filter(pk__in=ids).order_by("-rank", "-pk"))


def review(action: Action, leads: Iterable[Lead]) -> Review:
    """Count before anything is done."""
    fitting, others = [], Counter[str]()
    for lead in leads:
        if lead.stage in action.stages:
            fitting.append(lead)
        else:
            others[lead.stage] += 1
    return Review(action, fitting, [(name_of(stage), count) for stage, count in others.items()])


@transaction.atomic
def perform(action: Action, leads: Sequence[Lead], form: ActionForm, by: Member) -> Result:
    """Do it lead by lead; one that moved meanwhile is left out. Whoever gets leads is told once about all of them."""
    before, given = {}, list[Assignment]()
    for lead in leads:
        was = _state(lead)
        try:
            if made := _do(action, lead, form, by):
                given.append(made)
        except lifecycle.NotPossible:
            continue
        before[str(lead.pk)] = {"was": was, "is": {"stage": lead.stage, "owner_id": lead.owner_id}}
    alerts.assigned_many(given)
    job = Job.objects.create(
        kind=JOB,
        title=str(action.label),
        state=Job.State.DONE,
        arguments={"action": action.key},
        result={"leads": before},
        done_count=len(before),
        total_count=len(leads),
        started_by=by,
        finished_at=timezone.now(),
    )
    return Result(job, _what_happened(action, len(before), len(leads) - len(before)))


def _do(action: Action, lead: Lead, form: ActionForm, by: Member) -> Assignment | None:
    if isinstance(form, AssignForm):
        member = form.cleaned_data["member"]
        hand = assignment.assign if lead.stage in WORKED else lifecycle.hand_off
        given = hand(lead, member=member, by=by, is_told=False)  # type: ignore[operator]
        if given is None:
            raise lifecycle.NotPossible(_("No sales rep is present. Choose somebody."))
        return given
    if action.key == "mql":
        lifecycle.make_mql(lead, score=lead.score, by=by, reason=_("Marked by %(name)s.") % {"name": by})
    elif isinstance(form, ReasonForm):
        verb = lifecycle.recycle if action.key == "recycle" else lifecycle.disqualify
        verb(lead, form.reason, by)
    return None


@transaction.atomic
def undo(job: Job, by: Member) -> str:
    """Put the leads back where they were, those that nobody has touched since. Raises NotPossible the second time."""
    fresh = Job.objects.filter(pk=job.pk, state=Job.State.DONE)
    if not fresh.update(state=Job.State.CANCELLED):
        raise lifecycle.NotPossible(_("This has been taken back already."))
    changed = job.result["leads"]
    leads = queries.shown().filter(pk__in=[int(pk) for pk in changed])
    count = 0
    for lead in leads.select_for_update(of=("self",)):
        row = changed[str(lead.pk)]
        if {"stage": lead.stage, "owner_id": lead.owner_id} == row["is"]:
            lifecycle.put_back(lead, Stage(row["was"]["stage"]), _columns(row["was"]), by=by)
            count += 1
    text = ngettext("%(n)d lead is back where it was.", "%(n)d leads are back where they were.", count) % {"n": count}
    if left := len(changed) - count:
        text += " " + _("%(n)d moved meanwhile and stay.") % {"n": left}
    return text


def _state(lead: Lead) -> dict[str, Any]:
    values = {name: getattr(lead, name) for name in ("stage", *COLUMNS)}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _columns(was: dict[str, Any]) -> dict[str, Any]:
    moments = {name for name in COLUMNS if name.endswith(("_at", "_by", "_until"))}
    return {
        name: datetime.fromisoformat(was[name]) if name in moments and was[name] else was[name]
        for name in COLUMNS
        if name != "stage_reason"
    }


def _what_happened(action: Action, count: int, left_out: int) -> str:
    text = ngettext("%(what)s: %(n)d lead.", "%(what)s: %(n)d leads.", count) % {"what": SAID[action.key], "n": count}
    return text + " " + _("%(n)d could not be.") % {"n": left_out} if left_out else text
