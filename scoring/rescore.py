"""Bring scores up to date: all of a model, or those of the touched leads and contacts, by the same statements."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from psycopg import sql

from contacts import timeline
from contacts.models import Contact
from contacts.models.timeline import Lane
from leads.models import Lead
from scoring import ledger, retiring, shown
from scoring.kinds import SCORE_CHANGED
from scoring.models import ScoringModel
from scoring.subjects import CONTACT, LEAD, Selection, Subject, Touched, touched
from segments.compiler import rule_settings
from tenants import wakeups

# So many leads and contacts are scored in the transaction that asks for it; `jobs` scores more, a piece at a time.
AT_ONCE = 2_000


class TooMany(ValueError):
    """Everybody is too many for one transaction: it would hold all readers back for as long."""


@dataclass(frozen=True)
class Outcome:
    """How many scores changed, and when the next one will by time alone."""

    changed: int = 0
    next_change_at: datetime | None = None

    def __add__(self, other: "Outcome") -> "Outcome":
        moments = [moment for moment in (self.next_change_at, other.next_change_at) if moment]
        return Outcome(self.changed + other.changed, min(moments, default=None))


def rescore(
    model_ids: Iterable[int] | int | None = None,
    *,
    lead_ids: Iterable[int] | None = None,
    contact_ids: Iterable[int] | None = None,
    account_ids: Iterable[int] = (),
    lane: str = Lane.LIVE,
) -> int:
    """Compute scores of live models (of `model_ids`, or all) in the current scope; returns how many changed.

    Without ids everybody is scored, by one pass over the facts, if they are few; else it raises TooMany, for that is a
    job. With ids: whoever the named leads, contacts or accounts concern. Ledger, score, the lead's and contact's shown
    score and `score.changed` change together; what is right already is not written. Two at once wait for each other.
    """
    some = None
    if lead_ids is not None or contact_ids is not None or account_ids:
        some = touched(lead_ids or (), contact_ids or (), account_ids)
    elif Lead.objects.count() + Contact.objects.count() > AT_ONCE:
        raise TooMany(f"more than {AT_ONCE} leads and contacts")
    only = [model_ids] if isinstance(model_ids, int) else model_ids
    outcome = Outcome()
    for model in lock(only):
        outcome += rescore_touched(model, some, lane) if some else rescore_all(model, lane)
    if outcome.next_change_at:
        wakeups.announce(timeline.REACTOR, due_at=outcome.next_change_at)
    return outcome.changed


def lock(model_ids: Iterable[int] | None = None) -> list[ScoringModel]:
    """Live models (all, or those of the ids), locked until the transaction ends.

    A second rescoring of a model waits here; its statements then see what the first one wrote.
    """
    live = ScoringModel.objects.filter(state=ScoringModel.State.LIVE).order_by("pk")
    if model_ids is not None:
        live = live.filter(pk__in=list(model_ids))
    return list(live.select_for_update(no_key=True))


def rescore_all(model: ScoringModel, lane: str = Lane.LIVE) -> Outcome:
    """Score everybody in a locked model."""
    retiring.carry_over(model)
    return rescore_selected(model, LEAD, Selection(), lane) + rescore_selected(model, CONTACT, Selection(), lane)


def rescore_touched(model: ScoringModel, some: Touched, lane: str = Lane.LIVE) -> Outcome:
    """Score the touched in a locked model."""
    outcome = Outcome()
    if some.contact_ids:
        retiring.carry_over(model, some.of(CONTACT))
    for subject in (LEAD, CONTACT):
        if some.of(subject).ids:
            outcome += rescore_selected(model, subject, some.of(subject), lane)
    return outcome


def rescore_selected(
    model: ScoringModel,
    subject: Subject,
    selection: Selection,
    lane: str = Lane.LIVE,
    old_threshold: int | None = None,
) -> Outcome:
    """Score the selected leads or contacts in a locked model; `old_threshold`: it was lowered from that."""
    statement = ledger.write(model, subject, selection)
    # The statements' own sets come out of CTEs, whose size the planner can only guess: when everybody is scored, none
    # of them may loop over another, just as within the rules.
    with rule_settings(is_full=not selection.is_few), connection.cursor() as cursor:
        cursor.execute(statement)
        changed_at, count, next_change_at = cursor.fetchone()
        retiring.retire(model, subject, selection)
        if count or old_threshold is not None:
            _record(model, subject, selection, changed_at, lane, old_threshold)
        if model.is_primary:
            shown.show(model, subject, selection, None if selection.is_few else changed_at)
    return Outcome(count, next_change_at)


def _record(
    model: ScoringModel,
    subject: Subject,
    selection: Selection,
    changed_at: datetime,
    lane: str,
    old_threshold: int | None,
) -> None:
    """Write `score.changed` for each score that the statement marked with `changed_at`.

    After the threshold was lowered, scores from the new one up to the old one count as newly reached: their "from"
    is null, as a first score's.
    """
    is_lowered = old_threshold is not None and old_threshold > model.threshold
    column = sql.Identifier("score", subject.column)
    select = sql.SQL(_CHANGES).format(
        key=column,
        selected=selection.clause(column),
        reached=sql.SQL("OR score.score >= %(threshold)s AND score.score < %(old)s") if is_lowered else sql.SQL(""),
    )
    params = {
        "model": model.pk,
        "name": model.name,
        "threshold": model.threshold,
        "old": old_threshold if is_lowered else None,
        "lower_limit": model.lower_limit,
        "is_primary": model.is_primary,
        "changed_at": changed_at,
    }
    columns = ("contact_id", "account_id", "lead_id", "object_id", "detail")
    timeline.record_select(SCORE_CHANGED, select, params, columns=columns, lane=lane)


# Few are found by one_lead_score / one_contact_score, all by one pass over the model's scores.
_CHANGES = """
SELECT score.lead_id, coalesce(score.contact_id, lead.contact_id) AS contact_id,
       coalesce(lead.account_id, contact.account_id) AS account_id, %(model)s::bigint AS object_id,
       jsonb_build_object(
           'model', %(name)s::text, 'to', score.score, 'grade', score.grade, 'threshold', %(threshold)s::int,
           'from', CASE WHEN score.previous < %(old)s::int THEN NULL ELSE score.previous END,
           'lower_limit', %(lower_limit)s::int, 'is_primary', %(is_primary)s::boolean) AS detail
FROM scoring_score score
LEFT JOIN leads_lead lead ON lead.id = score.lead_id
LEFT JOIN contacts_contact contact ON contact.id = score.contact_id
WHERE score.model_id = %(model)s AND {key} IS NOT NULL {selected}
  AND (score.changed_at = %(changed_at)s {reached})
"""
