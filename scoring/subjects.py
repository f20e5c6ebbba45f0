"""Whom a model scores: every open lead, and every contact without one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import Q
from psycopg import sql

from contacts.models import ConsentLevel, Contact
from leads import rule_fields
from leads.models import CLOSED_STAGES, Lead
from scoring.models import ScoringModel
from segments import subjects


@dataclass(frozen=True)
class Subject:
    """One of the two: `key` is how rules call it, `column` refers to it in scores and their entries.

    A lead has a score even when nothing speaks for it; a contact only when something does.
    """

    key: str
    column: str
    is_always_scored: bool

    def of_rules(self, model: ScoringModel) -> str:
        """The subject of the model's rules: an account's people below the minimum consent do not count for its lead."""
        has_minimum = self is LEAD and model.minimum_consent
        return _with_consent(model.minimum_consent) if has_minimum else self.key

    @property
    def foreign_key(self) -> sql.Identifier:
        return sql.Identifier(self.column)


LEAD = Subject("lead", "lead_id", is_always_scored=True)
CONTACT = Subject("contact", "contact_id", is_always_scored=False)
SUBJECTS = (LEAD, CONTACT)


def _with_consent(level: int) -> str:
    return f"lead, consent {level}"


def register() -> None:
    """Register leads whose people are only those of a consent level, for the rules of models that ask for one."""
    for level in ConsentLevel.values:
        people = (
            f"SELECT p.subject_id, p.contact_id FROM ({rule_fields.SUBJECT.people}) p "
            f"JOIN contacts_contact c ON c.id = p.contact_id WHERE c.consent_level >= {int(level)}"
        )
        same_row = "JOIN leads_lead {j} ON {j}.id = {t}.id"
        variant = replace(
            rule_fields.SUBJECT,
            key=_with_consent(level),
            people=people,
            one={**rule_fields.SUBJECT.one, LEAD.key: same_row},
        )
        subjects.register(variant)


_CLOSED = sql.SQL(", ").join(sql.Literal(stage.value) for stage in CLOSED_STAGES)


@dataclass(frozen=True)
class Selection:
    """Some of the subjects: those of `ids`, or those whose id lies above `after` and up to `upto`; else everybody."""

    ids: list[int] | None = None
    after: int | None = None
    upto: int | None = None

    @property
    def is_few(self) -> bool:
        return self.ids is not None

    def clause(self, column: sql.Composable) -> sql.Composed:
        """` AND …` that keeps the selected; an index on the column serves it."""
        conditions: list[sql.Composable] = []
        if self.ids is not None:
            conditions.append(sql.SQL(" AND {} = ANY({}::bigint[])").format(column, sql.Literal(self.ids)))
        if self.after is not None:
            conditions.append(sql.SQL(" AND {} > {}::bigint").format(column, sql.Literal(self.after)))
        if self.upto is not None:
            conditions.append(sql.SQL(" AND {} <= {}::bigint").format(column, sql.Literal(self.upto)))
        return sql.Composed(conditions)


EVERYBODY = Selection()


def eligible(model: ScoringModel, subject: Subject, selection: Selection = EVERYBODY) -> sql.Composed:
    """SELECT id of the selected subjects that the model scores.

    A lead with a contact is scored if the contact's consent reaches the model's minimum; one without always.
    """
    select = _open_leads(model) if subject is LEAD else _contacts_without_lead(model)
    return select + selection.clause(sql.Identifier("subject", "id"))


def _open_leads(model: ScoringModel) -> sql.Composed:
    """Reads the leads once; index lead's primary key when restricted."""
    consent = sql.SQL(
        """ AND (subject.contact_id IS NULL OR EXISTS (
               SELECT FROM contacts_contact contact
               WHERE contact.id = subject.contact_id AND contact.consent_level >= {}))"""
    ).format(sql.Literal(model.minimum_consent))
    return sql.SQL("SELECT subject.id FROM leads_lead subject WHERE subject.stage NOT IN ({})").format(_CLOSED) + (
        consent if model.minimum_consent else sql.Composed([])
    )


def _contacts_without_lead(model: ScoringModel) -> sql.Composed:
    """Index for the anti-join: lead_of_contact."""
    return sql.SQL(
        """SELECT subject.id FROM contacts_contact subject
           WHERE subject.is_active AND subject.consent_level >= {consent} AND NOT EXISTS (
               SELECT FROM leads_lead lead WHERE lead.contact_id = subject.id AND lead.stage NOT IN ({closed}))"""
    ).format(consent=sql.Literal(model.minimum_consent), closed=_CLOSED)


@dataclass(frozen=True)
class Touched:
    """Leads and contacts to score again, closed ones included: their scores are retired."""

    lead_ids: list[int]
    contact_ids: list[int]

    def of(self, subject: Subject) -> Selection:
        return Selection(self.lead_ids if subject is LEAD else self.contact_ids)


def touched(lead_ids: Iterable[int], contact_ids: Iterable[int], account_ids: Iterable[int] = ()) -> Touched:
    """All whose score what happened to these may change.

    A contact's facts count for her leads, and for the leads without contact of her account; what is said about an
    account counts for all its people and leads.
    """
    accounts, contacts = set(account_ids), set(contact_ids)
    if accounts:
        contacts.update(Contact.objects.filter(account_id__in=accounts).values_list("pk", flat=True))
    employers = set(
        Contact.objects.filter(pk__in=contacts, account_id__isnull=False).values_list("account_id", flat=True)
    )
    leads = dict(
        Lead.objects.filter(
            Q(pk__in=set(lead_ids))
            | Q(contact_id__in=contacts)
            | Q(contact__isnull=True, account_id__in=employers | accounts)
        ).values_list("pk", "contact_id")
    )
    contacts |= {contact_id for contact_id in leads.values() if contact_id}
    return Touched(sorted(leads), sorted(contacts))
