"""Contacts and their companies as a member enters them by hand."""

from collections.abc import Mapping
from typing import Any

from contacts import matching, normalise, people, search
from contacts.models import Account, Contact
from tenants import audit
from tenants.models import Member


def create(values: Mapping[str, Any], by: Member) -> Contact:
    """Create a contact; `company` finds or makes her account, else the address's domain finds it."""
    given = {name: value for name, value in values.items() if value not in ("", None)}
    given["custom"] = {key: value for key, value in given.get("custom", {}).items() if value not in ("", None)}
    account = _account(given, by) or matching.match_account(email=given.get("email", ""))
    return people.create_contact(given, source="manual", by=by, account=account)


def change(contact: Contact, values: Mapping[str, Any], by: Member) -> dict[str, list[Any]]:
    """Change a contact as the form says: an empty field empties; another `company` moves her to that account."""
    now = contact.account.name if contact.account else ""
    company = str(values.get("company", now)).strip()
    if company == now:
        return people.update_contact(contact, values, by=by)
    account = _account(values, by) if company else None
    return people.update_contact(contact, {**values, "account": account}, by=by)


def assign_owner(contact_ids: list[int], owner: Member | None, by: Member) -> int:
    """Give contacts an owner (or none); returns how many had another one."""
    others = Contact.objects.filter(pk__in=contact_ids, is_active=True).exclude(owner=owner)
    changed = list(others.select_related("owner__user", "account").order_by("pk").select_for_update(of=("self",)))
    for contact in changed:
        people.update_contact(contact, {"owner": owner}, by=by)
    if changed:
        audit.write("contacts.assigned", by=by, detail={"count": len(changed), "owner": str(owner or "")})
    return len(changed)


def companies_like(text: str, limit: int = 8) -> list[Account]:
    """Active accounts found by the words of a name, for suggesting."""
    ids = [id_ for _kind, id_ in search.find(text, kinds=["account"], limit=limit)]
    return list(Account.objects.filter(pk__in=ids, is_active=True).order_by("name_key", "pk"))


def _account(values: Mapping[str, Any], by: Member) -> Account | None:
    """The account that `company` names, made if there is none; the address gives a new one its domain."""
    name, country = str(values.get("company", "")), str(values.get("country", ""))
    if not normalise.company_key(name):
        return None
    if found := matching.match_account(name=name, country=country):
        return found
    domain = normalise.email_domain(str(values.get("email", "")))
    taken = domain and Account.objects.filter(domain=domain, is_active=True).exists()
    made = {"name": name, "country": country, "domain": "" if taken else domain}
    return people.create_account({key: value for key, value in made.items() if value}, by=by)
