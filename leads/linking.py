"""Leads whose person is not known, or not for sure: who it may be; linking, creating, merging or leaving it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from contacts import matching, merging, normalise
from contacts.models import Account, Contact, MatchAmbiguity
from leads import queries
from leads.creation import ENTERED
from leads.editing import record_change
from leads.errors import MovedMeanwhile
from leads.models import Lead
from leads.moves import keep_contact_stages
from leads.transitions import OPEN
from tenants.models import Member

SHOWN = 5
# What `decide` takes for keeping a lead as it is.
LEAVE = "leave"
Chosen = TypeVar("Chosen", Contact, Account)


@dataclass
class Candidates:
    """Who and which company a lead may be about, the likeliest first."""

    contacts: list[Contact] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)


def needing() -> QuerySet[Lead]:
    """Open leads without a contact or with several candidates that nobody has looked at.

    Indexes: lead_of_contact, ambiguity_open.
    """
    uncertain = MatchAmbiguity.objects.filter(resolved_at=None).values("chosen")
    return queries.shown().filter(Q(contact=None) | Q(contact__in=uncertain), unmatched_at=None, stage__in=OPEN)


def candidates(leads: Sequence[Lead]) -> dict[int, Candidates]:
    """Contacts of the same address or name, accounts of the same domain or name: a fixed number of queries.

    Of a lead with a contact, those who answered as well as she did. Addresses, names and company keys are compared as
    they are stored, so indexes serve.
    """
    emails = {lead.email for lead in leads if lead.email}
    people = {_person_key(lead) for lead in leads if lead.last_name}
    domains = {normalise.email_domain(lead.email) for lead in leads if lead.email} - {""}
    companies = {normalise.company_key(lead.company) for lead in leads if lead.company} - {""}
    contacts = Contact.objects.select_related("account").filter(is_active=True)
    known = [*contacts.filter(email__in=emails), *contacts.filter(sort_key__in=people).order_by("-updated_at")[:200]]
    accounts = Account.objects.filter(is_active=True)
    firms = [*accounts.filter(domain__in=domains), *accounts.filter(name_key__in=companies)[:200]]
    others = _others([lead for lead in leads if lead.contact_id])
    return {
        lead.pk: Candidates(others.get(lead.contact_id, [])) if lead.contact_id else _of(lead, known, firms)
        for lead in leads
    }


def _others(leads: Sequence[Lead]) -> dict[int, list[Contact]]:
    """By contact: the others who answered too when she was matched."""
    rows = MatchAmbiguity.objects.filter(resolved_at=None, chosen__in=[lead.contact_id for lead in leads])
    ids = {row.chosen_id: row.others for row in rows.order_by("pk")}
    wanted = {pk for others in ids.values() for pk in others}
    people = Contact.objects.filter(is_active=True).select_related("account").in_bulk(wanted)
    return {chosen: [people[pk] for pk in others if pk in people][:SHOWN] for chosen, others in ids.items()}


def _of(lead: Lead, known: Sequence[Contact], firms: Sequence[Account]) -> Candidates:
    people = [contact for contact in known if lead.email and contact.email == lead.email]
    people += [contact for contact in known if lead.last_name and contact.sort_key == _person_key(lead)]
    domain = normalise.email_domain(lead.email) if lead.email else ""
    key = normalise.company_key(lead.company) if lead.company else ""
    companies = [firm for firm in firms if (domain and firm.domain == domain) or (key and firm.name_key == key)]
    return Candidates(list(dict.fromkeys(people))[:SHOWN], list(dict.fromkeys(companies))[:SHOWN])


def _person_key(lead: Lead) -> str:
    return normalise.person_key(lead.first_name, lead.last_name, lead.email)


def decide(lead: Lead, choice: str, by: Member | None = None) -> None:
    """Do what somebody has chosen for a lead: "contact:7", "merge:7", "account:7", "new" or "leave".

    Raises MovedMeanwhile if that is not to be had any more, ValidationError if nothing or nonsense was chosen.
    """
    kind, _colon, chosen = choice.partition(":")
    if kind == "contact":
        (relink if lead.contact_id else link)(lead, _chosen(Contact, chosen), by)
    elif kind == "merge":
        merge(lead, _chosen(Contact, chosen), by)
    elif kind == "account":
        link_account(lead, _chosen(Account, chosen), by)
    elif kind == "new":
        create_contact(lead, by)
    elif kind == LEAVE:
        leave(lead)
    else:
        raise ValidationError(_("Say who it is, or leave it."))


def _chosen(model: type[Chosen], pk: str) -> Chosen:
    found = model.objects.filter(pk=int(pk), is_active=True).first() if pk.isdecimal() else None
    if found is None:
        raise MovedMeanwhile(_("Whom you have chosen is no longer there."))
    return found


@transaction.atomic
def link(lead: Lead, contact: Contact, by: Member | None = None) -> None:
    """Say whose lead it is. Raises MovedMeanwhile if somebody has linked it before."""
    account_id = lead.account_id or contact.account_id
    free = Lead.objects.filter(pk=lead.pk, contact=None)
    if not free.update(contact=contact, account=account_id, updated_at=Now()):
        raise MovedMeanwhile(_("Somebody has linked this lead already."))
    lead.contact, lead.account_id = contact, account_id
    record_change(lead, {"contact": ["", str(contact)]}, by)
    keep_contact_stages([contact.pk])


@transaction.atomic
def relink(lead: Lead, contact: Contact, by: Member | None = None) -> None:
    """Say that it is another's lead. Raises MovedMeanwhile if somebody has linked it elsewhere before."""
    before = lead.contact
    same = Lead.objects.filter(pk=lead.pk, contact=before)
    if not same.update(
        contact=contact, account=contact.account_id or lead.account_id, unmatched_at=Now(), updated_at=Now()
    ):
        raise MovedMeanwhile(_("Somebody has linked this lead already."))
    lead.contact = contact
    record_change(lead, {"contact": [str(before or ""), str(contact)]}, by)
    keep_contact_stages([pk for pk in (before.pk if before else None, contact.pk) if pk])


def merge(lead: Lead, other: Contact, by: Member | None = None) -> None:
    """Say that the lead's contact and another are one person. Raises MovedMeanwhile if there are no longer two."""
    if lead.contact is None:
        raise MovedMeanwhile(_("This lead has no contact any more."))
    if lead.contact == other:
        raise MovedMeanwhile(_("They are one person already."))
    merging.merge(lead.contact, other, by=by)


@transaction.atomic
def link_account(lead: Lead, account: Account, by: Member | None = None) -> None:
    """Say which company the lead is about, its person being unknown."""
    before = str(lead.account or "")
    Lead.objects.filter(pk=lead.pk).update(account=account, unmatched_at=Now(), updated_at=Now())
    lead.account = account
    record_change(lead, {"account": [before, str(account)]}, by)


@transaction.atomic
def create_contact(lead: Lead, by: Member | None = None) -> Contact:
    """Make a contact of what was entered (or find the one of the same address), and link it."""
    values = {name: getattr(lead, name) for name in ENTERED if name != "description" and getattr(lead, name)}
    found = matching.match_contact(values, source=lead.source or "lead", by=by, update=False)
    link(lead, found.contact, by)
    return found.contact


def leave(lead: Lead) -> None:
    """Keep the lead as it is, and do not ask again."""
    Lead.objects.filter(pk=lead.pk).update(unmatched_at=Now())
