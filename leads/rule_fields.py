"""What leads bring to rules: leads as a subject, and their fields."""

from django.utils.translation import gettext_lazy as _

from leads import stage_names
from leads.models import CLOSED_STAGES
from segments import fields, subjects
from segments.fields import Field, Type
from segments.ground import members
from segments.subjects import Any, Subject

_OPEN = "{t}.stage NOT IN (" + ", ".join(f"'{stage.value}'" for stage in CLOSED_STAGES) + ")"

SUBJECT = Subject(
    "lead",
    _("Lead"),
    table="leads_lead",
    name="{t}.topic",
    hint="{t}.company",
    one={
        "contact": "LEFT JOIN contacts_contact {j} ON {j}.id = {t}.contact_id AND {j}.is_active",
        "account": "LEFT JOIN contacts_account {j}"
        " ON {j}.id = coalesce({t}.account_id, {contact}.account_id) AND {j}.is_active",
    },
    # What a lead's contact did; without a contact, what the people of its account did.
    people="""SELECT l.id AS subject_id, l.contact_id FROM leads_lead l WHERE l.contact_id IS NOT NULL
              UNION ALL
              SELECT l.id, c.id FROM leads_lead l JOIN contacts_contact c ON c.account_id = l.account_id AND c.is_active
              WHERE l.contact_id IS NULL""",
)

# A contact's or an account's open leads, any of which may answer.
REACHED_FROM = {
    "contact": Any("leads_lead", "contact_id", _OPEN),
    "account": Any("leads_lead", "account_id", _OPEN),
}

_ANY_CHANGE = ("lead.created", "lead.stage_changed", "lead.assigned", "lead.changed")

FIELDS = (
    Field(
        "lead.stage",
        _("Stage"),
        Type.CHOICE,
        choices=stage_names.choices,
        changed_by=("lead.created", "lead.stage_changed"),
    ),
    Field("lead.topic", _("Topic"), Type.TEXT, changed_by=_ANY_CHANGE),
    Field("lead.source", _("Source"), Type.TEXT, changed_by=_ANY_CHANGE),
    Field("lead.score", _("Score"), Type.NUMBER, changed_by=("lead.created", "score.changed")),
    Field("lead.grade", _("Grade"), Type.TEXT, changed_by=("lead.created", "score.changed")),
    Field(
        "lead.owner",
        _("Owner"),
        Type.LOOKUP,
        sql="{t}.owner_id",
        choices=members,
        changed_by=("lead.created", "lead.assigned"),
    ),
    Field("lead.company", _("Company as entered"), Type.TEXT, changed_by=_ANY_CHANGE),
    Field("lead.job_title", _("Job title as entered"), Type.TEXT, changed_by=_ANY_CHANGE),
    Field("lead.country", _("Country as entered (code)"), Type.TEXT, changed_by=_ANY_CHANGE),
    Field("lead.created_at", _("Created"), Type.MOMENT, changed_by=("lead.created",)),
    Field("lead.stage_since", _("In this stage since"), Type.MOMENT, changed_by=("lead.created", "lead.stage_changed")),
)


def register() -> None:
    """Make leads known to rules."""
    subjects.register(SUBJECT)
    for subject, path in REACHED_FROM.items():
        subjects.reach(subject, "lead", path)
    fields.register(*FIELDS)
