"""The score that lists show: the primary model's, on the lead and among the facts of the contact."""

from datetime import datetime

from django.db import connection
from psycopg import sql

from leads.transitions import OPEN, RANK
from scoring.models import ScoringModel
from scoring.subjects import EVERYBODY, LEAD, Selection, Subject


def show(
    model: ScoringModel, subject: Subject, selection: Selection = EVERYBODY, changed_at: datetime | None = None
) -> None:
    """Set Lead.score and ContactFacts.score of the selected, or only of those whose score changed at that moment.

    A contact shows the score of her most advanced open lead, else her own. Only differences are written.
    """
    chosen = selection.clause(sql.Identifier("chosen", "id"))
    if changed_at is not None:
        chosen += sql.SQL(
            " AND chosen.id IN (SELECT {} FROM scoring_score WHERE model_id = {} AND changed_at = {})"
        ).format(subject.foreign_key, sql.Literal(model.pk), sql.Literal(changed_at))
    names = {
        "model": sql.Literal(model.pk),
        "chosen": chosen,
        "rank": sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(sql.Literal(str(stage)) for stage in RANK)),
        "open": sql.SQL(", ").join(sql.Literal(str(stage)) for stage in OPEN),
    }
    with connection.cursor() as cursor:
        if subject is LEAD:
            cursor.execute(sql.SQL(_LEADS).format(**names))
            cursor.execute(sql.SQL(_CONTACTS).format(people=sql.SQL(_OF_LEADS).format(**names), **names))
        else:
            cursor.execute(sql.SQL(_CONTACTS).format(people=sql.SQL(_THEMSELVES).format(**names), **names))


# One pass over the chosen leads; their scores by one_lead_score.
_LEADS = """
UPDATE leads_lead lead SET score = score.score, grade = coalesce(score.grade, '')
FROM leads_lead chosen LEFT JOIN scoring_score score ON score.lead_id = chosen.id AND score.model_id = {model}
WHERE lead.id = chosen.id {chosen}
  AND (lead.score, lead.grade) IS DISTINCT FROM (score.score, coalesce(score.grade, ''))
"""
_OF_LEADS = "SELECT DISTINCT contact_id AS id FROM leads_lead chosen WHERE contact_id IS NOT NULL {chosen}"
_THEMSELVES = "SELECT id FROM contacts_contact chosen WHERE true {chosen}"
# Leads by lead_of_contact, scores by one_lead_score and one_contact_score, facts by their key.
_CONTACTS = """
WITH person AS MATERIALIZED ({people}),
foremost AS (
    SELECT DISTINCT ON (lead.contact_id) lead.contact_id, score.score, score.grade
    FROM person JOIN leads_lead lead ON lead.contact_id = person.id
    JOIN scoring_score score ON score.lead_id = lead.id AND score.model_id = {model}
    WHERE lead.stage IN ({open})
    ORDER BY lead.contact_id, array_position({rank}, lead.stage::text) DESC, score.score DESC, lead.id DESC
)
INSERT INTO contacts_contactfacts (contact_id, score, grade, stage, last_activity_kind, weeks)
SELECT person.id, coalesce(foremost.score, own.score), coalesce(foremost.grade, own.grade, ''), '', '', '{{}}'
FROM person
LEFT JOIN foremost ON foremost.contact_id = person.id
LEFT JOIN scoring_score own ON own.contact_id = person.id AND own.model_id = {model}
LEFT JOIN contacts_contactfacts facts ON facts.contact_id = person.id
WHERE (facts.score, coalesce(facts.grade, ''))
    IS DISTINCT FROM (coalesce(foremost.score, own.score), coalesce(foremost.grade, own.grade, ''))
ON CONFLICT (contact_id) DO UPDATE SET score = excluded.score, grade = excluded.grade
"""
