"""Creating and changing contacts and accounts: the one way by which their fields change."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from contacts import custom, normalise, search, timeline
from contacts.models import Account, Contact
from tenants.models import Member

CONTACT_FIELDS = frozenset(
    [
        "email",
        "first_name",
        "last_name",
        "job_title",
        "phone",
        "country",
        "city",
        "time_zone",
        "language",
        "linkedin_url",
        "external_id",
        "owner",
        "do_not_email",
        "do_not_bulk_email",
        "do_not_phone",
        "do_not_track",
    ]
)
# A contact is found by these.
INDEXED = frozenset(["email", "first_name", "last_name", "phone", "external_id", "account"])
ACCOUNT_FIELDS = frozenset(["name", "domain", "country", "city", "industry", "employees", "phone", "owner"])


def create_contact(
    values: Mapping[str, Any], *, source: str = "manual", by: Member | None = None, account: Account | None = None
) -> Contact:
    """Create a contact from values (names of CONTACT_FIELDS, and `custom`), normalised.

    Raises ValidationError naming the fields that are wrong; IntegrityError if the address is taken by now.
    """
    contact = Contact(source=source, account=account)
    _assign(contact, _clean(values, CONTACT_FIELDS, Contact, "contact"))
    contact.sort_key = normalise.person_key(contact.first_name, contact.last_name, contact.email)
    contact.save(force_insert=True)
    index_contact(contact)
    timeline.record("contact.created", contact=contact, actor=by, detail={"source": source})
    return contact


def clean_contact(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as `update_contact` would store them; raises ValidationError naming the fields that are wrong."""
    return _clean(values, CONTACT_FIELDS, Contact, "contact")


def update_contact(
    contact: Contact, values: Mapping[str, Any], by: Member | None = None, **facts: Any
) -> dict[str, list[Any]]:
    """Change a contact's fields; returns {field: [before, after]} of what really changed (empty: nothing).

    `facts` are what else the timeline is to know: journey_id, tile, cause_id, depth.
    """
    changes = _changes(contact, _clean(values, {*CONTACT_FIELDS, "account"}, Contact, "contact", contact.country))
    if not changes:
        return {}
    contact.sort_key = normalise.person_key(contact.first_name, contact.last_name, contact.email)
    _save(contact, changes, "sort_key")
    if INDEXED.intersection(changes):
        index_contact(contact)
    timeline.record("contact.changed", contact=contact, actor=by, detail=_told(contact, changes), **facts)
    return changes


def create_account(values: Mapping[str, Any], by: Member | None = None) -> Account:
    """Create an account from values (names of ACCOUNT_FIELDS, and `custom`), normalised."""
    account = Account()
    _assign(account, _clean(values, ACCOUNT_FIELDS, Account, "account"))
    account.name_key = normalise.company_key(account.name)
    account.save(force_insert=True)
    search.index("account", account.pk, account.name, account.domain, account.city)
    timeline.record(
        "account.created", account=account, object_id=account.pk, actor=by, detail={"account": account.name}
    )
    return account


def update_account(account: Account, values: Mapping[str, Any], by: Member | None = None) -> dict[str, list[Any]]:
    """Change an account's fields; returns {field: [before, after]} of what really changed (empty: nothing)."""
    changes = _changes(account, _clean(values, ACCOUNT_FIELDS, Account, "account", account.country))
    if not changes:
        return {}
    account.name_key = normalise.company_key(account.name)
    _save(account, changes, "name_key")
    search.index("account", account.pk, account.name, account.domain, account.city)
    detail = {"account": account.name, **_told(account, changes)}
    timeline.record("account.changed", account=account, object_id=account.pk, actor=by, detail=detail)
    return changes


def write_note(text: str, *, by: Member, contact: Contact | None = None, account: Account | None = None) -> int:
    """Put a note on the timeline of a contact or an account; returns the row's id."""
    return timeline.record("note.written", contact=contact, account=account, actor=by, detail={"text": text.strip()})


def index_contact(contact: Contact) -> None:
    """Make a contact findable by name, address and its parts, company and phone."""
    company = contact.account.name if contact.account else ""
    texts = (
        contact.first_name,
        contact.last_name,
        contact.email,
        company,
        contact.phone.lstrip("+"),
        contact.external_id,
    )
    search.index("contact", contact.pk, *texts)


def _clean(
    values: Mapping[str, Any],
    allowed: frozenset[str] | set[str],
    model: type[models.Model],
    entity: str,
    country: str = "",
) -> dict[str, Any]:
    """Normalised values of allowed fields; others are refused by name."""
    errors: dict[str, str] = {}
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        if name == "custom":
            cleaned["custom"] = custom.clean(entity, value)
        elif name not in allowed:
            continue
        else:
            try:
                cleaned[name] = _normalise(name, value, str(values.get("country") or country))
            except ValueError:
                errors[name] = _("“{value}” cannot be read.").format(value=str(value)[:60])
                continue
            errors |= _too_long(model, name, cleaned[name])
    if errors:
        raise ValidationError(errors)
    return cleaned


def _normalise(name: str, value: Any, country: str) -> Any:
    if not isinstance(value, str):
        return value
    text = " ".join(value.split()) if name not in ("email", "linkedin_url") else value.strip()
    if name == "email":
        return normalise.email(text)
    if name == "phone":
        return normalise.phone(text, country)
    if name == "domain":
        return normalise.domain(text)
    if name == "country":
        return text.upper()
    return text


def _too_long(model: type[models.Model], name: str, value: Any) -> dict[str, str]:
    limit = getattr(model._meta.get_field(name), "max_length", None)
    if isinstance(value, str) and limit and len(value) > limit:
        return {name: _("At most {limit} characters.").format(limit=limit)}
    return {}


def _assign(target: models.Model, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(target, name, value)


def _changes(target: Any, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Set the values on the target; returns what differs from before."""
    changes = {}
    for name, value in values.items():
        if name == "custom":
            value = {**target.custom, **value}
        before = getattr(target, name)
        if before != value:
            changes[name] = [before, value]
            setattr(target, name, value)
    return changes


def _save(target: Any, changes: Mapping[str, Any], key: str) -> None:
    target.updated_at = Now()
    target.save(update_fields=[*changes, key, "updated_at"])


def _told(target: models.Model, changes: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The changes as the timeline keeps them: JSON values, and the fields' names in words."""
    names = [str(getattr(target._meta.get_field(name), "verbose_name", name)) for name in changes if name != "custom"]
    if "custom" in changes:
        before, after = changes["custom"]
        names += custom.labels(target._meta.model_name or "", [key for key in after if after[key] != before.get(key)])
    plain = {name: [_json(before), _json(after)] for name, (before, after) in changes.items()}
    return {"fields": plain, "names": ", ".join(names)}


def _json(value: Any) -> Any:
    return str(value) if isinstance(value, models.Model) else value
