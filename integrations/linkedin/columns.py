"""Forms that only their columns describe: of files, and of what other systems send in.

A column is a question. Those that are called as LinkedIn calls its predefined fields are these, so that the default
mapping serves; all others are questions of the form's own. The form has one version, number 0, which learns.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from contacts import cells
from contacts.targets import comparable
from integrations.linkedin import storing
from integrations.linkedin.responses import FormDocument, FormRef, moment, text_of
from integrations.models import Connection, LeadForm, LeadFormVersion

# How LinkedIn's predefined fields are called in its exports and elsewhere, compared as `comparable` does.
KEYS = {
    "FIRST_NAME": ("first name", "given name", "vorname"),
    "LAST_NAME": ("last name", "surname", "family name", "nachname"),
    "EMAIL": ("email", "e mail", "email address", "e mail address", "mail", "e mail adresse"),
    "WORK_EMAIL": ("work email", "work e mail", "work email address", "business email"),
    "PHONE_NUMBER": ("phone", "phone number", "telephone", "mobile", "telefon"),
    "WORK_PHONE_NUMBER": ("work phone", "work phone number", "business phone"),
    "JOB_TITLE": ("job title", "title", "position"),
    "JOB_FUNCTION": ("job function", "function"),
    "SENIORITY": ("seniority", "seniority level"),
    "COMPANY_NAME": ("company", "company name", "organisation", "organization", "firma"),
    "COMPANY_SIZE": ("company size", "number of employees"),
    "INDUSTRY": ("industry", "branche"),
    "LINKEDIN_PROFILE_LINK": ("linkedin profile", "linkedin profile link", "linkedin profile url", "linkedin url"),
    "CITY": ("city", "stadt"),
    "STATE": ("state", "state province"),
    "COUNTRY": ("country", "country region", "land"),
    "POSTAL_CODE": ("postal code", "zip code", "zip"),
    "DEGREE": ("degree",),
    "FIELD_OF_STUDY": ("field of study",),
    "SCHOOL": ("school", "university"),
    "GENDER": ("gender",),
}
_KEY_OF = {name: key for key, names in KEYS.items() for name in names}
_WRITTEN = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M")


def key_of(column: str) -> str:
    """The key by which mappings name a column."""
    plain = comparable(column)
    return column if column in KEYS else _KEY_OF.get(plain) or f"question:{column[:100]}"


def form_ref(name: str, external_id: str = "") -> FormRef:
    """The form of that name, or LinkedIn's own if its id is known."""
    return FormRef(external_id[:200] or f"name:{name[:195]}", 0, name[:300])


def learn(
    connection: Connection, ref: FormRef, columns: Iterable[str], consents: Mapping[str, str] | None = None
) -> LeadFormVersion:
    """Note the columns of a form, and the texts of its consents by their id, beside those known before."""
    known = LeadFormVersion.objects.filter(
        form__connection=connection, form__external_id=ref.external_id, number=ref.version
    ).first()
    questions = {question["id"]: question for question in known.questions} if known else {}
    texts = {consent["id"]: consent for consent in known.consents} if known else {}
    before = (dict(questions), dict(texts))
    for column in columns:
        name = column[:100]
        questions.setdefault(name, {"id": name, "key": key_of(column), "name": name, "label": name, "options": {}})
    for pk, text in (consents or {}).items():
        texts[pk] = {"id": pk, "text": text, "is_required": False}
    if known is not None and not known.problem and before == (questions, texts):
        return known
    is_known = LeadForm.objects.filter(connection=connection, external_id=ref.external_id).exclude(name="").exists()
    name = "" if is_known else ref.name
    document = FormDocument(ref.external_id, ref.version, name, "", list(questions.values()), list(texts.values()))
    return storing.keep_form(connection, document)


def when(text: Any) -> datetime | None:
    """A moment as files write it (UTC where no zone is named); None for what is none."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return moment(text)
    written = text_of(text, 60)
    if written.isdecimal() and len(written) in (10, 13):
        return moment(int(written))
    try:
        found = datetime.fromisoformat(written)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        pass
    for form in _WRITTEN:
        try:
            return datetime.strptime(written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        day = cells.DateCell().clean(written)
        return datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
    except ValueError:
        return None


def id_of(*said: Any) -> str:
    """An id made of what was said, for what has none: the same again is the same submission."""
    text = json.dumps(said, sort_keys=True, default=str, ensure_ascii=False)
    return f"made:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:40]}"
