"""The life of a scoring model: draft, live, archived. One live model is primary; its score is the one shown."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from contacts.models import ContactFacts
from leads.models import Lead
from scoring import retiring, shown
from scoring.checks import check
from scoring.drafting import COPIED, ROW_COPIED, NotADraft
from scoring.jobs import start
from scoring.models import Grade, ScoringModel, ScoringRule
from scoring.rescore import lock
from scoring.subjects import SUBJECTS
from tenants import audit
from tenants.models import Job, Member

DRAFT, LIVE, ARCHIVED = ScoringModel.State


class NotReady(ValueError):
    """A model with errors was to go live; its text is the first of them."""


def go_live(draft: ScoringModel, by: Member) -> tuple[ScoringModel, Job]:
    """Let a draft take effect, and score everybody by it; returns the live model and the job that does so.

    A draft beside a live model passes what it says on to that model, which keeps its identity: unchanged rows keep
    their entries, and rules, branches and reports that name the model stay right. What changed is in the audit trail.
    Raises NotReady, or NotADraft when somebody else was faster.
    """
    with transaction.atomic():
        draft = ScoringModel.objects.select_for_update(no_key=True).get(pk=draft.pk)
        if draft.state != DRAFT:
            raise NotADraft(_("This model has gone live already."))
        errors = [issue.message for issue in check(draft) if issue.severity == "error"]
        if errors:
            raise NotReady(errors[0])
        live, old_threshold = _replace(draft, by) if draft.replaces_id else _begin(draft, by)
        return live, start(live, by, old_threshold)


def _begin(draft: ScoringModel, by: Member) -> tuple[ScoringModel, None]:
    draft.is_primary = not ScoringModel.objects.filter(state=LIVE, is_primary=True).exists()
    draft.state = LIVE
    draft.save(update_fields=["state", "is_primary"])
    audit.write("scoring_model.went_live", draft, by=by)
    return draft, None


def _replace(draft: ScoringModel, by: Member) -> tuple[ScoringModel, int]:
    """Pass a draft's content on to the live model; rows that came from it are changed in place."""
    live = lock([draft.replaces_id] if draft.replaces_id else [])[0]
    old_threshold, before = live.threshold, described(live)
    for name in COPIED:
        setattr(live, name, getattr(draft, name))
    live.save(update_fields=COPIED)
    kept = {row.origin_id: row for row in draft.rules.all() if row.origin_id}
    live.rules.exclude(pk__in=kept).delete()
    for row in live.rules.all():
        for name in ROW_COPIED:
            setattr(row, name, getattr(kept[row.pk], name))
        row.save(update_fields=ROW_COPIED)
    draft.rules.filter(origin=None).update(model=live)
    live.grades.all().delete()
    Grade.objects.filter(model=draft).update(model=live)
    audit.write("scoring_model.went_live", live, by=by, detail={"before": before, "after": described(live)})
    draft.delete()
    return live, old_threshold


def described(model: ScoringModel) -> dict[str, Any]:
    """All that a model says, as values that can be compared."""
    rows = ScoringRule.objects.filter(model=model).values(*ROW_COPIED)
    return {
        **{name: getattr(model, name) for name in COPIED},
        "rows": list(rows),
        "grades": list(Grade.objects.filter(model=model).values_list("name", "lower_bound")),
    }


def make_primary(model: ScoringModel, by: Member) -> None:
    """Let this live model's score be the one that leads and contacts show."""
    with transaction.atomic():
        if not lock([model.pk]):
            raise NotReady(_("Only a live model can be primary."))
        ScoringModel.objects.filter(is_primary=True).update(is_primary=False)
        ScoringModel.objects.filter(pk=model.pk).update(is_primary=True)
        for subject in SUBJECTS:
            shown.show(model, subject)
        audit.write("scoring_model.made_primary", model, by=by)


def archive(model: ScoringModel, by: Member) -> None:
    """End a live model: its scores go. If it was primary, the oldest other live one takes its place."""
    with transaction.atomic():
        if not lock([model.pk]):
            raise NotReady(_("Only a live model can be archived."))
        model.drafts.all().delete()
        ScoringModel.objects.filter(pk=model.pk).update(state=ARCHIVED, is_primary=False)
        retiring.forget(model)
        audit.write("scoring_model.archived", model, by=by)
        if model.is_primary:
            _hand_on(by)


def _hand_on(by: Member) -> None:
    successor = ScoringModel.objects.filter(state=LIVE).order_by("pk").first()
    if successor:
        make_primary(successor, by)
    else:
        Lead.objects.exclude(score=None).update(score=None, grade="")
        ContactFacts.objects.exclude(score=None).update(score=None, grade="")
