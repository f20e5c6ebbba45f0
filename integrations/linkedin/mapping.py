"""Where the answers of a form go: the default, a form's own, and what can be chosen.

chosen = of(form)                          # the form's own mapping, else the connection's default
questions_of(form)                         # [Question(key, label, examples, target)] for the editor
save(connection, form, targets={…}, …)     # stored submissions stay as they are until `rerun`
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import targets
from contacts.models import Field, Purpose
from contacts.targets import Target
from integrations.linkedin.answers import HIDDEN, Questions
from integrations.linkedin.matching import LEAD_FIELDS
from integrations.models import Connection, LeadForm, LeadFormMapping, LeadFormVersion, LeadSubmission
from leads.importing.options import MatchBy
from tenants import audit
from tenants.models import Member

ENTITIES = ("contact", "account", "lead")
# Consents that no other entry speaks of.
ANY_CONSENT = "*"
# LinkedIn's predefined fields that fit one of ours. Two may go to one field: the first that was answered counts.
DEFAULT_TARGETS = {
    "FIRST_NAME": "contact.first_name",
    "LAST_NAME": "contact.last_name",
    "EMAIL": "contact.email",
    "WORK_EMAIL": "contact.email",
    "PHONE_NUMBER": "contact.phone",
    "WORK_PHONE_NUMBER": "contact.phone",
    "JOB_TITLE": "contact.job_title",
    "CITY": "contact.city",
    "COUNTRY": "contact.country",
    "LINKEDIN_PROFILE_LINK": "contact.linkedin_url",
    "COMPANY_NAME": "account.name",
    "INDUSTRY": "account.industry",
}
# How the predefined fields are called where there is no form to say it.
PREDEFINED = {
    "FIRST_NAME": gettext_lazy("First name"),
    "LAST_NAME": gettext_lazy("Last name"),
    "EMAIL": gettext_lazy("E-mail address"),
    "WORK_EMAIL": gettext_lazy("Work e-mail address"),
    "PHONE_NUMBER": gettext_lazy("Phone number"),
    "WORK_PHONE_NUMBER": gettext_lazy("Work phone number"),
    "JOB_TITLE": gettext_lazy("Job title"),
    "JOB_FUNCTION": gettext_lazy("Job function"),
    "SENIORITY": gettext_lazy("Seniority"),
    "COMPANY_NAME": gettext_lazy("Company name"),
    "COMPANY_SIZE": gettext_lazy("Company size"),
    "INDUSTRY": gettext_lazy("Industry"),
    "LINKEDIN_PROFILE_LINK": gettext_lazy("LinkedIn profile"),
    "CITY": gettext_lazy("City"),
    "STATE": gettext_lazy("State"),
    "COUNTRY": gettext_lazy("Country"),
    "POSTAL_CODE": gettext_lazy("Postal code"),
    "DEGREE": gettext_lazy("Degree"),
    "FIELD_OF_STUDY": gettext_lazy("Field of study"),
    "SCHOOL": gettext_lazy("School"),
    "GENDER": gettext_lazy("Gender"),
}


class Question(NamedTuple):
    """A question in the editor: some of its answers, and where it goes ("": nowhere)."""

    key: str
    label: str
    examples: list[str]
    target: str


class ConsentAsked(NamedTuple):
    """A consent in the editor; what it is taken for (None: for nothing)."""

    id: str
    text: str
    purpose_id: int | None
    level: int


def default(connection: Connection) -> LeadFormMapping:
    """The connection's mapping of all forms without their own; made when first asked for."""
    found, _is_new = LeadFormMapping.objects.get_or_create(
        connection=connection, form=None, defaults={"targets": DEFAULT_TARGETS}
    )
    return found


def of(form: LeadForm) -> LeadFormMapping:
    """What holds for a form."""
    return LeadFormMapping.objects.filter(form=form).first() or default(form.connection)


def by_form(connection: Connection, forms: Iterable[int]) -> dict[int | None, LeadFormMapping]:
    """What holds for each of the forms; the default under None."""
    usual = default(connection)
    own = {row.form_id: row for row in LeadFormMapping.objects.filter(form__in=list(forms))}
    return {None: usual, **{form: own.get(form, usual) for form in forms}}


def offered() -> dict[str, Target]:
    """Where answers can go."""
    return targets.of(*ENTITIES)


