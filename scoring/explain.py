"""What makes up a score, in words, and what time alone will make of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Case, Subquery, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from psycopg import sql

from contacts.models import Contact
from leads.models import Lead
from leads.registry import Reason
from leads.transitions import OPEN, RANK
from scoring import charts, ledger
from scoring.charts import Part
from scoring.models import Score, ScoreEntry, ScoringModel, ScoringRule
from scoring.subjects import CONTACT, LEAD, Subject
from segments.compiler import rule_settings
from segments.rules import RuleError, Vocabulary, in_words, parse


@dataclass(frozen=True)
class Forecast:
    """What the score becomes at its next change by time alone, and the parts that change: (words, points then)."""

    at: datetime
    score: int
    changes: list[tuple[str, int]] = field(default_factory=list)


def words_of(row: ScoringRule, vocabulary: Vocabulary | None = None) -> str:
    """The row's own name, or its condition in words; what is wrong with it if it cannot be read."""
    if row.name:
        return row.name
    try:
        said = in_words(parse(row.rule, "lead", vocabulary), vocabulary)
    except RuleError as error:
        return error.message
    if row.frequency == ScoringRule.Frequency.NONE:
        return _("not: %(rule)s") % {"rule": said}
    return said[:1].upper() + said[1:]


def parts(score: Score) -> list[Part]:
    """What a score is made of, the largest first; their points add up to it."""
    entries = ScoreEntry.objects.filter(model=score.model_id, lead=score.lead_id, contact=score.contact_id)
    vocabulary = Vocabulary()
    return _sorted([_of_entry(entry, vocabulary) for entry in entries.exclude(points=0).select_related("rule")])


def _of_entry(entry: ScoreEntry, vocabulary: Vocabulary) -> Part:
    if entry.rule is None:
        words = entry.reason or _("Given by a journey")
        return Part(words, entry.points, last_at=entry.last_at, until=entry.until)
    return _of_row(entry.rule, entry.points, entry.hits, entry.last_at, entry.until, vocabulary)


def _of_row(
    row: ScoringRule,
    points: int,
    hits: int,
    last_at: datetime | None,
    until: datetime | None,
    vocabulary: Vocabulary,
) -> Part:
    is_counted = row.frequency == ScoringRule.Frequency.EACH
    return Part(words_of(row, vocabulary), points, hits, last_at, until, is_counted, row.pk)


def _sorted(found: list[Part]) -> list[Part]:
    return sorted(found, key=lambda part: (-part.points, part.words))


def computed(model: ScoringModel, about: Lead | Contact, at: datetime | None = None) -> list[Part]:
    """What the rows of a model, a draft too, give a lead or contact now or at `at`; nothing is written.

    The rules only look back, so a moment ahead shows what becomes of what has happened so far.
    """
    subject: Subject = LEAD if isinstance(about, Lead) else CONTACT
    statement = sql.SQL("WITH subject AS (SELECT {}::bigint AS id) {}").format(
        sql.Literal(about.pk), ledger.contributions(model, subject, [about.pk], at)
    )
    with rule_settings(is_full=False), connection.cursor() as cursor:
        cursor.execute(statement)
        found = cursor.fetchall()
    rows, vocabulary = {row.pk: row for row in model.rules.all()}, Vocabulary()
    return _sorted(
        [
            _of_row(rows[rule_id], points, hits, last_at, until, vocabulary)
            for rule_id, _subject, hits, points, last_at, until in found
            if points
        ]
    )


def forecast(score: Score, now: Sequence[Part]) -> Forecast | None:
    """What becomes of a score by time alone at its next change; None when there is none."""
    at, about = score.next_change_at, score.lead or score.contact
    if at is None or about is None:
        return None
    then = [*computed(score.model, about, at), *(p for p in now if not p.row_id and (p.until is None or p.until > at))]
    before, after = ({part.words: part.points for part in found} for found in (now, then))
    changed = [words for words in {**before, **after} if before.get(words, 0) != after.get(words, 0)]
    total = sum(part.points for part in then)
    return Forecast(at, total, [(words, after.get(words, 0)) for words in changed])


def panel(record: Lead | Contact) -> dict[str, Any] | None:
    """What the panel of a lead's or contact's page shows: her score in the primary model; None without one.

    A contact who has a lead shows that of her most advanced one, as the lists do.
    """
    score = shown_score(record)
    if score is None:
        return None
    found = parts(score)
    chart = charts.waterfall(found, score.model.threshold)
    return {"score": score, "chart": chart, "forecast": forecast(score, found)}


def shown_score(record: Lead | Contact) -> Score | None:
    """The score that a lead or contact shows."""
    scores = Score.objects.select_related("model", "lead", "contact")
    scores = scores.filter(model__is_primary=True, model__state=ScoringModel.State.LIVE)
    if isinstance(record, Lead):
        return scores.filter(lead=record).first()
    ranked = Case(*(When(lead__stage=stage, then=place) for place, stage in enumerate(RANK)), default=-1)
    shown = Score.objects.filter(model__is_primary=True, model__state=ScoringModel.State.LIVE)
    of_leads = shown.filter(lead__contact=record, lead__stage__in=OPEN).order_by(ranked.desc(), "-score", "-lead")
    own = shown.filter(contact=record)
    # Each found by its index before the row is read: one statement instead of two.
    return scores.filter(pk=Coalesce(Subquery(of_leads.values("pk")[:1]), Subquery(own.values("pk")[:1]))).first()


def reasons(lead: Lead) -> list[Reason]:
    """What speaks for and against a lead in the primary model, for `leads.registry.reasons`."""
    score = Score.objects.filter(lead=lead, model__is_primary=True).first()
    return [Reason(_with_hits(part), part.points) for part in parts(score)] if score else []


def _with_hits(part: Part) -> str:
    return _("%(what)s, %(n)d times") % {"what": part.words, "n": part.hits} if part.hits > 1 else part.words
