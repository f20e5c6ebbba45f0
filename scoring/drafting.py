"""Making and editing drafts: only a draft's rows, grades and threshold change; a live model is edited beside itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from scoring import examples
from scoring.models import Grade, ScoringModel, ScoringRule
from tenants import audit
from tenants.models import Member

DRAFT, LIVE = ScoringModel.State.DRAFT, ScoringModel.State.LIVE
COPIED = ("name", "threshold", "lower_limit", "minimum_consent")
ROW_COPIED = ("position", "name", "rule", "points", "frequency", "cap", "half_life_days")


class NotADraft(ValueError):
    """A model that is live or archived was to be changed; its text says what to do."""


def create(name: str, *, is_empty: bool = False, by: Member) -> ScoringModel:
    """A new draft with grades A to D; unless `is_empty` with rows that are usual, to begin from."""
    with transaction.atomic():
        model = ScoringModel.objects.create(name=name)
        _put_grades(model, examples.GRADES)
        rows = [] if is_empty else examples.rows()
        for position, values in enumerate(rows):
            ScoringRule.objects.create(model=model, position=position, **values)
        audit.write("scoring_model.created", model, by=by)
    return model


def draft_of(model: ScoringModel, by: Member) -> ScoringModel:
    """The draft beside a live model, copied from it at first."""
    if model.state == DRAFT:
        return model
    if model.state != LIVE:
        raise NotADraft(_("An archived model cannot be edited."))
    with transaction.atomic():
        ScoringModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        draft = model.drafts.filter(state=DRAFT).first()
        if draft is None:
            draft = ScoringModel.objects.create(replaces=model, **_values(model, COPIED))
            _put_grades(draft, [(grade.name, grade.lower_bound) for grade in model.grades.all()])
            for row in model.rules.all():
                ScoringRule.objects.create(model=draft, origin=row, **_values(row, ROW_COPIED))
            audit.write("scoring_model.draft_begun", model, by=by)
    return draft


def discard(draft: ScoringModel, by: Member) -> None:
    """Throw a draft away; a live model beside it stays as it is."""
    _require_draft(draft)
    audit.write("scoring_model.draft_discarded", draft, by=by)
    draft.delete()


def set_options(draft: ScoringModel, values: Mapping[str, Any], grades: Sequence[tuple[str, int | None]]) -> None:
    """Change name, threshold, lower limit, minimum consent and the grades (name, lower bound) of a draft."""
    _require_draft(draft)
    with transaction.atomic():
        for name in COPIED:
            setattr(draft, name, values[name])
        draft.save(update_fields=COPIED)
        draft.grades.all().delete()
        _put_grades(draft, grades)


def add_row(draft: ScoringModel, row: ScoringRule) -> ScoringRule:
    """Add an unsaved row at the end of a draft."""
    _require_draft(draft)
    last = draft.rules.order_by("-position").values_list("position", flat=True).first()
    row.model, row.position = draft, 0 if last is None else last + 1
    row.save()
    return row


def change_row(row: ScoringRule) -> None:
    """Save a draft's row that was changed."""
    _require_draft(row.model)
    row.save(update_fields=[name for name in ROW_COPIED if name != "position"])


def remove_row(row: ScoringRule) -> None:
    """Take a row out of a draft."""
    _require_draft(row.model)
    row.delete()


def move_row(row: ScoringRule, by: int) -> None:
    """Move a row of a draft up (-1) or down (1); at the ends it stays."""
    _require_draft(row.model)
    with transaction.atomic():
        rows = list(ScoringRule.objects.select_for_update().filter(model=row.model))
        place = next(i for i, each in enumerate(rows) if each.pk == row.pk)
        rows.insert(max(0, place + by), rows.pop(place))
        for position, each in enumerate(rows):
            each.position = position
        ScoringRule.objects.bulk_update(rows, ["position"])


def _put_grades(model: ScoringModel, grades: Sequence[tuple[str, int | None]]) -> None:
    Grade.objects.bulk_create([Grade(model=model, name=name, lower_bound=bound) for name, bound in grades])


def _values(source: ScoringModel | ScoringRule, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}


def _require_draft(model: ScoringModel) -> None:
    if model.state != DRAFT:
        raise NotADraft(_("This model is not a draft. Edit it to make changes beside the live version."))
