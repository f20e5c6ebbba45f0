"""A tenant's own fields: their values, checked by type, and who uses a field."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from contacts.models import Field
from tenants import audit
from tenants.models import Member

# Callables (field) -> words about what uses it, e.g. "Segment: Hot leads"; higher apps add theirs in ready().
usages: list[Callable[[Field], list[str]]] = []

_YES, _NO = {"true", "yes", "1", "on"}, {"false", "no", "0", "off"}


def fields(entity: str) -> dict[str, Field]:
    """The entity's fields in use, by key."""
    return {field.key: field for field in fields_of([entity])}


def fields_of(entities: Iterable[str]) -> list[Field]:
    """The fields in use of several entities, by one query."""
    return list(Field.objects.filter(entity__in=list(entities), retired_at=None).order_by("entity", "pk"))


def labels(entity: str, keys: Sequence[str]) -> list[str]:
    """What fields are called, those out of use too."""
    known = dict(Field.objects.filter(entity=entity, key__in=keys).values_list("key", "label"))
    return [known.get(key, key) for key in keys]


def clean(entity: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored; raises ValidationError naming each wrong or unknown field."""
    known, cleaned, errors = fields(entity), {}, {}
    for key, value in values.items():
        if key not in known:
            errors[key] = _("There is no field “{key}”.").format(key=key)
            continue
        try:
            cleaned[key] = _clean_one(known[key], value)
        except ValueError as error:
            errors[key] = f"{known[key].label}: {error}"
    if errors:
        raise ValidationError({f"custom.{key}": text for key, text in errors.items()})
    return cleaned


def _clean_one(field: Field, value: Any) -> Any:
    if value is None or value == "":
        return None
    text = str(value).strip()
    if field.type == Field.Type.NUMBER:
        try:
            return int(text)
        except ValueError:
            raise ValueError(_("enter a whole number")) from None
    if field.type == Field.Type.DATE:
        try:
            return date.fromisoformat(text[:10]).isoformat()
        except ValueError:
            raise ValueError(_("enter a date, e.g. 2026-11-30")) from None
    if field.type == Field.Type.BOOLEAN:
        if text.lower() not in _YES | _NO:
            raise ValueError(_("enter yes or no"))
        return text.lower() in _YES
    if field.type == Field.Type.CHOICE and text not in field.options:
        raise ValueError(_("choose one of {options}").format(options=", ".join(field.options)))
    return text[:2000]


def create(
    entity: str,
    key: str,
    label: str,
    type: str = Field.Type.TEXT,  # noqa: A002
    options: Sequence[str] = (),
    is_sensitive: bool = False,
    *,
    by: Member | None,
) -> Field:
    """Add a field; raises ValidationError if its key is taken, also by a retired field (whose values are kept)."""
    if Field.objects.filter(entity=entity, key=key).exists():
        raise ValidationError({"key": _("There is a field with this key already.")})
    field = Field.objects.create(
        entity=entity, key=key, label=label, type=type, options=list(options), is_sensitive=is_sensitive
    )
    audit.write("field.created", field, by=by, detail={"entity": entity, "key": key, "type": type})
    return field


def change(field: Field, label: str, options: Sequence[str], is_sensitive: bool, *, by: Member | None) -> None:
    """Change what a field is called, what it offers and how it is guarded; values that it has stay."""
    field.label, field.options, field.is_sensitive = label, list(options), is_sensitive
    field.save(update_fields=["label", "options", "is_sensitive"])
    audit.write("field.changed", field, by=by)


def retire(field: Field, *, by: Member | None) -> None:
    """Take a field out of use: forms and rules no longer offer it, its values are kept."""
    Field.objects.filter(pk=field.pk, retired_at=None).update(retired_at=Now())
    audit.write("field.retired", field, by=by, detail={"used_by": used_by(field)})


def restore(field: Field, *, by: Member | None) -> None:
    """Take a retired field into use again."""
    Field.objects.filter(pk=field.pk).update(retired_at=None)
    audit.write("field.restored", field, by=by)


def used_by(field: Field) -> list[str]:
    """What names the field, in words: shown before it is retired."""
    return [words for usage in usages for words in usage(field)]
