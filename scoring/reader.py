"""The reader "scores": a score follows what happens within a pass, and the clock when an event leaves its window."""

import time
from datetime import datetime, timedelta

from django.db.models import Min

from contacts.reactor import Batch, Fact, Reader, register
from scoring.kinds import SCORE_CHANGED
from scoring.ledger import compiled
from scoring.models import Score, ScoringModel
from scoring.rescore import lock, rescore_touched
from scoring.subjects import SUBJECTS, Touched, touched
from segments.rules import Vocabulary, Watches, watches
from tenants.scope import tenant_scope

DUE_AT_ONCE = 1_000
# Whatever the rows of a model ask about, these decide who is scored at all.
_WHO = ("lead.", "consent.", "contact.created", "contact.merged", "contact.account")


def read(batch: Batch) -> None:
    """Score again whom the batch concerns, in each live model that watches what happened."""
    facts = [fact for fact in batch.rows if fact.kind != SCORE_CHANGED]
    models = lock() if facts else []
    vocabulary = Vocabulary()
    for model in models:
        watched = _watched(model, vocabulary)
        concerning = [fact for fact in facts if _concerns(fact, watched)]
        if concerning:
            rescore_touched(model, _touched(concerning), batch.lane)


def _watched(model: ScoringModel, vocabulary: Vocabulary) -> list[Watches]:
    """What the rows of a model watch, as said about leads and as said about contacts."""
    rules = [compiled(row, subject.key, vocabulary) for row in model.rules.all() for subject in SUBJECTS]
    return [watches(rule) for rule in rules if rule is not None]


def _concerns(fact: Fact, watched: list[Watches]) -> bool:
    if fact.kind.startswith(_WHO):
        return True
    return any(each.touched_by(fact.kind, fact.object_id, fact.detail) for each in watched)


def _touched(facts: list[Fact]) -> Touched:
    return touched(
        {fact.lead_id for fact in facts if fact.lead_id},
        {fact.contact_id for fact in facts if fact.contact_id},
        {fact.account_id for fact in facts if fact.account_id and not fact.contact_id and not fact.lead_id},
    )


def follow_clock(tenant_id: int, now: datetime, deadline: float) -> datetime | None:
    """Score again who is due by the clock, a set per transaction; returns when the next one will be.

    Index: score_due. Each due score is taken once per call, so one that stays due does not hold the others up.
    """
    last = 0
    while True:
        with tenant_scope(tenant_id):
            due = Score.objects.filter(next_change_at__lte=now, model__state=ScoringModel.State.LIVE, pk__gt=last)
            rows = list(due.order_by("pk")[:DUE_AT_ONCE])
            for model in lock({row.model_id for row in rows}) if rows else []:
                mine = [row for row in rows if row.model_id == model.pk]
                leads = sorted(row.lead_id for row in mine if row.lead_id)
                rescore_touched(model, Touched(leads, sorted(row.contact_id for row in mine if row.contact_id)))
            if len(rows) < DUE_AT_ONCE or time.monotonic() >= deadline:
                return _next_due(now)
        last = rows[-1].pk


def _next_due(now: datetime) -> datetime | None:
    """When the next score is due, a second from now at the earliest."""
    scores = Score.objects.filter(next_change_at__isnull=False, model__state=ScoringModel.State.LIVE)
    earliest = scores.aggregate(at=Min("next_change_at"))["at"]
    return max(earliest, now + timedelta(seconds=1)) if earliest else None


register(Reader("scores", run=read, due=follow_clock))
