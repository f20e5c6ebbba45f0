"""Columns and where they go: guessed by their names, or as they went the last time; own fields made on the way."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import custom, normalise, targets
from contacts.models import Field
from contacts.targets import Target
from leads.importing import refusals
from leads.models.imports import Import, ImportMapping
from tenants.models import Member

ENTITIES = {Import.Entity.CONTACT: ("contact", "account", "lead"), Import.Entity.ACCOUNT: ("account",)}
# What a column's choice may say instead of a target: make a field of this type.
NEW = re.compile(r"new:(contact|account|lead):(text|number|date|boolean)")


def offered(entity: str) -> dict[str, Target]:
    """The targets for a file of these, by key."""
    return targets.of(*ENTITIES[Import.Entity(entity)])


def header_key(headers: Sequence[str]) -> str:
    """What tells a set of columns from another, whatever their order; a file of refused rows has those it came from."""
    own = sorted(name for name in headers if name != refusals.REASON)
    return hashlib.sha256("\x1f".join(own).encode()).hexdigest()


def remembered(entity: str, headers: Sequence[str]) -> ImportMapping | None:
    """How these columns were mapped the last time."""
    return ImportMapping.objects.filter(entity=entity, header_key=header_key(headers)).first()


def propose(entity: str, headers: Sequence[str]) -> list[str]:
    """The target of each column: as the last time, else guessed by its name."""
    there = offered(entity)
    if found := remembered(entity, headers):
        last = {name: key for name, key in found.mapping.items() if key in there}
        return [last.get(name, "") for name in headers]
    return targets.guess(headers, there, entity)


def remember(batch: Import) -> None:
    """Keep the mapping for the next file with these columns, with the answers that go with it."""
    kept = {name: value for name, value in batch.options.items() if name not in ("decided", "consented_on")}
    ImportMapping.objects.update_or_create(
        entity=batch.entity,
        header_key=header_key(batch.headers),
        defaults={
            "mapping": dict(zip(batch.headers, batch.mapping, strict=True)),
            "options": kept,
            "used_at": timezone.now(),
        },
    )


def check(mapping: Sequence[str], there: Mapping[str, Target], entity: str) -> None:
    """Raise ValidationError if the columns cannot go there: unknown, two to one target, nothing that says who it is."""
    used = [key for key in mapping if key]
    if unknown := [key for key in used if key not in there and not NEW.fullmatch(key)]:
        raise ValidationError(_("There is no field “%(key)s”.") % {"key": unknown[0]})
    twice = [key for key, count in Counter(used).items() if count > 1 and not NEW.fullmatch(key)]
    if twice:
        raise ValidationError(_("Two columns cannot both go to “%(field)s”.") % {"field": there[twice[0]].label})
    if entity == Import.Entity.ACCOUNT and "account.name" not in used:
        raise ValidationError(_("Say which column has the company's name."))
    who = {"contact.email", "contact.phone", "contact.external_id", "contact.linkedin_url", "contact.last_name"}
    has_lead = any(key.startswith("lead.") for key in used)
    if entity == Import.Entity.CONTACT and not who & set(used) and not has_lead:
        raise ValidationError(_("Say which column has the address, phone, profile, id or last name."))


def make_fields(mapping: Sequence[str], headers: Sequence[str], *, by: Member | None) -> list[str]:
    """Make the own fields that the mapping asks for; returns the mapping with their keys."""
    made = []
    for name, key in zip(headers, mapping, strict=True):
        if found := NEW.fullmatch(key):
            made.append(_make_field(found[1], name, found[2], by))
        else:
            made.append(key)
    return made


def _make_field(entity: str, label: str, kind: str, by: Member | None) -> str:
    """A new field's target; its key is the label's words, with a number if that is taken."""
    words = "_".join(normalise.words(label.replace("_", " "))) or "field"
    plain = re.sub(r"[^a-z0-9_]", "", words)[:34] or "field"
    plain = plain if plain[0].isalpha() else f"f_{plain}"[:34]
    taken = set(Field.objects.filter(entity=entity).values_list("key", flat=True))
    key, number = plain, 2
    while key in taken:
        key, number = f"{plain}_{number}", number + 1
    field = custom.create(entity, key, label[:100], kind, by=by)
    return f"{entity}.{targets.CUSTOM}{field.key}"


def guess_day_first(samples: Sequence[Sequence[str]], country: str) -> bool:
    """Whether days come before months in dates such as 03/04/2026: as the values show, else as the country does."""
    for row in samples:
        for cell in row:
            if found := re.match(r"(\d{1,2})[/-](\d{1,2})[/-](?:\d{2}|\d{4})\b", cell):
                first, second = int(found[1]), int(found[2])
                if first > 12 or second > 12:
                    return first > 12
    return country not in ("US", "PH", "CA")


def example(samples: Sequence[Sequence[str]], place: int, count: int = 3) -> list[str]:
    """Some different values of a column."""
    values: dict[str, Any] = {row[place][:60]: None for row in samples if place < len(row) and row[place].strip()}
    return list(values)[:count]
