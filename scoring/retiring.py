"""What becomes of scores whose lead or contact is not scored any more."""

from django.db import connection
from psycopg import sql

from leads.transitions import OPEN, RANK
from scoring.models import Score, ScoreEntry, ScoringModel
from scoring.subjects import EVERYBODY, LEAD, Selection, Subject, eligible

_OPEN = sql.SQL(", ").join(sql.Literal(str(stage)) for stage in OPEN)


def carry_over(model: ScoringModel, selection: Selection = EVERYBODY) -> None:
    """Hand points that were given to contacts to their most advanced open lead, for those who have one by now."""
    statement = sql.SQL(_CARRY_OVER).format(
        model=sql.Literal(model.pk),
        open=_OPEN,
        rank=sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(sql.Literal(str(stage)) for stage in RANK)),
        selected=selection.clause(sql.Identifier("given", "contact_id")),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)


# Given points are few; entries by one_entry_per_contact, leads by lead_of_contact.
_CARRY_OVER = """
UPDATE scoring_scoreentry entry SET contact_id = NULL, lead_id = foremost.lead_id
FROM (
    SELECT DISTINCT ON (given.id) given.id, lead.id AS lead_id
    FROM scoring_scoreentry given JOIN leads_lead lead ON lead.contact_id = given.contact_id
    WHERE given.model_id = {model} AND given.rule_id IS NULL AND lead.stage IN ({open}) {selected}
    ORDER BY given.id, array_position({rank}, lead.stage::text) DESC, lead.id DESC
) foremost WHERE entry.id = foremost.id
"""


def retire(model: ScoringModel, subject: Subject, selection: Selection = EVERYBODY) -> None:
    """Take back the scores of those of the selected who are not scored any more.

    A closed lead keeps its score as it was and is not looked at again; where consent is missing, and for a contact
    that has a lead now, score and entries go.
    """
    column = sql.Identifier("score", subject.column)
    names = {
        "model": sql.Literal(model.pk),
        "column": column,
        "key": subject.foreign_key,
        "eligible": eligible(model, subject, selection),
        "selected": selection.clause(column),
        "open": _OPEN,
    }
    with connection.cursor() as cursor:
        if subject is LEAD:
            cursor.execute(sql.SQL(_REST).format(**names))
        cursor.execute(sql.SQL(_RETIRE).format(**names))


_REST = """
UPDATE scoring_score score SET next_change_at = NULL FROM leads_lead lead
WHERE score.model_id = {model} AND lead.id = score.lead_id AND score.next_change_at IS NOT NULL
  AND lead.stage NOT IN ({open}) {selected}
"""
# Entries are found by one_entry_per_lead / one_entry_per_contact.
_RETIRE = """
WITH gone AS (
    DELETE FROM scoring_score score
    WHERE score.model_id = {model} AND {column} IS NOT NULL {selected}
      AND NOT EXISTS (SELECT FROM ({eligible}) eligible WHERE eligible.id = {column})
      AND NOT EXISTS (SELECT FROM leads_lead lead WHERE lead.id = score.lead_id AND lead.stage NOT IN ({open}))
    RETURNING {column} AS id
)
DELETE FROM scoring_scoreentry entry USING gone WHERE entry.{key} = gone.id AND entry.model_id = {model}
"""


def forget(model: ScoringModel) -> None:
    """Remove all scores and entries of a model, by one statement each."""
    for table in (ScoreEntry, Score):
        rows = table.objects.filter(model=model)
        rows._raw_delete(rows.db)
