"""Our side of what is mapped: the fields, what a record has in them, and setting them by the usual verbs."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import cells, consent, people, targets
from contacts.models import Account, Contact
from contacts.targets import Target
from integrations.models import Entity
from leads import editing
from leads.creation import ENTERED
from leads.models import Lead

Ours = Contact | Account | Lead
MODELS: dict[str, Any] = {Entity.LEAD: Lead, Entity.CONTACT: Contact, Entity.ACCOUNT: Account}
# Whether people want to be contacted is the ledger's business (`refusals`); who owns a record is each side's own.
_NOT_MAPPED = ("owner", "do_not_email", "do_not_bulk_email", "do_not_phone", "do_not_track")
# What a lead has of its person and company where it was not entered.
_OF_CONTACT = ("first_name", "last_name", "email", "phone", "job_title", "country")
_PERSON: dict[str, tuple[Any, cells.Cell]] = {
    "first_name": (gettext_lazy("first name"), cells.Cell(100)),
    "last_name": (gettext_lazy("last name"), cells.Cell(100)),
    "email": (gettext_lazy("e-mail"), cells.EmailCell(254)),
    "phone": (gettext_lazy("phone"), cells.PhoneCell(20)),
    "job_title": (gettext_lazy("job title"), cells.Cell(150)),
    "company": (gettext_lazy("company"), cells.Cell(200)),
    "country": (gettext_lazy("country"), cells.CountryCell(100)),
    "score": (gettext_lazy("score"), cells.NumberCell()),
    "grade": (gettext_lazy("grade"), cells.Cell(10)),
    "source": (gettext_lazy("source"), cells.Cell(60)),
}
# What we compute: it goes out and never comes in.
COMPUTED = frozenset({"lead.score", "lead.grade", "lead.source"})
REFUSALS = ("do_not_email", "do_not_bulk_email", "do_not_phone")


class NotTaken(ValueError):
    """A value of theirs that we cannot have; the text says why."""


def fields() -> dict[str, Target]:
    """All of our fields that can be mapped, by key."""
    found = {
        key: target
        for key, target in targets.of(Entity.LEAD, Entity.CONTACT, Entity.ACCOUNT).items()
        if target.is_custom or target.name not in _NOT_MAPPED
    }
    for name, (label, cell) in _PERSON.items():
        found[f"lead.{name}"] = Target(f"lead.{name}", Entity.LEAD, name, label, cell)
    return found


def load(entity: str, ids: Iterable[int | None]) -> dict[int, Any]:
    """Our records of an entity, with what their fields need, by two queries at most."""
    rows = MODELS[entity].objects.filter(pk__in={pk for pk in ids if pk})
    if entity == Entity.LEAD:
        rows = rows.select_related("contact", "account", "owner")
    elif entity == Entity.CONTACT:
        # What comes for one who was taken into another is that one's no more.
        rows = rows.filter(merged_into=None).select_related("account")
    return {row.pk: row for row in rows}


def value_of(record: Any, target: Target) -> Any:
    """What a record has in a field; None for nothing."""
    if target.is_custom:
        value = record.custom.get(target.name)
    else:
        value = getattr(record, target.name)
        if value in ("", None) and isinstance(record, Lead):
            value = _of_person(record, target.name)
    return None if value == "" else value


def _of_person(lead: Lead, name: str) -> Any:
    if name in _OF_CONTACT and lead.contact is not None:
        return getattr(lead.contact, name)
    return lead.account.name if name == "company" and lead.account is not None else None


def refuses(contact: Contact | None, refused: set[int], is_opt_out: bool) -> dict[str, bool]:
    """What a person does not want, by the names of REFUSALS; who never said yes wants no bulk mail.

    `refused`: ids of contacts whose latest word on some purpose is no.
    """
    if contact is None:
        return {"do_not_email": False, "do_not_bulk_email": not is_opt_out, "do_not_phone": False}
    agreed = contact.consent_level >= consent.COMMERCIAL
    is_unwanted = contact.pk in refused or not (agreed or is_opt_out)
    return {
        "do_not_email": contact.do_not_email,
        "do_not_bulk_email": contact.do_not_bulk_email or contact.do_not_email or is_unwanted,
        "do_not_phone": contact.do_not_phone,
    }


def take(record: Any, values: Mapping[str, Any]) -> None:
    """Set fields of a record, {target's key: value}, by its verb; raises NotTaken if it cannot have them."""
    plain: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, value in values.items():
        name = key.partition(".")[2]
        if name.startswith(targets.CUSTOM):
            own[name.removeprefix(targets.CUSTOM)] = value
        else:
            plain[name] = _stored(record, name, value)
    given = plain | ({"custom": own} if own else {})
    try:
        with transaction.atomic():
            if isinstance(record, Lead):
                editing.update_lead(record, given)
            elif isinstance(record, Account):
                people.update_account(record, given)
            else:
                people.update_contact(record, given)
    except ValidationError as error:
        raise NotTaken(" ".join(error.messages)) from None
    except IntegrityError:
        raise NotTaken(_("another contact has this e-mail address")) from None


def may_take(key: str) -> bool:
    """Whether a value of theirs can be set in a field."""
    entity, _dot, name = key.partition(".")
    if key in COMPUTED:
        return False
    return entity != Entity.LEAD or name.startswith(targets.CUSTOM) or name in ("topic", *ENTERED)


def _stored(record: Any, name: str, value: Any) -> Any:
    """A value as its column has it: an empty text is "", an empty number NULL."""
    if value is None and not record._meta.get_field(name).null:
        return ""
    return value
