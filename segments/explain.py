"""Why a rule holds for a subject, or does not: each condition with its answer and what it saw."""

import json
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from psycopg import sql

from segments.compiler.plan import Plan
from segments.fields import Type
from segments.rules import Rule, Vocabulary, in_words
from segments.rules.nodes import FieldTest, Group, Leaf, Node, Not


class Reason(NamedTuple):
    """A condition in words, whether it holds for the subject, and what is known (empty: nothing)."""

    in_words: str
    holds: bool
    value: str


def why(rule: Rule, subject_id: int, vocabulary: Vocabulary | None = None) -> list[Reason]:
    """Each condition of the rule for one subject, in the rule's order; empty if there is no such subject.

    One statement of index look-ups.
    """
    words = vocabulary or Vocabulary()
    conditions = list(_conditions(rule.root))
    plan = Plan(rule, [subject_id])
    answers = [plan.answer(leaf) for leaf, _is_negated in conditions]
    if not answers:
        return []
    columns = [sql.SQL("{}, {}").format(answer.holds, answer.value or sql.SQL("NULL::text")) for answer in answers]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT {} {}").format(sql.SQL(", ").join(columns), plan.source()))
        row = cursor.fetchone()
    if row is None:
        return []
    return [
        _reason(rule, leaf, is_negated, holds, value, words)
        for (leaf, is_negated), holds, value in zip(conditions, row[::2], row[1::2], strict=True)
    ]


def _conditions(node: Node, is_negated: bool = False) -> list[tuple[Leaf, bool]]:
    """The conditions, each with whether it stands under an odd number of negations."""
    if isinstance(node, Not):
        return _conditions(node.child, not is_negated)
    if isinstance(node, Group):
        return [found for child in node.children for found in _conditions(child, is_negated)]
    return [(node, is_negated)]


def _reason(rule: Rule, leaf: Leaf, is_negated: bool, holds: bool, value: str | None, words: Vocabulary) -> Reason:
    said = in_words(Rule(rule.subject, Not(leaf) if is_negated else leaf, rule.zone), words)
    return Reason(said, holds != is_negated, _shown(leaf, value, words))


def _shown(leaf: Leaf, value: str | None, words: Vocabulary) -> str:
    """What Postgres answered as text, as people read it."""
    if isinstance(leaf, FieldTest):
        return _("empty") if value in (None, "") else _field_value(leaf, str(value), words)
    if value is None:
        return ""
    times, last_at = json.loads(value)
    said = ngettext("%(n)d time", "%(n)d times", times) % {"n": times}
    moment = date_format(timezone.localtime(datetime.fromisoformat(last_at)), "DATETIME_FORMAT")
    return _("%(times)s, last on %(moment)s") % {"times": said, "moment": moment}


def _field_value(test: FieldTest, value: str, words: Vocabulary) -> str:
    if test.field.type == Type.MOMENT:
        return date_format(timezone.localtime(datetime.fromisoformat(value)), "DATETIME_FORMAT")
    if test.field.type == Type.DATE:
        return date_format(datetime.fromisoformat(value), "DATE_FORMAT")
    if test.field.type == Type.BOOLEAN:
        return _("yes") if value == "true" else _("no")
    labels = {str(key): label for key, label in words.choices(test.field).items()}
    return labels.get(value, value)
