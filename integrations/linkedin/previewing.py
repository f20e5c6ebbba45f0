"""A mapping tried on submissions that are stored: what each would say, before anything is saved."""

from collections.abc import Iterable
from dataclasses import dataclass

from contacts.models import Contact
from contacts.targets import ENTITIES, Target
from integrations.linkedin import mapping
from integrations.linkedin.answers import Questions
from integrations.linkedin.cleaning import Reader, values_of
from integrations.models import LeadForm, LeadFormMapping, LeadSubmission
from tenants.registry import Text

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """What one submission would come to: (entity, field, value), what would be left out, who has the address."""

    submission: LeadSubmission
    values: list[tuple[Text, Text, str]]
    left_out: list[str]
    known: Contact | None


def of_form(form: LeadForm | None, tried: LeadFormMapping, country: str = "") -> list[Preview]:
    """The latest submissions of a form, or of all forms without a mapping of their own, by an unsaved mapping."""
    rows = LeadSubmission.objects.exclude(answers=[]).select_related("form")
    whose = {"form": form} if form is not None else {"connection": tried.connection, "form__mappings": None}
    rows = rows.filter(**whose)
    latest = list(rows.order_by("-submitted_at", "-pk")[:SHOWN])
    offered = mapping.offered()
    reader = Reader(tried, offered, Questions(latest), country)
    read = [reader.read(submission) for submission in latest]
    known = _known([each.cleaned.contact.get("email") for each in read])
    return [
        Preview(
            submission,
            [_said(key, value, offered) for key, value in values_of(each).items()],
            each.left_out,
            known.get(each.cleaned.contact.get("email") or ""),
        )
        for submission, each in zip(latest, read, strict=True)
    ]


def _said(key: str, value: object, offered: dict[str, Target]) -> tuple[Text, Text, str]:
    entity = key.partition(".")[0]
    target = offered.get(key)
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return ENTITIES[entity], target.label if target else key, text


def _known(emails: Iterable[object]) -> dict[str, Contact]:
    """Active contacts by address."""
    wanted = [str(email) for email in emails if email]
    return {row.email: row for row in Contact.objects.filter(email__in=wanted, is_active=True)} if wanted else {}
