"""Answers beside their questions: what a submission says, for pages and for the mapping.

Joined by the question's id to the same version of the form; where LinkedIn does not show that any more, to another
version of it, then by the name that the answer may carry. What fits nowhere stays readable as it came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from integrations.models import LeadForm, LeadFormVersion, LeadSubmission

HIDDEN = "hidden:"


class Waiting(NamedTuple):
    """What of a submission counts for processing it, as `LeadSubmission` has it; of thousands, models take too long."""

    pk: int
    digest: str
    form_id: int | None
    version_id: int | None
    campaign_id: int | None
    is_test: bool
    submitted_at: datetime
    answers: list[dict[str, Any]]
    hidden_fields: dict[str, str]
    consents: list[dict[str, Any]]
    contact_id: int | None
    is_contact_new: bool
    company_id: int | None
    lead_id: int | None


Submission = LeadSubmission | Waiting


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as a page shows it: the key that mappings name ("" if its question is unknown), label and text."""

    key: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownConsent:
    """A consent's text beside whether it was given."""

    id: str
    text: str
    is_accepted: bool


class Questions:
    """The questions of forms by version, read once for a set of submissions."""

    def __init__(self, submissions: Iterable[Submission]) -> None:
        forms = {submission.form_id for submission in submissions if submission.form_id}
        self._forms = LeadForm.objects.in_bulk(forms)
        self._versions = {version.pk: version for version in LeadFormVersion.objects.filter(form__in=forms)}
        self._by_id: dict[int, dict[str, dict[str, Any]]] = {}
        self._by_name: dict[int, dict[str, dict[str, Any]]] = {}
        for version in sorted(self._versions.values(), key=lambda version: version.number):
            for question in version.questions:
                self._by_id.setdefault(version.form_id, {})[question["id"]] = question
                self._by_name.setdefault(version.form_id, {})[question["name"]] = question
        self._own = {
            pk: {question["id"]: question for question in version.questions} for pk, version in self._versions.items()
        }

    def form_name(self, submission: Submission) -> str:
        """What the submission's form is called."""
        form = self._forms.get(submission.form_id or 0)
        return str(form) if form else _("LinkedIn form")

    def version(self, submission: Submission) -> LeadFormVersion | None:
        return self._versions.get(submission.version_id or 0)

    def of(self, submission: Submission, answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The question that is answered; None if nothing knows it."""
        pk, form = answer.get("question", ""), submission.form_id or 0
        return (
            self._own.get(submission.version_id or 0, {}).get(pk)
            or self._by_id.get(form, {}).get(pk)
            or self._by_name.get(form, {}).get(answer.get("name") or "\x00")
        )

    def texts(self, submission: Submission) -> dict[str, str]:
        """What was said by the question's key, hidden fields under `hidden:{name}`; the last of two answers counts."""
        found = {f"{HIDDEN}{name}": value for name, value in self.hidden(submission).items()}
        own = self._own.get(submission.version_id or 0, {})
        for answer in submission.answers:
            question = own.get(answer.get("question", "")) or self.of(submission, answer)
            if question is not None and (text := text_of(answer, question)):
                found[question["key"]] = text
        return found

    def shown(self, submission: Submission) -> list[Shown]:
        """Every answer, and every hidden field, as pages show them."""
        lines = []
        for answer in submission.answers:
            question = self.of(submission, answer)
            label = question["label"] if question else answer.get("name") or answer.get("question", "")
            lines.append(Shown(question["key"] if question else "", label, text_of(answer, question)))
        return lines + [Shown(f"{HIDDEN}{name}", name, text) for name, text in self.hidden(submission).items()]

    def hidden(self, submission: Submission) -> dict[str, str]:
        """The form's hidden fields, and what came along with the submission itself."""
        version = self.version(submission)
        return {**(version.hidden_fields if version else {}), **submission.hidden_fields}

    def consents(self, submission: Submission) -> list[ShownConsent]:
        """What was asked beside what was agreed to."""
        version = self.version(submission)
        texts = {consent["id"]: consent["text"] for consent in version.consents} if version else {}
        return [
            ShownConsent(given["id"], given.get("text") or texts.get(given["id"], ""), given["accepted"])
            for given in submission.consents
        ]


def text_of(answer: Mapping[str, Any], question: Mapping[str, Any] | None) -> str:
    """An answer in words; an option that the form does not have is shown by its id."""
    if "options" in answer:
        labels = question["options"] if question else {}
        return ", ".join(labels.get(option) or option for option in answer["options"])
    return str(answer.get("text", ""))
