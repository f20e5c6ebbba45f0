"""Contacts and accounts as the search box and the command palette show them."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from contacts import search
from contacts.models import Account, Contact
from tenants.models import Member
from tenants.registry import Hit, SearchSource


def find_contacts(member: Member, text: str, limit: int) -> Iterator[Hit]:
    """Contacts by name, address, company or phone."""
    ids = [id_ for _kind, id_ in search.find(text, kinds=["contact"], limit=limit)]
    rows = Contact.objects.filter(is_active=True).select_related("account").in_bulk(ids)
    for contact in (rows[pk] for pk in ids if pk in rows):
        subtitle = " · ".join(filter(None, [str(contact.account or ""), contact.email]))
        yield Hit(str(contact), reverse("contacts:detail", args=[contact.pk]), subtitle)


def find_accounts(member: Member, text: str, limit: int) -> Iterator[Hit]:
    """Accounts by name, domain or city."""
    ids = [id_ for _kind, id_ in search.find(text, kinds=["account"], limit=limit)]
    rows = Account.objects.filter(is_active=True).in_bulk(ids)
    for account in (rows[pk] for pk in ids if pk in rows):
        yield Hit(account.name, reverse("contacts:account", args=[account.pk]), account.domain)


CONTACTS = SearchSource("contacts", _("Contacts"), "users", find_contacts, order=10)
ACCOUNTS = SearchSource("accounts", _("Accounts"), "building", find_accounts, order=20)
