"""Which open lead a submission is about, by what the mapping says must be equal.

Candidates are the open leads of the contact that was found, and those without a contact that have the address; of
several that answer, the latest is taken.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from contacts import normalise
from integrations.models import LeadSubmission
from leads.models import Lead
from leads.transitions import OPEN
from tenants.registry import Text

# What a submission and a lead can have in common. The address is always among it.
LEAD_FIELDS: dict[str, Text] = {
    "email": _("E-mail address"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "phone": _("Phone"),
    "company": _("Company"),
    "topic": _("Topic"),
    "form": _("Form"),
}

# What a submission says: the fields above, compared as `comparable` makes them.
Said = Mapping[str, Any]
_OF_LEAD: dict[str, Callable[[Lead], Any]] = {
    "email": lambda lead: lead.reach.email,
    "first_name": lambda lead: lead.reach.first_name,
    "last_name": lambda lead: lead.reach.last_name,
    "phone": lambda lead: lead.reach.phone,
    "company": lambda lead: lead.account.name if lead.account else lead.company,
    "topic": lambda lead: lead.topic,
}


def comparable(name: str, value: Any) -> Any:
    """A value as it is compared: without case, accents and blanks; companies without their legal form."""
    if name == "form":
        return value
    text = str(value or "")
    return normalise.company_key(text) if name == "company" else normalise.plain(text).strip()


def key_of(said: Said, lead_by: Sequence[str]) -> tuple[Any, ...] | None:
    """What must be equal; None if the submission lacks a part of it: then it is about no lead that there is."""
    key = tuple(comparable(name, said.get(name)) for name in lead_by)
    return key if all(key) else None


def find(asked: Iterable[tuple[int, int | None, Said]], lead_by: Sequence[str]) -> dict[int, Lead]:
    """By submission: the open lead that (submission, contact, what it says) is about.

    Two statements, and one if the form counts. Indexes: lead_of_contact, lead_by_email, lead_submission_of_lead.
    """
    wanted = [(pk, contact, said, key) for pk, contact, said in asked if (key := key_of(said, lead_by)) is not None]
    if not wanted:
        return {}
    leads = Lead.objects.filter(stage__in=OPEN).select_related("contact", "account").order_by("-created_at", "-pk")
    contacts = {contact for _pk, contact, _said, _key in wanted if contact}
    emails = {said["email"] for _pk, _contact, said, _key in wanted}
    candidates = [*leads.filter(contact__in=contacts), *leads.filter(contact=None, email__in=emails).exclude(email="")]
    forms = _forms_of(candidates) if "form" in lead_by else {}
    known: dict[tuple[int | None, tuple[Any, ...]], Lead] = {}
    for lead in candidates:
        for form in forms.get(lead.pk, {None}):
            said = {name: of_lead(lead) for name, of_lead in _OF_LEAD.items()} | {"form": form}
            if (key := key_of(said, lead_by)) is not None:
                known.setdefault((lead.contact_id, key), lead)
    found = {}
    for pk, contact, _said, key in wanted:
        if fitting := known.get((contact, key)) or known.get((None, key)):
            found[pk] = fitting
    return found


def _forms_of(leads: Sequence[Lead]) -> dict[int, set[int | None]]:
    """By lead: the forms that its submissions came by."""
    pairs = LeadSubmission.objects.filter(lead__in=[lead.pk for lead in leads]).values_list("lead", "form")
    found: dict[int, set[int | None]] = {}
    for lead, form in pairs:
        if lead is not None:
            found.setdefault(lead, set()).add(form)
    return found
