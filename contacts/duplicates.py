"""Contacts that may be one person: what matching could not tell apart, and what looks alike."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, MatchAmbiguity
from tenants import audit
from tenants.models import Member
from tenants.paging import Page, page_of

COMPARED = (
    "first_name", "last_name", "email", "phone", "job_title", "account", "city", "country", "linkedin_url", "owner",
    "external_id", "source", "created_at",
)  # fmt: skip


class Line(NamedTuple):
    """A field of two contacts, side by side."""

    label: Any
    keep: Any
    other: Any

    @property
    def differs(self) -> bool:
        return self.keep != self.other


def page(params: Mapping[str, str]) -> Page[MatchAmbiguity]:
    """Open ambiguities, newest first, each with `candidates`: the contacts that would have answered too.

    Index: ambiguity_open.
    """
    rows = MatchAmbiguity.objects.filter(resolved_at=None).select_related("chosen__account")
    found = page_of(rows, ("-at", "-pk"), params, size=20)
    wanted = {pk for row in found.rows for pk in row.others}
    people = Contact.objects.filter(is_active=True).select_related("account").in_bulk(wanted)
    for row in found.rows:
        row.candidates = [people[pk] for pk in row.others if pk in people]  # type: ignore[attr-defined]
    return found


def similar(contact: Contact, limit: int = 5) -> list[Contact]:
    """Other active contacts of the same name or phone. Indexes: contact_by_name, contact_by_phone."""
    if not contact.is_active:
        return []
    others = Contact.objects.filter(is_active=True).exclude(pk=contact.pk)
    alike = Q()
    if contact.first_name and contact.last_name:
        alike |= Q(sort_key=contact.sort_key)
    if contact.phone:
        alike |= Q(phone=contact.phone)
    return list(others.filter(alike).select_related("account").order_by("pk")[:limit]) if alike else []


def side_by_side(keep: Contact, other: Contact) -> list[Line]:
    """The fields of two contacts; both empty ones are left out."""
    lines = [Line(_name(n), getattr(keep, n), getattr(other, n)) for n in COMPARED]
    lines.append(Line(_("last activity"), _last(keep), _last(other)))
    return [line for line in lines if line.keep or line.other]


def ignore(ambiguity: MatchAmbiguity, *, by: Member) -> None:
    """Close an ambiguity: they are different people."""
    MatchAmbiguity.objects.filter(pk=ambiguity.pk, resolved_at=None).update(resolved_at=Now())
    audit.write("duplicate.ignored", ambiguity.chosen, by=by, detail={"others": ambiguity.others})


def settle(survivor: int, merged: int) -> None:
    """Close the open ambiguities that a merge has answered."""
    for row in MatchAmbiguity.objects.filter(resolved_at=None, chosen=survivor):
        if not Contact.objects.filter(pk__in=row.others, is_active=True).exclude(pk=merged).exists():
            MatchAmbiguity.objects.filter(pk=row.pk).update(resolved_at=Now())


def _name(field: str) -> Any:
    return getattr(Contact._meta.get_field(field), "verbose_name", field)


def _last(contact: Contact) -> Any:
    return contact.facts.last_activity_at if hasattr(contact, "facts") else None
