"""What is done to the contacts ticked in the list."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contacts import deletion, editing, listing, registry
from contacts.models import Contact
from contacts.registry import BulkAction, Choices
from tenants.access import may
from tenants.models import Member

MOST = 500


class CannotDo(ValueError):
    """Nothing was done; the text says why."""


def run(given: Any, *, by: Member) -> str:
    """Do the action that a list's form names (`action`, `ids`, and its choice); returns what happened, in words."""
    action = registry.bulk_actions.get(given.get("action", ""))
    if action is None:
        raise CannotDo(_("Choose what to do with the ticked contacts."))
    if not may(by, action.right):
        raise PermissionDenied
    ids = [int(pk) for pk in given.getlist("ids")[:MOST] if pk.isascii() and pk.isdigit() and len(pk) < 19]
    if not ids:
        raise CannotDo(_("Tick at least one contact."))
    choice = given.get(f"choice-{action.key}", "")
    if action.choices and choice not in {key for key, _label in action.choices()}:
        raise CannotDo(_("Choose from the list beside “%(action)s”.") % {"action": action.label})
    return action.run(ids, choice, by)


def _owners() -> Choices:
    return [("", _("Nobody")), *((str(member.pk), str(member)) for member in listing.members())]


def _assign(ids: list[int], choice: str, by: Member) -> str:
    owner = listing.members().get(pk=choice) if choice else None
    count = editing.assign_owner(ids, owner, by)
    return ngettext("%(n)d contact has a new owner.", "%(n)d contacts have a new owner.", count) % {"n": count}


def _delete(ids: list[int], choice: str, by: Member) -> str:
    rows = Contact.objects.filter(pk__in=ids, is_active=True).order_by("pk")
    count = sum(deletion.deactivate(contact, by=by) for contact in rows)
    text = ngettext("%(n)d contact has been deleted.", "%(n)d contacts have been deleted.", count) % {"n": count}
    return text + " " + _("They can be restored for 30 days.")


ASSIGN = BulkAction("owner", gettext_lazy("Assign owner"), "user-check", _assign, choices=_owners, order=20)
DELETE = BulkAction(
    "delete",
    gettext_lazy("Delete"),
    "trash",
    _delete,
    question=gettext_lazy("Delete the ticked contacts? They can be restored for 30 days."),
    order=90,
)
