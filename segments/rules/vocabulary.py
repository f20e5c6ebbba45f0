"""What a tenant's rules can speak of: its fields, segments and purposes, each asked once and only when needed."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from contacts import timeline
from contacts.models import Field as CustomField
from contacts.models import Purpose
from contacts.timeline import Kind
from segments import fields, subjects
from segments.fields import Field
from segments.models import Segment
from tenants.fields import CurrentTenant
from tenants.models import Tenant

# Stands for every kind that is an activity of the person herself.
ANY_ACTIVITY = "activity"


class Vocabulary:
    """The words of the scope's tenant. Make one per request or pass: it remembers what it read."""

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(Tenant.objects.values_list("time_zone", flat=True).get(pk=CurrentTenant()))

    @cached_property
    def _custom(self) -> dict[str, CustomField]:
        return {f"{row.entity}.custom.{row.key}": row for row in CustomField.objects.order_by("label")}

    @cached_property
    def segments(self) -> dict[int, str]:
        """The names of the tenant's segments by id."""
        return dict(Segment.objects.order_by("name").values_list("pk", "name"))

    @cached_property
    def purposes(self) -> dict[int, str]:
        """The names of the tenant's consent purposes by id."""
        return dict(Purpose.objects.order_by("name").values_list("pk", "name"))

    @cached_property
    def _choices(self) -> dict[str, dict[Any, str]]:
        return {}

    def field(self, key: str) -> Field:
        """The field of a key; raises LookupError saying in words why there is none."""
        for known in fields.registered():
            if known.key == key:
                return known
        row = self._custom.get(key)
        if row is None:
            raise LookupError(_("The field “%(key)s” no longer exists.") % {"key": key.split(".")[-1]})
        if row.retired_at:
            raise LookupError(_("The field “%(label)s” was retired.") % {"label": row.label})
        if row.is_sensitive:
            raise LookupError(_("The field “%(label)s” is sensitive; rules cannot use it.") % {"label": row.label})
        return fields.of_custom(row)

    def fields_for(self, subject: str) -> list[Field]:
        """All fields that rules about the subject may use."""
        about = subjects.get(subject)
        usable = [row for row in self._custom.values() if not row.is_sensitive and not row.retired_at]
        everything: Iterable[Field] = [*fields.registered(), *(fields.of_custom(row) for row in usable)]
        return [field for field in everything if subjects.reaches(about, field.entity)]

    def choices(self, field: Field) -> dict[Any, str]:
        """The labels of a field's values."""
        if field.choices is None:
            return {}
        if field.key not in self._choices:
            self._choices[field.key] = {value: str(label) for value, label in field.choices()}
        return self._choices[field.key]

    def objects(self, kind: str) -> dict[Any, str]:
        """The names of the objects that facts of a timeline kind are about, by id."""
        return {} if kind == ANY_ACTIVITY else self.objects_called(self.kind(kind).object_kind)

    def objects_called(self, kind: str) -> dict[Any, str]:
        """The names of a sort of objects ("email", "link" …) by id; empty if rules cannot choose among them."""
        known = fields.objects_of(kind)
        if known is None:
            return {}
        key = f"objects:{kind}"
        if key not in self._choices:
            self._choices[key] = {value: str(label) for value, label in known.choices()}
        return self._choices[key]

    def links_of(self, objects: Sequence[int]) -> dict[Any, str]:
        """The names of the links of these e-mails, by id."""
        known = fields.objects_of("link")
        if known is None or known.choices_of is None or not objects:
            return {}
        return {value: str(label) for value, label in known.choices_of(objects)}

    def kind(self, key: str) -> Kind:
        """A declared kind that rules may use; raises LookupError in words."""
        try:
            found = timeline.kind(key)
        except KeyError:
            raise LookupError(_("There is no behavior “%(key)s”.") % {"key": key}) from None
        if not found.in_rules:
            raise LookupError(_("Rules cannot use “%(title)s”.") % {"title": found.title})
        return found

    def kinds(self) -> list[Kind]:
        """The kinds that rules may use."""
        return [kind for kind in timeline.kinds() if kind.in_rules]
