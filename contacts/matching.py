"""Matching what comes in to a known or new contact and account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from contacts import normalise, people
from contacts.models import Account, Contact, MatchAmbiguity
from tenants.models import Member


@dataclass(frozen=True)
class Match:
    """A contact, whether it was made just now, and the ids of others that would have answered too."""

    contact: Contact
    is_new: bool
    ambiguous: list[int] = field(default_factory=list)


def match_contact(
    values: Mapping[str, Any],
    *,
    strategy: Sequence[str] = ("email",),
    source: str,
    by: Member | None = None,
    update: bool = True,
) -> Match:
    """The contact that these values are about, created if there is none.

    A strategy is a list of fields that must all be equal. Of several hits the most recently updated active one is
    taken, and the ambiguity is recorded, offered for merging. Values that lack a strategy's field make a new contact,
    never a failure. `company` (with `domain`, `country`) leads to the account. With `update`, values that are not
    empty are written over.
    """
    wanted = {name: _comparable(name, values) for name in strategy}
    found = list(_candidates(wanted)[:10]) if all(wanted.values()) else []
    account = match_or_create_account(
        name=str(values.get("company", "")),
        domain=str(values.get("domain", "")),
        email=str(values.get("email", "")),
        country=str(values.get("country", "")),
        by=by,
    )
    if not found:
        return _create(values, account, source, by)
    chosen, others = found[0], [contact.pk for contact in found[1:]]
    if others:
        MatchAmbiguity.objects.create(
            chosen=chosen, others=others, reason=_("the same {fields}").format(fields=", ".join(strategy))
        )
    if update:
        given = {name: value for name, value in values.items() if value not in ("", None)}
        if account and chosen.account_id is None:
            given["account"] = account
        people.update_contact(chosen, given, by=by)
    return Match(chosen, False, others)


def match_account(*, name: str = "", domain: str = "", email: str = "", country: str = "") -> Account | None:
    """The account of a web domain (its own, else the address's unless a mail provider's), else of a name.

    Names are compared without case, accents and legal form, and within the same country if both have one.
    """
    for wanted in filter(
        None, (normalise.domain(domain) if domain else "", normalise.email_domain(email) if email else "")
    ):
        if account := Account.objects.filter(domain=wanted, is_active=True).order_by("-updated_at", "pk").first():
            return account
    key = normalise.company_key(name)
    if not key:
        return None
    named = Account.objects.filter(name_key=key, is_active=True).order_by("-updated_at", "pk")
    same_country = [a for a in named[:20] if not country or not a.country or a.country == country.upper()]
    return same_country[0] if same_country else None


def match_or_create_account(
    *, name: str = "", domain: str = "", email: str = "", country: str = "", by: Member | None = None
) -> Account | None:
    """As `match_account`; creates the account when a name is given. Never made from an address alone."""
    account = match_account(name=name, domain=domain, email=email, country=country)
    if account or not normalise.company_key(name):
        return account
    own_domain = normalise.domain(domain) if domain else normalise.email_domain(email) if email else ""
    values = {"name": name, "domain": own_domain, "country": country}
    return people.create_account({key: value for key, value in values.items() if value}, by=by)


def _candidates(wanted: Mapping[str, Any]) -> Any:
    return Contact.objects.select_related("account").filter(is_active=True, **wanted).order_by("-updated_at", "-pk")


def _create(values: Mapping[str, Any], account: Account | None, source: str, by: Member | None) -> Match:
    try:
        with transaction.atomic():
            return Match(people.create_contact(values, source=source, by=by, account=account), True)
    except IntegrityError:
        # Another transaction created the same address meanwhile: the constraint decided, and hers is the contact.
        address = normalise.email(str(values.get("email", "")))
        return Match(Contact.objects.select_related("account").get(email=address, is_active=True), False)


def _comparable(name: str, values: Mapping[str, Any]) -> Any:
    value = values.get(name, "")
    if not isinstance(value, str):
        return value
    if name == "phone":
        try:
            return normalise.phone(value, str(values.get("country", "")))
        except ValueError:
            return ""
    return normalise.email(value) if name == "email" else value.strip()
