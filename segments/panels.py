"""What segments add to the pages of contacts, and to search."""

from collections.abc import Iterable
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contacts.models import Contact
from segments import membership, queries
from segments.models import Segment
from tenants.models import Member
from tenants.registry import Hit


def of_contact(contact: Contact) -> dict[str, Any]:
    """The card on a contact's page: the segments she is in, and the lists she could be added to."""
    segments, lists = queries.of_contact(contact)
    return {"segments": segments, "lists": lists}


def add_ticked(contact_ids: list[int], choice: str, by: Member) -> str:
    """Add the contacts ticked in a list to a static segment; returns what happened, in words."""
    rows = queries.in_use().filter(kind=Segment.Kind.STATIC)
    segment = get_object_or_404(rows, pk=int(choice) if choice.isdecimal() else 0)
    added = membership.add(segment, contact_ids, by)
    said = ngettext("%(n)d contact added to %(segment)s.", "%(n)d contacts added to %(segment)s.", added)
    return said % {"n": added, "segment": segment}


def find(member: Member, text: str, limit: int) -> Iterable[Hit]:
    """Segments whose name contains the text."""
    rows = queries.in_use().filter(name__icontains=text.replace("\0", "")).order_by("name")[:limit]
    return [
        Hit(row.name, reverse("segments:detail", args=[row.pk]), _("%(n)d contacts") % {"n": row.member_count})
        for row in rows
    ]