def questions_of(form: LeadForm | None, mapping: LeadFormMapping) -> list[Question]:
    """The questions of a form's versions and its hidden fields; without a form LinkedIn's predefined fields.

    With each the first different answers of the form's last 200 submissions.
    """
    if form is None:
        return [Question(key, str(label), [], mapping.targets.get(key, "")) for key, label in PREDEFINED.items()]
    labels: dict[str, str] = {}
    hidden: dict[str, str] = {}
    for version in LeadFormVersion.objects.filter(form=form).order_by("-number"):
        for question in version.questions:
            labels.setdefault(question["key"], question["label"] or question["name"])
        hidden |= {f"{HIDDEN}{name}": name for name in version.hidden_fields}
    examples = _examples(form)
    hidden |= {key: key.removeprefix(HIDDEN) for key in examples if key.startswith(HIDDEN)}
    return [
        Question(key, label, examples.get(key, []), mapping.targets.get(key, ""))
        for key, label in {**labels, **hidden}.items()
    ]


def consents_of(form: LeadForm | None, mapping: LeadFormMapping) -> list[ConsentAsked]:
    """The consents of a form's versions; without a form one entry for all of them."""
    texts: dict[str, str] = {}
    if form is None:
        texts[ANY_CONSENT] = _("Any consent of any form")
    for version in LeadFormVersion.objects.filter(form=form).order_by("-number") if form else ():
        for consent in version.consents:
            texts.setdefault(consent["id"], consent["text"])
    found = []
    for pk, text in texts.items():
        entry = mapping.consents.get(pk) or {}
        found.append(ConsentAsked(pk, text, entry.get("purpose"), entry.get("level", 4)))
    return found


def save(connection: Connection, form: LeadForm | None, values: Mapping[str, Any], *, by: Member) -> LeadFormMapping:
    """Keep a form's mapping, or the default. Raises ValidationError."""
    check(values)
    known = ("targets", "consents", "contact_by", "creates_contacts", "leads", "lead_by", "update", "prefers_work")
    kept = {name: values[name] for name in (*known, "topic") if name in values}
    row, _is_new = LeadFormMapping.objects.update_or_create(
        connection=connection, form=form, defaults={**kept, "changed_at": Now()}
    )
    audit.write("linkedin.mapping_changed", form or connection, by=by)
    row.refresh_from_db()
    return row


def forget(form: LeadForm, *, by: Member) -> None:
    """Let the default hold for a form again."""
    LeadFormMapping.objects.filter(form=form).delete()
    audit.write("linkedin.mapping_removed", form, by=by)


def check(values: Mapping[str, Any]) -> None:
    """Raise ValidationError if something is named that there is not."""
    there = offered()
    if unknown := [key for key in values.get("targets", {}).values() if key and key not in there]:
        raise ValidationError(_("There is no field “%(key)s”.") % {"key": unknown[0]})
    purposes = {entry["purpose"] for entry in values.get("consents", {}).values() if entry}
    if purposes - set(Purpose.objects.filter(pk__in=purposes).values_list("pk", flat=True)):
        raise ValidationError(_("There is no such purpose."))
    if values.get("contact_by", MatchBy.EMAIL) not in MatchBy.values:
        raise ValidationError(_("Contacts cannot be matched by that."))
    if set(values.get("lead_by", ())) - LEAD_FIELDS.keys():
        raise ValidationError(_("Leads cannot be matched by that."))
    if values.get("leads") == LeadFormMapping.Leads.MATCH and "email" not in values.get("lead_by", ()):
        raise ValidationError(_("Leads are matched by the e-mail address, and whatever else you choose."))


def uses_of(field: Field) -> list[str]:
    """The forms whose answers go to an own field, for who retires it."""
    key = f"{field.entity}.{targets.CUSTOM}{field.key}"
    rows = LeadFormMapping.objects.select_related("form", "connection")
    return [
        _("LinkedIn form: %(form)s") % {"form": row.form or row.connection}
        for row in rows
        if key in row.targets.values()
    ]


def _examples(form: LeadForm) -> dict[str, list[str]]:
    submissions = list(LeadSubmission.objects.filter(form=form).order_by("-submitted_at", "-pk")[:200])
    questions = Questions(submissions)
    found: dict[str, list[str]] = {}
    for submission in submissions:
        for key, text in questions.texts(submission).items():
            kept = found.setdefault(key, [])
            if len(kept) < 3 and text[:60] not in kept:
                kept.append(text[:60])
    return found
